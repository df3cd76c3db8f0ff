"""For tests of scripts: a tree of their own, and the tools around them played by shell scripts."""

import pathlib
import shutil
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class PlayedTools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name).resolve()
        (self.root / "scripts").mkdir()

    def take(self, name):
        """One of the project's scripts, in this tree."""
        return pathlib.Path(shutil.copy2(HERE / name, self.root / "scripts" / name))

    def play(self, name, text):
        """A program at `name` of this tree that does what the shell's `text` says."""
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
