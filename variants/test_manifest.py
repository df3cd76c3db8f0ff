"""Manifests: what is built, skipped or stale is said so, with a reason."""

import json
import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import manifest

ROW = {"title": "", "flags": "", "isa": "baseline", "lto": "none", "pgo": "none", "dispatch": "dynamic",
       "link": "dynamic", "strip": False, "post": "none", "group": "core", "guide_row": "JIT",
       "trained_by": "", "objects_of": "", "expected_target": "AVX2", "opt": ["-O2"], "defines": [], "buildable": True, "reason": ""}


class Manifest(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        root = pathlib.Path(self.scratch.name)
        self.source, self.build = root / "source", root / "source/build"
        (self.source / "engine").mkdir(parents=True)
        (self.source / "variants").mkdir()
        (self.source / "variants/variants.json").write_text("{}")
        (self.source / "engine/a.cc").write_text("")
        self.set_time(self.source / "variants/variants.json", 100)
        self.set_time(self.source / "engine/a.cc", 100)

    def tearDown(self):
        self.scratch.cleanup()

    @staticmethod
    def set_time(path, seconds):
        os.utime(path, (seconds, seconds))

    def rows(self, *rows):
        (self.build / "variants").mkdir(parents=True, exist_ok=True)
        (self.build / "variants/rows.json").write_text(json.dumps(
            {"schema": 1, "toolchain": "gcc", "compiler": "GCC 12.2.0", "variants": [{**ROW, **r} for r in rows]}))

    def built(self, name, confirmed):
        place = self.build / "variants" / name
        place.mkdir(parents=True)
        (place / "smallmind").write_text("")
        (place / "confirmed").touch()
        self.set_time(place / "confirmed", confirmed)

    def statuses(self):
        return {row["name"]: (row["status"], row["reason"])
                for row in manifest.manifest(self.source, self.build)["variants"]}

    def test_built_not_built_and_cannot_be_built(self):
        self.rows({"name": "o2"}, {"name": "o3"},
                  {"name": "bolt", "buildable": False, "reason": "needs bolt (package bolt-19)"},
                  {"name": "trainer", "group": "helper"})
        self.built("o2", 200)
        found = self.statuses()
        self.assertEqual(found["o2"], ("built", ""))
        self.assertEqual(found["o3"], ("skipped", "not built: cmake --build build --target variant-o3"))
        self.assertEqual(found["bolt"], ("skipped", "needs bolt (package bolt-19)"))
        self.assertNotIn("trainer", found)

    def test_a_binary_older_than_a_source_is_not_offered(self):
        self.rows({"name": "o2"})
        self.built("o2", 200)
        self.set_time(self.source / "engine/a.cc", 300)
        self.assertEqual(self.statuses()["o2"][0], "skipped")
        self.assertIn("older than the sources", self.statuses()["o2"][1])

    def test_a_newer_test_makes_no_variant_stale(self):
        self.rows({"name": "o2"})
        self.built("o2", 200)
        for name in ("a_test.cc", "testing.h", "a_testing.h"):
            (self.source / "engine" / name).write_text("")
            self.set_time(self.source / "engine" / name, 300)
        self.assertEqual(self.statuses()["o2"][0], "built")

    def test_build_seconds_sum_the_rows_own_steps_last_run_each(self):
        self.rows({"name": "o2"})
        self.built("o2", 200)
        (self.build / ".ninja_log").write_text(
            "# ninja log v5\n0\t9000\t0\tCMakeFiles/engine-o2.dir/engine/a.cc.o\tx\n"
            "0\t1500\t0\tCMakeFiles/engine-o2.dir/engine/a.cc.o\tx\n"
            "0\t700\t0\tvariants/o2/smallmind\tx\n0\t5000\t0\tCMakeFiles/engine-o2x.dir/engine/a.cc.o\tx\n")
        row = manifest.manifest(self.source, self.build)["variants"][0]
        self.assertEqual(row["build_seconds"], 2.2)

    def test_build_seconds_of_shared_objects_are_those_of_the_row_that_compiled_them(self):
        self.rows({"name": "static", "objects_of": "o2"})
        self.built("static", 200)
        (self.build / ".ninja_log").write_text(
            "# ninja log v5\n0\t1500\t0\tCMakeFiles/engine-o2.dir/engine/a.cc.o\tx\n"
            "0\t700\t0\tvariants/static/smallmind\tx\n0\t5000\t0\tvariants/o2/smallmind\tx\n")
        row = manifest.manifest(self.source, self.build)["variants"][0]
        self.assertEqual(row["build_seconds"], 2.2)


if __name__ == "__main__":
    unittest.main()
