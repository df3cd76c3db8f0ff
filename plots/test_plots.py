"""Every figure draws from a full run, leaves itself out of an empty one, and keeps its labels apart."""
import gzip
import importlib
import json
import os
import shutil
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import matplotlib  # noqa: F401
except ImportError:
    print("skipped: matplotlib is not installed (scripts/bootstrap installs it)")
    sys.exit(1 if os.environ.get("CI") == "true" else 0)

import all as all_figures  # noqa: E402
import load  # noqa: E402
import pareto  # noqa: E402
import size  # noqa: E402
import startup  # noqa: E402
import style  # noqa: E402
import synthetic  # noqa: E402
import trend  # noqa: E402

SPEEDS = {"o2": 1.0, "native": 1.25, "lto": 1.02, "pgo": 1.08, "size": 0.8, "tier0": 0.05, "production": 1.4,
          "native-pgo": 1.35, "native-lto": 1.27, "lto-pgo": 1.1, "o3": 1.0, "a-peer": 1.6}
# What make() cannot supply: these need the harness's own analysis, which the committed record has.
NEEDS_ANALYSIS = {"factorial", "roofline"}
REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "results", "reference")


class Figures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        synthetic.make(cls.folder.name, SPEEDS)
        cls.run_data = load.Run(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_torn_last_sample_is_ignored(self):
        self.assertEqual(len(self.run_data.samples), 12 * 6 * 2)

    def check_figure(self, name, run):
        figure = importlib.import_module(name).draw(run)
        self.assertIsNotNone(figure)
        figure.canvas.draw()
        for axis in figure.axes:
            self.assertTrue(axis.get_xlabel(), "an axis without a unit")
            boxes = [t.get_window_extent() for t in axis.get_yticklabels() if t.get_text()]
            boxes.sort(key=lambda b: b.y0)
            for below, above in zip(boxes, boxes[1:]):
                self.assertLessEqual(below.y1, above.y0 + 1.0, f"{name}: row labels overlap")
        style.plt.close(figure)

    def test_each_figure_draws_and_its_labels_do_not_overlap(self):
        for name in all_figures.FIGURES:
            if name not in NEEDS_ANALYSIS:
                with self.subTest(name):
                    self.check_figure(name, self.run_data)

    def test_each_figure_draws_from_the_committed_record(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(os.path.join(REFERENCE, "run.json"), folder)
            with gzip.open(os.path.join(REFERENCE, "samples.jsonl.gz")) as packed:
                with open(os.path.join(folder, "samples.jsonl"), "wb") as samples:
                    shutil.copyfileobj(packed, samples)
            run = load.Run(folder)
            self.assertGreater(len(run.samples), 100)
            for name in all_figures.FIGURES:
                with self.subTest(name):
                    self.check_figure(name, run)

    def test_two_workloads_of_a_model_are_panels_with_titles_of_their_own(self):
        regimes = [("stories15m-q8_0", "p8-n4-t2"), ("stories15m-q8_0", "p16-n4-t2")]
        with tempfile.TemporaryDirectory() as folder:
            synthetic.make(folder, {"o2": 1.0, "lto": 1.1}, regimes=regimes)
            run = load.Run(folder)
        one = {"estimate": 1.0, "low": 0.9, "high": 1.1}
        run.analysis["factorial"] = [
            {"model": m, "workload": w, "metric": metric, "toolchain": "gcc", "predicted": one, "measured": one,
             "effects": [{"name": "LTO", "interaction": False, "effect": {**one, "estimate": 1.0 + i / 10}}]}
            for i, (m, w) in enumerate(regimes) for metric in ("decode_tps", "prefill_tps")]
        run.analysis["roofline"] = [
            {"variant": v, "model": m, "workload": w, "work": work, "intensity": 2.0 + i, "achieved": 5.0 + i,
             "ceiling": 30.0, "ceiling_name": "read_gbps" if work == "decode" else "int8_gops"}
            for i, (m, w) in enumerate(regimes) for v in run.variants for work in ("decode", "prefill")]
        for name in all_figures.FIGURES:
            if name == "size":
                continue
            with self.subTest(name):
                figure = importlib.import_module(name).draw(run)
                titles = [axis.get_title() for axis in figure.axes]
                self.assertEqual(len(set(titles)), len(titles), titles)
                self.assertTrue(all("t2" in title for title in titles), titles)
                if name == "roofline":
                    for axis in figure.axes:
                        places = {(line.get_xdata()[0], line.get_ydata()[0]) for line in axis.lines
                                  if len(line.get_xdata()) == 1}
                        self.assertEqual(len(places), 2, "decode and prefill, both variants alike")
                if name == "factorial":
                    self.assertEqual([axis.texts[0].get_text() for axis in figure.axes],
                                     ["1.000", "1.100", "1.000", "1.100"])
                style.plt.close(figure)

    def test_the_front_is_the_harnesses(self):
        self.assertEqual(self.run_data.front(self.run_data.regimes[0]), {"o2", "native"})
        figure = pareto.draw(self.run_data)
        for axis in figure.axes:
            bold = {t.get_text() for t in axis.texts if t.get_fontweight() == "bold"}
            self.assertEqual(bold, {"o2", "native"})
        style.plt.close(figure)

    def test_wide_intervals_and_labels_lie_within_the_axes(self):
        exact = self.run_data.ratio

        def wide(*asked):
            ratio = exact(*asked)
            return {**ratio, "low": ratio["estimate"] - 0.5, "high": ratio["estimate"] + 0.7}

        with unittest.mock.patch.object(self.run_data, "ratio", wide):
            figure = pareto.draw(self.run_data)
        figure.canvas.draw()
        for axis, regime in zip(figure.axes, self.run_data.regimes):
            low, high = axis.get_ylim()
            for variant in ("native", "lto", "size", "production"):
                speed = exact(variant, regime, "decode_tps")["estimate"]
                self.assertLess(low, speed - 0.5)
                self.assertGreater(high, speed + 0.7)
            for text in axis.texts:
                self.assertTrue(low < text.xyann[1] < high, text.get_text())
        style.plt.close(figure)

    def test_writes_png_and_svg(self):
        drawn, left_out = all_figures.draw_all(self.folder.name, figures=["throughput"])
        self.assertEqual((drawn, left_out), (["throughput"], []))
        for ending in ("png", "svg"):
            path = os.path.join(self.folder.name, "plots", "throughput." + ending)
            self.assertGreater(os.path.getsize(path), 2000)

    def test_empty_run_draws_nothing_and_fails_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "run.json"), "w", encoding="utf-8") as f:
                json.dump({"schema": 1, "variants": [], "analysis": {}}, f)
            drawn, left_out = all_figures.draw_all(folder)
            self.assertEqual(drawn, [])
            self.assertFalse([n for n in left_out if "failed" in n])

    def test_wrong_command_and_missing_run(self):
        self.assertEqual(all_figures.main([]), 1)
        self.assertEqual(all_figures.main(["/nonexistent/run"]), 2)


class Parts(unittest.TestCase):
    def test_labels_keep_their_distance(self):
        placed = sorted(pareto.spread_labels([1.0, 1.1, 1.2, 9.0], 2.0))
        self.assertTrue(all(b - a >= 2.0 - 1e-9 for a, b in zip(placed, placed[1:])))
        self.assertEqual(pareto.spread_labels([8.0, 9.0], 2.0, 0.0, 9.0), [7.0, 9.0])
        self.assertEqual(pareto.spread_labels([1.0, 1.0], 2.0, 1.0, 9.0), [1.0, 3.0])

    def test_sections_add_up_to_the_stripped_size(self):
        parts = size.parts({".text": 70, ".text.hot": 5, ".rodata": 20, ".symtab": 50, ".debug_info": 99, ".bss": 7},
                           110)
        self.assertEqual(parts[0], 75)
        self.assertEqual(sum(parts), 110)

    def test_phases_are_instants_and_bars_are_lengths(self):
        lengths = startup.phase_lengths([{"phases": {"exec_to_main_ms": 1.0, "mapped_ms": 1.5, "tokenizer_ms": 3.5,
                                                     "ready_ms": 4.0}}])
        self.assertEqual([lengths[k] for k, *_ in startup.PHASES if k in lengths], [1.0, 0.5, 2.0, 0.5])

    def test_colours_are_stable_and_known_ones_differ(self):
        self.assertEqual(style.colour("clang/native"), style.colour("native"))
        self.assertEqual(style.colour("some-peer"), style.colour("some-peer"))
        known = [style.colour(n) for n in ("o2", "native", "lto", "pgo", "size", "native-pgo", "production")]
        self.assertEqual(len(set(known)), len(known))

    def test_one_slow_variant_does_not_squeeze_the_rest(self):
        self.assertEqual(style.ordinary([10, 11, 12, 500]), 12)
        self.assertEqual(style.ordinary([10, 20]), 20)

    def test_an_interval_without_both_ends_has_no_arm(self):
        self.assertEqual(style.interval(2.0, 1.5, 3.0), (0.5, 1.0))
        for low, high in ((None, None), (0.0, None), (1.5, float("inf"))):
            self.assertEqual(style.interval(2.0, low, high), (0, 0))

    def test_trend_needs_two_entries(self):
        entry = {"git": "abc", "points": [{"variant": "o2", "model": "m", "metric": "decode_tps", "value": 5.0}],
                 "changes": [{"variant": "o2", "model": "m", "metric": "decode_tps", "index": 1}]}
        self.assertIsNone(trend.draw_entries([entry]))
        figure = trend.draw_entries([entry, entry])
        self.assertIsNotNone(figure)
        style.plt.close(figure)

    def test_trend_does_not_join_workloads(self):
        entries = [{"git": git, "points": [{"variant": "o2", "model": "m", "workload": w, "metric": "decode_tps",
                                            "value": value} for w, value in points.items()]}
                   for git, points in (("a", {"p128": 5.0}), ("b", {"p8": 50.0}), ("c", {"p128": 5.1}))]
        figure = trend.draw_entries(entries)
        self.assertEqual([axis.get_title() for axis in figure.axes], ["m, p128", "m, p8"])
        self.assertEqual([list(axis.lines[0].get_ydata()) for axis in figure.axes], [[5.0, 5.1], [50.0]])
        style.plt.close(figure)


if __name__ == "__main__":
    unittest.main()
