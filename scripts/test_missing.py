"""What scripts say and return where something is not there, with the tools around them played by shell scripts."""

import os
import shutil
import subprocess
import sys
import unittest

import played_tools


class Missing(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        (self.root / "results" / "reference").mkdir(parents=True)
        self.said = self.root / "said"

    def tool(self, name, text):
        """Played, and noted down with its arguments."""
        self.play(name, f'echo "{name.rpartition("/")[2]} $*" >> {self.said}\n{text}')

    def run_script(self, name, *options, path=None):
        """(exit code, its standard error, what the played tools were asked for)"""
        script = self.take(name)
        path = path or f"{self.root}/bin:{os.environ['PATH']}"
        done = subprocess.run([script, *options], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, "PATH": path})
        return done.returncode, done.stderr, self.said.read_text() if self.said.exists() else ""

    def test_a_gate_without_its_compiler_is_no_regression(self):
        self.tool("scripts/build", "exit 3")
        self.assertEqual(self.run_script("gate", "--toolchain", "clang")[0], 1)

    def test_plots_without_a_run_say_what_makes_one(self):
        code, said, _ = self.run_script("plots")
        self.assertEqual((code, said), (1, "plots: no run in results/; make compare makes one\n"))

    def test_style_of_no_file_is_no_success(self):
        self.tool("bin/clang-format-14", "echo version 14.0")
        code, said, _ = self.run_script("check_style")
        self.assertNotEqual(code, 0)
        self.assertNotIn("0 files", said)

    def test_style_names_each_file_once_and_leaves_none(self):
        (self.root / "a.cc").write_text("")
        for command in (("init", "-q"), ("add", "a.cc")):
            subprocess.run(["git", *command], cwd=self.root, check=True)
        self.play("bin/clang-format-14", """[ "$1" != --version ] || { echo "clang-format version 14.0"; exit; }
        echo "a.cc:1:1: error: code should be clang-formatted [-Wclang-format-violations]" >&2
        echo "a.cc:2:1: error: code should be clang-formatted [-Wclang-format-violations]" >&2
        exit 1""")
        kept = self.root / "format.log"
        kept.write_text("of somebody else")
        script = self.take("check_style")
        before = sorted(self.root.iterdir())
        done = subprocess.run([script], capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stdout), (1, "format: a.cc\n"))
        self.assertEqual((kept.read_text(), sorted(self.root.iterdir())), ("of somebody else", before))

    def test_a_reference_without_a_browser_ends_before_it_measures(self):
        self.tool("scripts/compare", "exit 0")
        self.take("screenshots")
        kept = self.root / "results" / "reference" / "run.json"
        kept.write_text("{}")
        os.symlink(sys.executable, self.root / "python3")
        os.symlink(shutil.which("env"), self.root / "env")
        code, said, asked = self.run_script("reference", path=str(self.root))
        self.assertEqual((code, asked, kept.read_text()), (1, "", "{}"))
        self.assertIn("needs Chromium", said)

    def test_an_architecture_that_apt_cannot_serve_is_taken_back(self):
        self.tool("bin/dpkg-query", "exit 1")
        self.tool("bin/dpkg", "[ \"$1\" != --print-architecture ] || echo amd64")
        self.tool("bin/apt-get", "exit 100")
        self.tool("bin/id", "echo 0")
        (self.root / "variants").mkdir()
        (self.root / "variants" / "highway.cmake").write_text("")
        code, said, asked = self.run_script("bootstrap", "--with", "aarch64")
        self.assertEqual(code, 1)
        self.assertIn("apt's sources have no arm64", said)
        self.assertIn("dpkg --remove-architecture arm64", asked)
        self.assertNotIn("install", asked)


if __name__ == "__main__":
    unittest.main()
