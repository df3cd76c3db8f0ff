"""--help of the shell scripts is the comment that they begin with; make's words mean what they say."""

import os
import re
import subprocess
import unittest

import played_tools

HERE = played_tools.HERE


def scripts():
    """(path, text) of those that print lines of themselves."""
    for path in sorted(HERE.iterdir()):
        if path.is_file() and not path.suffix:
            text = path.read_text(encoding="utf-8")
            if text.startswith("#!/usr/bin/env bash") and "--help)" in text:
                yield path, text


class Help(unittest.TestCase):
    def test_is_the_whole_comment(self):
        found = list(scripts())
        self.assertGreater(len(found), 4)
        for path, text in found:
            with self.subTest(script=path.name):
                comment = re.match(r"#!.*\n((?:#.*\n)+)", text)[1]
                said = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
                self.assertEqual(said, re.sub(r"(?m)^# ?", "", comment))

    def test_of_bootstrap_names_every_set_of_packages(self):
        text = (HERE / "bootstrap").read_text(encoding="utf-8")
        said = subprocess.run([HERE / "bootstrap", "--help"], capture_output=True, text=True, check=True).stdout
        for name in re.findall(r"(?m)^ +([a-z0-9]+)\) packages\+=", text):
            self.assertIn(f"[--with {name}]", said)


class Make(unittest.TestCase):
    def recipe(self, verb, *words):
        clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "QUICK")}
        return subprocess.run(["make", "-n", "-C", HERE.parent, verb, *words], capture_output=True, text=True,
                              check=True, env=clean).stdout

    def test_quick_can_be_turned_off(self):
        for verb in ("compare", "gate"):
            for word in ("QUICK=1", "QUICK=yes"):
                self.assertIn(" --quick", self.recipe(verb, word))
            for words in ((), ("QUICK=",), ("QUICK=0",), ("QUICK=no",)):
                self.assertNotIn(" --quick", self.recipe(verb, *words))


if __name__ == "__main__":
    unittest.main()
