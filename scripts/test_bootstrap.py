"""What scripts/bootstrap does where it cannot be root, with Debian's tools played by shell scripts."""

import os
import shutil
import subprocess
import unittest

import played_tools

TOOLS = ("bash", "cat", "chmod", "dirname", "grep", "mkdir", "mktemp", "rm", "sed", "sh", "sort")


class Bootstrap(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        self.bin = self.root / "bin"
        self.bin.mkdir()
        for name in TOOLS:
            os.symlink(shutil.which(name), self.bin / name)
        (self.root / "variants").mkdir()
        shutil.copy2(played_tools.HERE.parent / "variants/highway.cmake", self.root / "variants")
        self.play("bin/id", "echo 1000")
        self.play("bin/apt-get", f'echo "$*" >> {self.root}/asked')
        self.play("bin/dpkg", '[ "$1" != --print-architecture ] || echo amd64')

    def lack(self, packages):
        """The packages that a shell's pattern names; the others are there."""
        self.play("bin/dpkg-query", f'case $3 in {packages}) exit 1 ;; *) echo "installed all" ;; esac')

    def have_highway(self):
        (self.root / "third_party/highway/hwy").mkdir(parents=True)
        (self.root / "third_party/highway/hwy/highway.h").write_text("")

    def bootstrap(self, *options):
        """(exit code, what it said)"""
        clean = {name: value for name, value in os.environ.items() if name != "SMALLMIND_HIGHWAY_DIR"}
        done = subprocess.run([self.take("bootstrap"), *options], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={**clean, "PATH": str(self.bin)})
        return done.returncode, done.stderr


class NoRoot(Bootstrap):
    def test_says_the_whole_line_that_root_should_run(self):
        self.lack("*")
        code, said = self.bootstrap()
        self.assertEqual(code, 1)
        self.assertRegex(said, "(?m)^  apt-get update && apt-get install -y .* g[+][+] make cmake .*python3-jsonschema$")
        self.assertFalse((self.root / "asked").exists())

    def test_says_the_foreign_architecture_too(self):
        self.lack("*")
        code, said = self.bootstrap("--with", "aarch64")
        self.assertEqual(code, 1)
        self.assertRegex(said, "(?m)^  dpkg --add-architecture arm64 && apt-get update && apt-get install .*:arm64$")

    def test_goes_on_without_plots(self):
        self.have_highway()
        self.lack("python3-matplotlib | python3-jsonschema")
        code, said = self.bootstrap()
        self.assertEqual(code, 0, said)
        self.assertRegex(said, "(?m)^  apt-get update && .* python3-matplotlib python3-jsonschema$")

    def test_says_nothing_where_nothing_is_missing(self):
        self.have_highway()
        self.lack("none")
        self.assertEqual(self.bootstrap(), (0, ""))


if __name__ == "__main__":
    unittest.main()
