"""Flags of the environment and of the command line stay out of the variants: a project of one file."""

import os
import pathlib
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = f"""cmake_minimum_required(VERSION 3.25)
include({HERE}/foreign_flags.cmake)
project(one LANGUAGES CXX)
smallmind_refuse_foreign_flags()
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_executable(one one.cc)
"""


class ForeignFlags(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "CMakeLists.txt").write_text(PROJECT)
        (self.root / "one.cc").write_text("int main() {}\n")

    def configure(self, *options, **environment):
        """(exit code, what CMake said, the files that say how to compile and link)"""
        clean = {name: value for name, value in os.environ.items()
                 if name not in ("CXXFLAGS", "LDFLAGS", "CMAKE_BUILD_TYPE")}
        done = subprocess.run(["cmake", "-S", self.root, "-B", self.root / "build", "-G", "Ninja", *options],
                              capture_output=True, text=True, check=False, env={**clean, **environment})
        files = [self.root / "build" / name for name in ("compile_commands.json", "build.ninja")]
        return done.returncode, done.stdout + done.stderr, "".join(f.read_text() for f in files if f.exists())

    def test_those_of_the_environment_are_left_out_and_named(self):
        code, said, made = self.configure(CXXFLAGS="-funroll-loops", LDFLAGS="-Wl,--gc-sections",
                                          CMAKE_BUILD_TYPE="Release")
        self.assertEqual(code, 0, said)
        for name, flag in (("CXXFLAGS", "-funroll-loops"), ("LDFLAGS", "--gc-sections"), ("CMAKE_BUILD_TYPE", "-O3")):
            self.assertIn(f"{name}=", said)
            self.assertNotIn(flag, made)

    def test_those_of_the_command_line_are_refused(self):
        for option in ("CMAKE_CXX_FLAGS=-funroll-loops", "CMAKE_EXE_LINKER_FLAGS=-s", "CMAKE_BUILD_TYPE=Release"):
            code, said, _ = self.configure(f"-D{option}", "--fresh")
            self.assertNotEqual(code, 0, option)
            self.assertIn(option, said)

    def test_without_any_nothing_is_said(self):
        code, said, _ = self.configure()
        self.assertEqual(code, 0, said)
        self.assertNotIn("left out", said)


if __name__ == "__main__":
    unittest.main()
