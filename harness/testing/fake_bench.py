"""A build directory whose variants are fakes that behave and misbehave as they are told: real processes for the tests
of the harness beside this file."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SMALLMIND_BUILD_DIR", ROOT / "build"))
FAKE = pathlib.Path(__file__).resolve().parent / "fake_variant.py"


class Bench:
    """A build directory with fake variants: name -> options of fake_variant.py."""

    def __init__(self, variants, skipped=None, dirty=False):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="harness-test-"))
        (self.root / "bin").mkdir()
        (self.root / "models").mkdir()
        for name in ("harness", "launcher"):
            shutil.copy2(BUILD / "bin" / name, self.root / "bin" / name)
        self.model = self.root / "models" / "tiny-q8_0.gguf"
        self.model.write_text("GGUF")
        rows = []
        for name, options in variants.items():
            folder = self.root / "variants" / name
            folder.mkdir(parents=True)
            script = folder / "smallmind"
            script.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E \'{FAKE}\' --name {name} {options} "$@"\n')
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
            rows.append({"name": name, "binary": f"variants/{name}/smallmind", "group": "core",
                         "status": "built", "flags": "-O2"})
        for name, reason in (skipped or {}).items():
            rows.append({"name": name, "status": "skipped", "reason": reason, "group": "extra"})
        manifest = {"schema": 1, "toolchain": "gcc", "compiler": "Fake", "git": "abc", "dirty": dirty,
                    "variants": rows}
        (self.root / "variants" / "manifest.json").write_text(json.dumps(manifest))

    def command(self, *arguments, models="tiny-q8_0"):
        plots = [] if arguments[:1] in (("gate",), ("selftest",)) else ["--no-plots"]
        return [str(self.root / "bin" / "harness"), *arguments, "--models", models, "--results-dir",
                str(self.root / "results"), *plots, "-t", "2", "-p", "8", "-n", "4", "-r", "2"]

    def run(self, *arguments, models="tiny-q8_0", **options):
        return subprocess.run(self.command(*arguments, models=models), capture_output=True,
                              text=True, timeout=120, cwd="/", **options)

    def resume(self, *arguments, directory=None):
        command = [str(self.root / "bin" / "harness"), "--no-plots", "--resume",
                   str(directory or self.directory()), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")

    def directory(self):
        (only,) = (path for path in (self.root / "results").iterdir() if path.name[0].isdigit())
        return only

    def directory_of(self, file):
        (only,) = (self.root / "results").glob(f"2*/{file}")
        return only

    def info(self):
        return json.loads((self.directory() / "run.json").read_text())

    def samples(self):
        lines = (self.directory() / "samples.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


class BenchTest(unittest.TestCase):
    def bench(self, variants, skipped=None, dirty=False):
        bench = Bench(variants, skipped, dirty)
        self.addCleanup(bench.close)
        return bench

    def gate(self, bench, *arguments):
        # Startup of a Python fake is the machine's mood; only what the fake controls is judged.
        return bench.run("gate", "--threshold", "startup_ms=100000", *arguments)
