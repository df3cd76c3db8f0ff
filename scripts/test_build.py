"""Which compiler scripts/build takes, and that it is alone in its tree, with CMake, the table and the compilers
played by shell scripts."""

import os
import shutil
import signal
import subprocess
import time
import unittest

import played_tools


class Build(played_tools.PlayedTools):
    def setUp(self):
        super().setUp()
        (self.root / "build" / "variants").mkdir(parents=True)
        self.take("build")
        self.play("scripts/bootstrap", "exit 0")
        self.play("bin/python", 'case $* in *--list-groups) echo mine all ;; *) echo o2 ;; esac')
        self.play("bin/cmake", f'echo "$*" >> {self.root}/asked')
        for name in ("g++", "g++-13"):
            self.play(f"bin/{name}", "echo 13")

    def configured_for(self, compiler, rows=""):
        (self.root / "build" / "build.ninja").write_text("")
        (self.root / "build" / "CMakeCache.txt").write_text(f"A:BOOL=ON\nCMAKE_CXX_COMPILER:STRING={compiler}\n")
        (self.root / "build" / "variants" / "rows.json").write_text(rows)

    def start(self, variants="o2", **environment):
        clean = {name: value for name, value in os.environ.items() if name != "CXX"}
        return subprocess.Popen([self.root / "scripts" / "build", "--variants", variants], stderr=subprocess.PIPE, text=True,
                                env={**clean, "PATH": f"{self.root}/bin:{clean['PATH']}",
                                     "PYTHON": f"{self.root}/bin/python", **environment})

    def build(self, **environment):
        """(exit code, what it said, what CMake was asked for first)"""
        with self.start(**environment) as process:
            said = process.communicate()[1]
        return process.returncode, said, (self.asked() or [""])[0]

    def asked(self):
        asked = self.root / "asked"
        return asked.read_text().splitlines() if asked.exists() else []


class Compiler(Build):
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

    def test_what_is_left_of_a_tree_is_configured_anew(self):
        for lost in ("build.ninja", "CMakeCache.txt", "variants/rows.json"):
            self.configured_for(self.root / "bin" / "g++-13")
            (self.root / "build" / lost).unlink()
            (self.root / "asked").unlink(missing_ok=True)
            code, said, asked = self.build()
            self.assertEqual((code, said), (0, ""), lost)
            self.assertIn("-DCMAKE_CXX_COMPILER=g++ ", asked, lost)


class Targets(Build):
    def test_the_table_says_what_is_a_group(self):
        self.build(variants="mine,o3")
        self.assertTrue(self.asked()[-1].endswith(" --target variants-mine variant-o3"), self.asked())


class Lock(Build):
    def test_a_second_build_waits_for_the_first_and_says_so(self):
        go = self.root / "go"
        self.play("bin/cmake", f'echo "$*" | tee -a {self.root}/asked\nuntil [ -e {go} ]; do sleep 0.02; done')
        first = self.start()
        while first.poll() is None and not self.asked():
            time.sleep(0.01)
        second = self.start()
        line = second.stderr.readline()
        asked = self.asked()
        self.play("bin/cmake", "exit 0")
        go.touch()
        first.communicate()
        said = second.communicate()[1]
        self.assertEqual((line, said), (f"build: waiting for another build in {self.root}/build\n", ""))
        self.assertEqual((len(asked), first.returncode, second.returncode), (1, 0, 0))

    def test_make_does_one_thing_after_the_other(self):
        shutil.copy2(played_tools.HERE.parent / "Makefile", self.root)
        for name in ("build", "plots"):
            self.play(f"scripts/{name}", f"echo begins >> {self.root}/asked\nsleep 0.2\necho ends >> {self.root}/asked")
        clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
        subprocess.run(["make", "-s", "-j", "2", "-C", self.root, "build", "plots"], check=True, env=clean)
        self.assertEqual(self.asked(), ["begins", "ends"] * 2)

    def test_what_outlives_a_build_does_not_hold_the_lock(self):
        for name in ("bin/cmake", "scripts/bootstrap"):
            self.play(name, f"sleep 10 >/dev/null 2>&1 &\necho $! >> {self.root}/left")
        self.assertEqual(self.build()[:2], (0, ""))
        try:
            self.assertEqual(self.build()[:2], (0, ""))
        finally:
            for left in (self.root / "left").read_text().split():
                os.kill(int(left), signal.SIGTERM)

    def test_without_flock_it_builds(self):
        tools = self.root / "tools"
        tools.mkdir()
        for name in ("bash", "cat", "dirname", "env", "grep", "mkdir", "nproc", "readlink", "sed", "sh"):
            os.symlink(shutil.which(name), tools / name)
        code, said, asked = self.build(PATH=f"{self.root}/bin:{tools}")
        self.assertEqual((code, said), (0, ""))
        self.assertIn("-DCMAKE_CXX_COMPILER=", asked)


if __name__ == "__main__":
    unittest.main()
