"""What scripts/compare asks of the harness, with a build script that only makes one that prints its arguments."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

COMPARE = pathlib.Path(__file__).resolve().parent / "compare"
BUILD = """#!/bin/sh
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build/bin"
printf '#!/bin/sh\\necho "$*"\\n' > "$root/build/bin/harness"
chmod +x "$root/build/bin/harness"
"""


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / "scripts").mkdir()
        shutil.copy2(COMPARE, self.root / "scripts" / "compare")
        (self.root / "scripts" / "build").write_text(BUILD)
        (self.root / "scripts" / "build").chmod(0o755)

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
