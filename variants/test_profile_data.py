"""Profiles as the compilers print them, and the coverage of one by another, on small known examples."""

import pathlib
import sys
import tempfile
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import profile_data
import train

GCOV = """\
3267
a/x.cc.gcda:data:magic `gcda':version `B22*'
a/x.cc.gcda:  a1000000:   8:OBJECT_SUMMARY runs=1, sum_max=100
a/x.cc.gcda:  01000000:  12:FUNCTION ident=7, lineno_checksum=0xf5a9ce26, cfg_checksum=0xe34eb1cf
a/x.cc.gcda:    01a10000:  32:COUNTERS arcs 10 counts
a/x.cc.gcda:                   0: 1 66 100 1 0 0 0 0 
a/x.cc.gcda:                   8: 5 6 
a/x.cc.gcda:    01af0000:   8:COUNTERS time_profiler 1 counts
a/x.cc.gcda:                   0: 999 
a/x.cc.gcda:  01000000:  12:FUNCTION ident=9, lineno_checksum=0x6ad78179, cfg_checksum=0x8ef99902
a/x.cc.gcda:    01a10000:  32:COUNTERS arcs 2 counts (all zero)
a/x.cc.gcda:                   0: 0 0 
"""
LLVM = """\
# IR level Instrumentation Flag
:ir
_Z5neveri
# Func Hash:
134
# Num Counters:
2
# Counter Values:
0
0

main
# Func Hash:
334
# Num Counters:
3
# Counter Values:
0
100
34

"""


class Parsing(unittest.TestCase):
    def test_gcov_dump_gives_arc_counters_and_nothing_else(self):
        self.assertEqual(profile_data.parse_gcov_dump(GCOV),
                         {("a/x.cc.gcda", "7"): [1, 66, 100, 1, 0, 0, 0, 0, 5, 6], ("a/x.cc.gcda", "9"): [0, 0]})

    def test_llvm_text_is_keyed_by_symbol_and_hash(self):
        self.assertEqual(profile_data.parse_llvm_text(LLVM),
                         {("_Z5neveri", "134"): [0, 0], ("main", "334"): [0, 100, 34]})


class Covering(unittest.TestCase):
    def test_work_is_weighed_by_edge_counts(self):
        training = {"f": [10, 0], "g": [0], "h": [5]}
        evaluation = {"f": [90, 6], "g": [4], "h": [0]}
        result = profile_data.coverage(training, evaluation)
        self.assertAlmostEqual(result.work_share, 0.9)  # 90 of 100 on f's first edge; its second was not trained
        self.assertEqual((result.functions, result.trained, result.evaluated, result.evaluated_trained), (3, 2, 2, 1))

    def test_a_function_unknown_to_the_training_counts_as_uncovered(self):
        self.assertEqual(profile_data.coverage({}, {"f": [3]}).work_share, 0.0)

    def test_an_evaluation_that_did_nothing_is_not_covered(self):
        self.assertEqual(profile_data.coverage({"f": [3]}, {"f": [0]}).work_share, 0.0)


class LayingOut(unittest.TestCase):
    def test_each_user_finds_the_counts_under_its_own_objects_names(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            source = folder / "raw/b/CMakeFiles/engine-t.dir/engine/x.cc.gcda"
            source.parent.mkdir(parents=True)
            source.write_text("counts")
            self.assertEqual(train.lay_out_gcc(folder / "raw", folder / "out", "t", ["pgo", "lto-pgo"]), 2)
            self.assertEqual((folder / "out/pgo/#b#CMakeFiles#engine-pgo.dir#engine#x.cc.gcda").read_text(), "counts")
            self.assertTrue((folder / "out/lto-pgo/#b#CMakeFiles#engine-lto-pgo.dir#engine#x.cc.gcda").exists())


class Training(unittest.TestCase):
    """train.py against a program that is a shell script: what it says of runs that leave nothing."""

    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.build = pathlib.Path(self.scratch.name)
        place = self.build / "variants" / "t"
        place.mkdir(parents=True)
        self.binary = place / "smallmind"
        (self.build / "pgo" / "t").mkdir(parents=True)
        self.model = self.build / "m.gguf"
        self.model.write_text("model")

    def tearDown(self):
        self.scratch.cleanup()

    def train(self, script, users=("u",), tool="false"):
        self.binary.write_text("#!/bin/sh\n" + script)
        self.binary.chmod(0o755)
        train.train(types.SimpleNamespace(build_dir=self.build, trainer="t", users=list(users), toolchain="gcc",
                                          tool=tool, models=[str(self.model)]))

    def test_a_run_without_counts_is_an_error(self):
        with self.assertRaisesRegex(train.TrainingError, "empty profile"):
            self.train("exit 0\n")
        self.assertFalse((self.build / "pgo/t/profile_stamp.h").exists())

    def test_a_failing_run_is_an_error_that_quotes_it(self):
        with self.assertRaisesRegex(train.TrainingError, "ended with 2: smallmind: no such model"):
            self.train("echo 'smallmind: no such model' >&2; exit 2\n")

    def counting(self):
        """(a program that notes its runs down and leaves counts, a tool that reads them, those runs)"""
        counts = pathlib.Path("b/CMakeFiles/engine-t.dir/x.cc.gcda")
        runs = self.build / "runs"
        program = (f"echo run >> {runs}\nmkdir -p \"$GCOV_PREFIX/{counts.parent}\"\n"
                   f"echo counts > \"$GCOV_PREFIX/{counts}\"\n")
        tool = self.build / "gcov-dump"
        tool.write_text(f"#!/bin/sh\ncat <<'END'\n{GCOV}END\n")
        tool.chmod(0o755)
        return program, str(tool), lambda: len(runs.read_text().splitlines())

    def test_a_new_user_finds_a_profile_in_a_trained_tree(self):
        program, tool, runs = self.counting()
        for _ in range(2):
            self.train(program, ["u", "v"], tool)
        self.assertEqual(runs(), 2)  # training and evaluation, once
        self.train(program, ["v", "u"], tool)
        self.assertEqual(runs(), 2)
        self.train(program, ["u", "v", "new"], tool)
        self.assertTrue((self.build / "pgo/t/new/#b#CMakeFiles#engine-new.dir#x.cc.gcda").exists())

    def test_what_a_broken_training_overwrote_is_not_believed(self):
        program, tool, runs = self.counting()
        self.train(program, tool=tool)
        self.model.write_text("another model")
        with self.assertRaises(train.TrainingError):
            self.train(program + "exit 9\n", tool=tool)
        self.model.write_text("model")
        self.train(program, tool=tool)
        self.assertEqual(runs(), 2 + 1 + 2)

    def test_a_training_that_ends_before_its_stamp_is_not_believed(self):
        program, tool, runs = self.counting()
        stamp = self.build / "pgo/t/profile_stamp.h"
        stamp.mkdir()
        with self.assertRaises(OSError):
            self.train(program, tool=tool)
        stamp.rmdir()
        stamp.write_text("of an earlier profile")
        self.train(program, tool=tool)
        self.assertEqual(runs(), 2 + 2)


if __name__ == "__main__":
    unittest.main()
