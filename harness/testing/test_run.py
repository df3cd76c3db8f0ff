"""The harness end to end: what a run measures, keeps, marks and reports, with fake variants."""

import json
import os
import subprocess
import sys
import unittest

from fake_bench import BenchTest, FAKE


class RunTest(BenchTest):
    def test_runs_from_any_directory_and_keeps_every_sample(self):
        bench = self.bench({"o2": "", "lto": "--slowdown -10"}, {"bolt": "needs package bolt-19"})
        result = bench.run("--variants", "all", "--rounds", "4", "--seed", "7")
        self.assertEqual(result.returncode, 0, result.stderr)
        info, samples = bench.info(), bench.samples()
        self.assertEqual(info["status"], "complete")
        self.assertEqual(info["plan"]["seed"], "7")
        self.assertEqual(info["rounds_done"], 4)
        self.assertEqual(len(samples), 2 * (4 + 1))
        self.assertEqual(sum(s["warmup"] for s in samples), 2)
        self.assertEqual([s["id"] for s in samples], list(range(10)))
        self.assertTrue(all(s["status"] == "ok" for s in samples))
        self.assertEqual(samples[-1]["metrics"].keys() >= {"startup_ms", "decode_tps"}, True)
        self.assertIn("needs package bolt-19", result.stderr)
        # Each position once over a square of two rounds.
        orders = [[s["variant"] for s in samples if s["round"] == r] for r in range(4)]
        self.assertNotEqual(orders[0], orders[1])
        self.assertNotEqual(orders[2], orders[3])

    def test_instructions_are_counted_where_counters_are_hidden(self):
        bench = self.bench({"o2": "", "size": "", "crash": "--mode crash"})
        tool = bench.root / "tools" / "valgrind"
        tool.parent.mkdir()
        tool.write_text(f"""#!{sys.executable}
import subprocess, sys
binary, words = sys.argv[3], sys.argv[4:]
status = subprocess.run([binary, *words], stdout=subprocess.DEVNULL).returncode
value = lambda flag: int(words[words.index(flag) + 1])
each = 200 if "size" in binary else 100
sys.stderr.write(f"==1== Collected : {{1000 + 10 * value('-p') + each * value('-n')}}\\n")
sys.exit(min(abs(status), 1))
""")
        tool.chmod(0o755)
        path = f"{tool.parent}:{os.environ['PATH']}"
        result = bench.run("--rounds", "2", "--warmup", "0", "--retries", "0", "--instructions",
                           env={**os.environ, "PATH": path})
        info = bench.info()
        if info["environment"]["hardware_counters"] == "available":
            self.assertEqual(info["instructions"], [])
            return
        self.assertIn("counting instructions", result.stderr)
        counts = {c["variant"]: c for c in info["instructions"]}
        self.assertEqual((counts["o2"]["prefill"], counts["o2"]["decode"]), (10, 100))
        self.assertEqual((counts["size"]["prefill"], counts["size"]["decode"]), (10, 200))
        self.assertEqual(counts["crash"]["reason"], "exit code 1 under valgrind")
        self.assertEqual(counts["crash"]["decode"], -1)
        ratios = {(r["variant"], r["work"]): r for r in info["analysis"]["instructions"]}
        self.assertEqual(ratios["size", "decode"]["ratio"], 2)
        self.assertIn("size executes 2.00 times o2's instructions a generated token",
                      ratios["size", "decode"]["sentence"])
        report = (bench.directory() / "report.md").read_text()
        self.assertIn("size executes 2.00 times", report)
        self.assertIn("exit code 1 under valgrind", report)

    def test_same_seed_same_order(self):
        orders = []
        for _ in range(2):
            bench = self.bench({"o2": "", "a": "", "b": ""})
            bench.run("--rounds", "3", "--seed", "11")
            orders.append([(s["round"], s["variant"], s["env_bytes"]) for s in bench.samples()])
        self.assertEqual(orders[0], orders[1])

    def test_peers_join_the_rounds_and_may_die(self):
        bench = self.bench({"o2": ""})
        llama = json.dumps([{"n_prompt": 8, "n_gen": 0, "n_threads": 2, "samples_ts": [800.0]},
                            {"n_prompt": 0, "n_gen": 4, "n_threads": 2, "samples_ts": [90.0, 92.0]}])
        script = bench.root / "llama-bench"
        script.write_text(f"#!/bin/sh\ncat <<'END'\n{llama}\nEND\n")
        script.chmod(0o755)
        result = bench.run("--rounds", "3", "--peer", f"llama={script} -o json", "--peer",
                           f"own={sys.executable} '{FAKE}' bench -m {{model}} -p {{prompt}} -n {{gen}} "
                           "-t {threads} -r {reps}", "--peer", "dead=sh -c 'kill -TERM $$'")
        self.assertEqual(result.returncode, 0, result.stderr)
        by_name = {}
        for sample in bench.samples():
            by_name.setdefault(sample["variant"], []).append(sample)
        self.assertEqual(len(by_name["llama"]), 4)
        self.assertEqual(by_name["llama"][0]["metrics"]["decode_tps"], 91.0)
        self.assertIn("peak_rss_mib", by_name["llama"][0]["metrics"])
        self.assertEqual(by_name["own"][-1]["status"], "ok")
        self.assertTrue(all("SIGTERM" in s["reason"] for s in by_name["dead"]))

    def test_a_peer_may_be_the_reference(self):
        bench = self.bench({"o2": ""})
        peer = f"own={sys.executable} '{FAKE}' bench"
        result = bench.run("--rounds", "3", "--peer", peer, "--reference", "own", models="stories15m-q8_0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(bench.info()["reference"], "own")
        self.assertIs(bench.info()["environment"]["dirty"], False)

    def test_uncommitted_changes_are_in_the_record_and_the_report(self):
        bench = self.bench({"o2": ""}, dirty=True)
        result = bench.run("--rounds", "2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIs(bench.info()["environment"]["dirty"], True)
        self.assertIn("abc, with uncommitted changes", (bench.directory() / "report.md").read_text())

    def test_a_cpu_hog_is_marked_named_and_does_not_turn_the_verdict(self):
        bench = self.bench({"o2": "--sleep 0.2", "lto": "--sleep 0.2 --slowdown 20"})
        process = subprocess.Popen(bench.command("--rounds", "14", "--seed", "2"),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        hogs = []
        try:
            for line in process.stderr:
                if line.startswith("round 7:"):
                    hogs = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])
                            for _ in range(4)]
            process.wait(timeout=120)
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        self.assertEqual(process.returncode, 0)
        process.stdout.close()
        process.stderr.close()
        during = [s for s in bench.samples() if s["round"] >= 8]
        marked = [s for s in during if any("CPUs busy" in cause for cause in s["contamination"])]
        self.assertGreaterEqual(len(marked), len(during) - 2, [s["system"] for s in during])
        report = (bench.directory() / "report.md").read_text()
        self.assertRegex(report, r"others kept .*CPUs busy")
        (row,) = (c for c in bench.info()["analysis"]["comparisons"]
                  if c["variant"] == "lto" and c["metric"] == "decode_tps")
        self.assertEqual(row["verdict"], "worse")

    def test_report_export_and_history(self):
        bench = self.bench({"o2": "", "lto": ""})
        csv = bench.root / "samples.csv"
        result = bench.run("--rounds", "5", "--export-csv", str(csv))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreater(len(csv.read_text().splitlines()), 10)
        history = bench.root / "results" / "history.jsonl"
        self.assertEqual(len(history.read_text().splitlines()), 1)
        history.unlink()
        run = str(bench.directory())
        harness = str(bench.root / "bin" / "harness")
        for arguments in (["report", run, "--no-plots"], ["export", run, "-f", "bencher"],
                          ["export", run, "-f", "google-benchmark"]):
            done = subprocess.run([harness, *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((bench.directory() / "report.md").exists())
        bad = subprocess.run([harness, "export", run, "-f", "nosuch"], capture_output=True, text=True,
                             check=False)
        self.assertEqual((bad.returncode, bad.stderr.count("\n")), (1, 1))

    def test_missing_models_are_made(self):
        bench = self.bench({"o2": ""})
        result = bench.run("--rounds", "1", models="stories15m-q8_0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((bench.root / "models" / "stories15m-q8_0.gguf").read_text(),
                         "GGUF stories15m Q8_0 1\n")


if __name__ == "__main__":
    unittest.main()
