"""Which compiler scripts/build takes, with CMake, the table and the compilers played by shell scripts."""

import os
import subprocess
import unittest

import played_tools


class Compiler(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        (self.root / "build" / "variants").mkdir(parents=True)
        self.take("build")
        self.play("scripts/bootstrap", "exit 0")
        self.play("bin/python", "echo o2")
        self.play("bin/cmake", f'echo "$*" >> {self.root}/asked')
        for name in ("g++", "g++-13"):
            self.play(f"bin/{name}", "echo 13")

    def configured_for(self, compiler, rows=""):
        (self.root / "build" / "build.ninja").write_text("")
        (self.root / "build" / "CMakeCache.txt").write_text(f"A:BOOL=ON\nCMAKE_CXX_COMPILER:STRING={compiler}\n")
        (self.root / "build" / "variants" / "rows.json").write_text(rows)

    def build(self, **environment):
        """(exit code, what it said, what CMake was asked for first)"""
        clean = {name: value for name, value in os.environ.items() if name != "CXX"}
        done = subprocess.run([self.root / "scripts" / "build", "--variants", "o2"], capture_output=True, text=True,
                              check=False, env={**clean, "PATH": f"{self.root}/bin:{clean['PATH']}",
                                                "PYTHON": f"{self.root}/bin/python", **environment})
        asked = self.root / "asked"
        return done.returncode, done.stderr, asked.read_text().splitlines()[0] if asked.exists() else ""

    def test_a_new_tree_takes_the_one_that_is_asked_for(self):
        self.assertIn("-DCMAKE_CXX_COMPILER=g++-13 ", self.build(CXX="g++-13")[2])

    def test_a_tree_of_another_compiler_is_refused_in_one_line(self):
        self.configured_for(self.root / "bin" / "g++")
        code, said, asked = self.build(CXX="g++-13")
        self.assertEqual((code, said.count("\n"), asked), (1, 1, ""))
        self.assertIn("not CXX=g++-13: remove that folder first", said)

    def test_a_tree_keeps_its_compiler(self):
        self.configured_for(self.root / "bin" / "g++-13", '"buildable": false')
        for environment in ({}, {"CXX": "g++-13"}, {"CXX": "clang++"}):  # the last one is for the other toolchain
            code, said, asked = self.build(**environment)
            self.assertEqual(code, 0, said)
            self.assertIn(f"-DCMAKE_CXX_COMPILER={self.root}/bin/g++-13 ", asked)


if __name__ == "__main__":
    unittest.main()
