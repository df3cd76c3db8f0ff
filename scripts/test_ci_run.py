"""What .ci/run asks of the tests, with everything that it calls played by shell scripts."""

import os
import shutil
import subprocess
import unittest

import played_tools


class CiRun(played_tools.PlayedTools):
    def environment(self, **given):
        """(SMALLMIND_NEED_SHARED, CI) as `make test` sees them"""
        root = self.root / "main"
        (root / ".ci").mkdir(parents=True, exist_ok=True)
        (root / "scripts").mkdir(exist_ok=True)
        shutil.copy2(played_tools.HERE.parent / ".ci/run", root / ".ci/run")
        self.play("main/scripts/bootstrap", "exit 0")
        self.play("bin/cmake", "exit 0")
        self.play("bin/make", f'[ "$1" != test ] || echo "${{SMALLMIND_NEED_SHARED-}} ${{CI-}}" > {self.root}/seen')
        clean = {name: value for name, value in os.environ.items() if name not in ("CI", "SMALLMIND_NEED_SHARED")}
        subprocess.run([root / ".ci/run"], check=True, stdout=subprocess.DEVNULL,
                       env={**clean, "PATH": f"{self.root}/bin:{clean['PATH']}", **given})
        return tuple((self.root / "seen").read_text().rstrip("\n").split(" "))

    def test_shared_files_are_needed_where_their_folder_is(self):
        (self.root / "shared").mkdir()
        self.assertEqual(self.environment(), ("1", "true"))

    def test_a_clean_clone_needs_none_on_a_hosted_service_either(self):
        for given in ({}, {"CI": "true"}):
            self.assertEqual(self.environment(**given), ("", "true"))


if __name__ == "__main__":
    unittest.main()
