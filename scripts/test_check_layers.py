"""The layer check finds each kind of fault, and lets the allowed includes pass."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

PATH = pathlib.Path(__file__).resolve().parent / "check_layers"
loader = importlib.machinery.SourceFileLoader("check_layers", str(PATH))
layers = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_layers", loader))
loader.exec_module(layers)


class Faults(unittest.TestCase):
    def test_downward_includes_pass(self):
        for path, included in [("engine/kernels/vector_kernels.cc", "engine/tensor/view.h"),
                               ("engine/kernels/vector_kernels.cc", "hwy/highway.h"),
                               ("engine/kernels/vector_kernels.cc", "engine/kernels/order.h"),
                               ("engine/session.h", "engine/model/model.h"),
                               ("engine/cli/bench.cc", "engine/session.h"),
                               ("engine/model/pass.cc", "vector"),
                               ("harness/runner.cc", "harness/plan.h"),
                               ("harness/runner.cc", "nlohmann/json.hpp")]:
            self.assertIsNone(layers.fault(path, included), (path, included))

    def test_upward_and_sideways_includes_do_not(self):
        for path, included in [("engine/kernels/vector_kernels.cc", "engine/model/model.h"),
                               ("engine/base/error.h", "engine/tensor/view.h"),
                               ("engine/sampler/sampler.h", "engine/tensor/view.h"),
                               ("engine/runtime/pool.cc", "engine/kernels/ops.h"),
                               ("engine/model/model.h", "engine/session.h"),
                               ("engine/session.cc", "engine/cli/command.h")]:
            self.assertIn("may include only", layers.fault(path, included) or "", (path, included))

    def test_highway_stays_in_the_kernels(self):
        self.assertIn("Highway", layers.fault("engine/model/pass.cc", "hwy/highway.h"))
        self.assertIn("Highway", layers.fault("harness/runner.cc", "hwy/highway.h"))

    def test_harness_and_engine_are_strangers(self):
        self.assertIn("processes", layers.fault("harness/runner.cc", "engine/base/error.h"))
        self.assertIn("does not know", layers.fault("engine/cli/bench.cc", "harness/record.h"))

    def test_a_new_folder_must_get_a_layer(self):
        self.assertIn("is no layer", layers.fault("engine/magic/x.cc", "engine/base/error.h"))


class Tree(unittest.TestCase):
    def test_faults_are_found_in_files_with_their_line(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "engine/base").mkdir(parents=True)
            (root / "engine/base/a.cc").write_text('#include <vector>\n#  include "engine/cli/command.h"\n')
            self.assertEqual([line.split(":")[:2] for line in layers.check(root)], [["engine/base/a.cc", "2"]])

    def test_the_repository_is_clean(self):
        self.assertEqual(layers.check(PATH.parent.parent), [])


if __name__ == "__main__":
    unittest.main()
