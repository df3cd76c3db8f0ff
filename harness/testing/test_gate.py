"""The harness end to end: gates against binaries, baselines and stored figures, and the selftest."""

import json
import shutil
import signal
import subprocess
import unittest

from fake_bench import BenchTest


class GateTest(BenchTest):
    def test_a_budget_ends_a_run_and_a_gate_early(self):
        bench = self.bench({"o2": "--sleep 0.3"})
        other = ["--against-binary", str(bench.root / "variants" / "o2" / "smallmind")]
        for command in ([], ["gate", *other]):
            result = bench.run(*command, "--budget", "1")
            self.assertIn(result.returncode, (0, 4), result.stdout + result.stderr)
            info = bench.info()
            self.assertEqual(info["status"], "budget")
            self.assertTrue(1 <= info["rounds_done"] <= 3, info["status_reason"])
            shutil.rmtree(bench.directory())

    def test_a_pair_measures_ceilings_at_both_ends_alone(self):
        bench = self.bench({"o2": ""})
        other = ["--against-binary", str(bench.root / "variants" / "o2" / "smallmind")]
        self.gate(bench, *other, "--rounds", "5")
        self.assertEqual(sorted({c["round"] for c in bench.info()["ceilings"]}), [0, 4])

    def test_gate_against_a_binary(self):
        bench = self.bench({"o2": ""})
        other = ["--against-binary", str(bench.root / "variants" / "o2" / "smallmind")]
        for extra, code in ((["--rounds", "15"], 0), (["--rounds", "15", "--inject", "o2=5"], 3),
                            (["--rounds", "2"], 4), (["--rounds", "15", "--inject", "o2@before=9"], 0)):
            result = self.gate(bench, *other, *extra)
            self.assertEqual(result.returncode, code, f"{extra}\n{result.stdout}\n{result.stderr}")

    def test_gate_against_a_baseline_runs_its_binary_again(self):
        bench = self.bench({"o2": ""})
        first = self.gate(bench, "--rounds", "15", "--save-baseline", "default")
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertIn("none to compare with", first.stderr)
        for extra, code in (([], 0), (["--inject", "o2=5"], 3), (["--inject", "o2@default=9"], 0)):
            result = self.gate(bench, "--rounds", "15", *extra)
            self.assertEqual(result.returncode, code, f"{extra}\n{result.stdout}\n{result.stderr}")
            self.assertIn("o2 against o2@default", result.stdout)
        self.assertEqual(self.gate(bench, "--rounds", "2").returncode, 4)
        missing = self.gate(bench, "--baseline", "nosuch")
        self.assertEqual((missing.returncode, missing.stderr.count("\n")), (2, 1))

    def test_a_bad_run_replaces_no_baseline(self):
        bench = self.bench({"o2": "", "crash": "--mode crash"})
        saved = bench.root / "results" / "baselines" / "default" / "run.json"
        bad = ["--rounds", "2", "--retries", "0", "--save-baseline", "default"]
        result = bench.run(*bad)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("baseline default is not saved: no usable sample of crash", result.stderr)
        self.assertFalse(saved.exists())
        first = self.gate(bench, "--rounds", "15", "--save-baseline", "default")
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        kept = saved.read_text()
        slow = self.gate(bench, "--rounds", "15", "--inject", "o2=9", "--save-baseline", "default")
        self.assertEqual(slow.returncode, 3, slow.stdout + slow.stderr)
        self.assertIn("baseline default is not saved: a regression", slow.stderr)
        self.assertEqual(saved.read_text(), kept)
        unsure = self.gate(bench, "--rounds", "2", "--save-baseline", "default")
        self.assertEqual(unsure.returncode, 4, unsure.stdout + unsure.stderr)
        self.assertIn("baseline default is not saved: inconclusive: more rounds", unsure.stderr)
        self.assertEqual(saved.read_text(), kept)
        process = subprocess.Popen(bench.command("gate", "--rounds", "1000", "--save-baseline", "default"),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith("round 3:"):
                process.send_signal(signal.SIGINT)
                break
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("baseline default is not saved: interrupted", err)
        self.assertEqual(saved.read_text(), kept)

    def test_gate_against_stored_figures(self):
        bench = self.bench({"o2": ""})
        self.assertEqual(bench.run("--rounds", "24", "--save-baseline", "default").returncode, 0)
        # Only the figures' own 1 % noise and the machine's measured speed lie between the runs.
        same = self.gate(bench, "--rounds", "24", "--figures-only")
        self.assertIn(same.returncode, (0, 4), same.stdout + same.stderr)
        self.assertIn("Unpaired", same.stdout)
        slow = self.gate(bench, "--rounds", "24", "--figures-only", "--inject", "o2=40")
        self.assertEqual(slow.returncode, 3, slow.stdout + slow.stderr)
        rounds = {c["round"] for c in json.loads((bench.root / "results" / "baselines" / "default" /
                                                  "run.json").read_text())["ceilings"]}
        self.assertTrue({0, 23} <= rounds and len(rounds) >= 5,
                        f"a saved baseline has ceilings all along the run, not of {sorted(rounds)} alone")

    def test_a_run_against_a_baseline_exits_as_it_is_judged(self):
        bench = self.bench({"o2": ""})
        self.assertEqual(bench.run("--rounds", "24", "--save-baseline", "x").returncode, 0)
        saved = (bench.root / "results" / "baselines" / "x" / "run.json").read_text()
        for extra, code in ((["--rounds", "24", "--inject", "o2=40"], 3), (["--rounds", "2"], 4)):
            result = bench.run(*extra, "--baseline", "x", "--save-baseline", "x")
            self.assertEqual(result.returncode, code, result.stdout + result.stderr)
            self.assertIn("baseline x is not saved", result.stderr)
        unwritable = bench.run("--rounds", "2", "--save-baseline", "y", "--export-json", "/nonexistent/f")
        self.assertEqual(unwritable.returncode, 1, unwritable.stderr)
        self.assertTrue((bench.root / "results" / "baselines" / "y" / "run.json").exists())
        self.assertEqual((bench.root / "results" / "baselines" / "x" / "run.json").read_text(), saved)

    def test_different_output_fails_the_gate_and_is_not_ranked(self):
        bench = self.bench({"o2": "", "wrong": "--output x"})
        result = bench.run("--rounds", "5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("!", result.stdout)
        wrong = str(bench.root / "variants" / "wrong" / "smallmind")
        gate = self.gate(bench, "--rounds", "5", "--against-binary", wrong)
        self.assertEqual(gate.returncode, 3, gate.stdout)
        self.assertIn("output differs", gate.stdout)

    def test_selftest_draws_an_operating_curve(self):
        bench = self.bench({"o2": ""})
        result = bench.run("selftest", "--rounds", "12", "--comparisons", "200")
        self.assertIn(result.returncode, (0, 4), result.stdout + result.stderr)
        curve = json.loads((bench.directory_of("selftest.json")).read_text())
        rounds = [point["rounds"] for point in curve["curve"]]
        # A busy machine leaves fewer clean rounds than the twelve measured.
        self.assertEqual(rounds, [n for n in (5, 8, 12) if n < rounds[-1]] + rounds[-1:])
        self.assertTrue(5 <= rounds[-1] <= 12, rounds)
        if rounds[-1] == 12:
            self.assertGreater(curve["curve"][-1]["power"][-1]["power"], 0.9)
        kept = list((bench.root / "results" / "selftest").iterdir())
        self.assertEqual(len(kept), 1)

    def test_selftest_refuses_a_run_of_several_workloads(self):
        bench = self.bench({"o2": ""})
        command = ["8,9" if word == "8" else word for word in bench.command("--rounds", "1")]
        subprocess.run(command, capture_output=True, check=True)
        result = subprocess.run([str(bench.root / "bin" / "harness"), "selftest", "--from", str(bench.directory())],
                                capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr.count("\n")), (2, 1), result.stderr)
        self.assertIn("2 workloads; is this a selftest's run?", result.stderr)


if __name__ == "__main__":
    unittest.main()
