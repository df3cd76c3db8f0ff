"""What scripts/bootstrap does where it cannot be root, with Debian's tools played by shell scripts, and where it finds
Highway's source."""

import hashlib
import os
import shutil
import subprocess
import tarfile
import unittest

import played_tools

TOOLS = ("basename", "bash", "chmod", "cmake", "dirname", "grep", "gzip", "mkdir", "mktemp", "mv", "rm", "sed", "sh",
         "sha256sum", "sort", "tar")


class Bootstrap(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        self.bin = self.root / "bin"
        self.bin.mkdir()
        for name in TOOLS:
            os.symlink(shutil.which(name), self.bin / name)
        (self.root / "variants").mkdir()
        self.pin("http://localhost:9/1.9.0.tar.gz", "0" * 64)
        self.play("bin/id", "echo 1000")
        self.play("bin/apt-get", f'echo "$*" >> {self.root}/asked')
        self.play("bin/dpkg", '[ "$1" != --print-architecture ] || echo amd64')

    def pin(self, url, sha256):
        (self.root / "variants/highway.cmake").write_text(
            f"set(SMALLMIND_HIGHWAY_SHA256 {sha256})\nset(SMALLMIND_HIGHWAY_URL {url})\n")

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
        self.assertRegex(said, "(?m)^  apt-get update && apt-get install -y .* g[+][+] make git .*python3-jsonschema$")
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


class Highway(Bootstrap):
    """With no list of apt's and no way to make one."""

    def setUp(self):
        super().setUp()
        self.lack("none")

    def tarball(self, path):
        """A source of Highway at `path` of this tree. Returns the file's hash."""
        path = self.root / path
        path.parent.mkdir(parents=True)
        header = self.root / "highway.h"
        header.write_text("source")
        with tarfile.open(path, "w:gz") as file:
            file.add(header, "highway-1.9.0/hwy/highway.h")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def taken(self):
        header = self.root / "third_party/highway/hwy/highway.h"
        return header.exists() and header.read_text() == "source"

    def test_is_fetched_once_for_every_tree(self):
        sha256 = self.tarball("far/1.9.0.tar.gz")
        self.pin(f"file://{self.root}/far/1.9.0.tar.gz", sha256)
        self.assertEqual(self.bootstrap(), (0, "bootstrap: Highway 1.9.0 is in third_party/highway\n"))
        self.assertTrue(self.taken())
        asked = (self.root / "asked").read_text()
        self.assertNotIn("update", asked)
        self.assertEqual(self.bootstrap(), (0, ""))
        self.assertEqual((self.root / "asked").read_text(), asked)

    def test_of_another_hash_is_not_taken(self):
        self.tarball("far/1.9.0.tar.gz")
        self.pin(f"file://{self.root}/far/1.9.0.tar.gz", "0" * 64)
        code, said = self.bootstrap()
        self.assertEqual((code, self.taken()), (0, False))
        self.assertIn("no Highway 1.9.0 source", said)

    def test_that_cmake_fetched_for_a_tree_is_taken_from_there(self):
        place = "build-clang/_deps/highway-subbuild/highway-populate-prefix/src/1.9.0.tar.gz"
        self.pin("http://localhost:9/1.9.0.tar.gz", self.tarball(place))
        self.assertEqual((self.bootstrap()[0], self.taken()), (0, True))
        self.assertFalse((self.root / "asked").exists())


if __name__ == "__main__":
    unittest.main()
