"""What scripts/compare asks of the harness, with a build script that only makes one that prints its arguments."""

import subprocess
import unittest

import played_tools

BUILD = """
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build/bin"
printf '#!/bin/sh\\necho "$*"\\n' > "$root/build/bin/harness"
chmod +x "$root/build/bin/harness"
"""


class Compare(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        self.take("compare")
        self.play("scripts/build", BUILD)

    def asked(self, *arguments):
        done = subprocess.run([self.root / "scripts" / "compare", *arguments], capture_output=True, text=True, check=True)
        return done.stdout.replace(f"{self.root}/", "").split()

    def test_a_new_run_is_told_what_to_measure(self):
        self.assertEqual(self.asked("--variants", "o2", "--budget", "10"),
                         ["--manifest", "build/variants/manifest.json", "--timers", "--training-prompts",
                          "--variants", "o2", "--budget", "10", "--instructions"])
        self.assertEqual(self.asked("--quick"), ["--quick", "--manifest", "build/variants/manifest.json",
                                                 "--variants", "core,guide"])

    def test_a_resumed_run_is_told_nothing_that_its_record_says(self):
        self.assertEqual(self.asked("--variants", "o2", "--resume", "results/x", "--no-plots"),
                         ["--resume", "results/x", "--no-plots", "--instructions"])
        self.assertEqual(self.asked("--quick", "--resume=results/x"), ["--resume=results/x"])


if __name__ == "__main__":
    unittest.main()
