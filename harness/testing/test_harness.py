"""The harness end to end, with real processes: fake variants that behave and misbehave."""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
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


class HarnessTest(unittest.TestCase):
    def bench(self, variants, skipped=None, dirty=False):
        bench = Bench(variants, skipped, dirty)
        self.addCleanup(bench.close)
        return bench

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

    def test_crash_hang_and_garbage_are_named(self):
        bench = self.bench({"o2": "", "crash": "--mode crash", "hang": "--mode hang",
                            "garbage": "--mode garbage", "partial": "--mode partial",
                            "huge": "--mode huge", "nodone": "--mode nodone", "zero": "--mode zero",
                            "exit": "--mode exit"})
        result = bench.run("--rounds", "3", "--timeout", "6", "--retries", "0", "--warmup", "0")
        self.assertEqual(result.returncode, 1, result.stderr)
        expected = {"crash": ("crashed", "SIGSEGV"), "hang": ("timeout", "--timeout"),
                    "garbage": ("failed", "Segmentation fold"), "partial": ("failed", "done"),
                    "huge": ("failed", "output"), "nodone": ("failed", "done"),
                    "zero": ("failed", "no tokens"), "exit": ("failed", "exit code 2: smallmind:")}
        samples = bench.samples()
        for variant, (status, reason) in expected.items():
            mine = [s for s in samples if s["variant"] == variant]
            self.assertEqual(len(mine), 2, f"{variant} is given up after two rounds")
            for sample in mine:
                self.assertEqual(sample["status"], status, sample["reason"])
                self.assertIn(reason, sample["reason"])
                self.assertEqual(sample["metrics"], {}, "a failure has no numbers")
            self.assertIn(f"no usable sample of {variant} ", result.stderr)
        self.assertEqual(sum(s["variant"] == "o2" for s in samples), 3)

    def test_a_single_failure_is_tried_again(self):
        marker = tempfile.mktemp()
        bench = self.bench({"o2": "", "flaky": f"--mode crash --fail-once {marker}"})
        self.addCleanup(lambda: os.path.exists(marker) and os.unlink(marker))
        result = bench.run("--rounds", "2", "--warmup", "0")
        self.assertEqual(result.returncode, 0, result.stderr)
        flaky = [(s["round"], s["attempt"], s["status"]) for s in bench.samples()
                 if s["variant"] == "flaky"]
        self.assertEqual(flaky, [(0, 0, "crashed"), (0, 1, "ok"), (1, 0, "ok")])

    def test_interrupt_keeps_and_reports(self):
        bench = self.bench({"o2": "--sleep 0.1", "lto": "--sleep 0.1"})
        process = subprocess.Popen(bench.command("--rounds", "100"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        info, samples = bench.info(), bench.samples()
        self.assertEqual(info["status"], "interrupted")
        self.assertGreater(len(samples), 2)
        self.assertTrue(all(s["status"] == "ok" for s in samples), "the interrupt is nobody's fault")

    def test_sigkill_and_resume_lose_and_repeat_nothing(self):
        rng = random.Random(5)
        for _ in range(10):
            bench = self.bench({"o2": "", "a": "", "b": ""})
            process = subprocess.Popen(bench.command("--rounds", "6", "--seed", "3"),
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not (bench.root / "results").exists():
                time.sleep(0.01)
            time.sleep(rng.uniform(0.02, 1.0))
            process.kill()
            process.wait()
            if not (bench.directory() / "run.json").exists():
                continue  # killed before there was a run
            with open(bench.directory() / "samples.jsonl", "a", encoding="utf-8") as file:
                if rng.random() < 0.5:
                    file.write('{"schema":1,"id":99,"rou')  # a torn line, as a power cut leaves it
            result = bench.resume()
            self.assertEqual(result.returncode, 0, result.stderr)
            samples = bench.samples()
            keys = sorted((s["round"], s["variant"]) for s in samples)
            self.assertEqual(keys, sorted((r, v) for r in range(-1, 6) for v in ("o2", "a", "b")))
            self.assertEqual(len({s["id"] for s in samples}), len(samples))
            self.assertEqual(bench.info()["status"], "complete")

    def test_resume_refuses_other_binaries(self):
        bench = self.bench({"o2": ""})
        bench.run("--rounds", "1")
        with open(bench.root / "variants" / "o2" / "smallmind", "a", encoding="utf-8") as file:
            file.write("# changed\n")
        result = bench.resume()
        self.assertEqual(result.returncode, 2)
        self.assertIn("not the binary", result.stderr)

    def test_a_binary_that_is_rebuilt_during_the_run_fails_it(self):
        bench = self.bench({"o2": "--sleep 0.1", "lto": "--sleep 0.1"})
        process = subprocess.Popen(bench.command("--rounds", "4"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("round 2:"):
                with open(bench.root / "variants" / "lto" / "smallmind", "a", encoding="utf-8") as file:
                    file.write("# another build\n")
        process.wait(timeout=60)
        process.stderr.close()
        errors = [line for line in said if line.startswith("harness: ")]
        self.assertEqual(process.returncode, 1, said)
        self.assertEqual(len(errors), 1, said)
        self.assertIn("lto was rebuilt during the run", errors[0])
        self.assertEqual(bench.info()["status"], "failed")

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

    def test_full_disk(self):
        bench = self.bench({"o2": "", "lto": ""})
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12000, 12000))
        result = bench.run("--rounds", "50", preexec_fn=limit)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"harness: .*(samples.jsonl|run.json): File too large")
        samples = bench.samples()  # whole lines only
        self.assertGreater(len(samples), 3)

    def test_a_full_standard_output_is_an_error(self):
        bench = self.bench({"o2": "", "lto": ""})
        self.assertEqual(bench.run("--rounds", "2").returncode, 0)
        harness, run = str(bench.root / "bin" / "harness"), str(bench.directory())
        for arguments in (["export", run, "-f", "csv", "-o", "-"], ["list"], ["--help"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                result = subprocess.run([harness, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                        check=False)
            self.assertEqual((result.returncode, result.stderr),
                             (1, "harness: standard output cannot be written\n"), arguments)

    def test_bad_command_lines_are_one_line(self):
        bench = self.bench({"o2": ""})
        cases = [(["--variants", "nosuch"], 1, "known: o2"), (["--rounds", "-1"], 1, "--rounds"),
                 (["--rounds", "many"], 1, "--rounds"), (["--nosuch"], 1, "--nosuch"),
                 (["--peer", "x"], 1, "NAME="), (["--seed", "z"], 1, "--seed"),
                 (["--rounds", "25", "--budget", "1"], 1, "--rounds is exact"),
                 (["gate", "--rounds", "25", "--budget", "1"], 1, "--rounds is exact"),
                 (["selftest", "-s", "1,2"], 1, "not 2 workloads"), (["selftest", "--layouts", "1"], 1, "--layouts"),
                 (["--baseline", "nosuch"], 2, "no baseline"), (["--baseline", "no/such"], 1, "baseline's name"),
                 (["--save-baseline", "no/such"], 1, "baseline's name"),
                 (["gate", "--save-baseline", "no/such"], 1, "baseline's name"),
                 (["--inject", "zz=5"], 1, "zz")]
        for arguments, code, text in cases:
            result = bench.run(*arguments)
            self.assertEqual(result.returncode, code, arguments)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertIn(text, result.stderr)
        result = bench.run("selftest", models="tiny-q8_0,stories15m-q8_0")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1), result.stderr)
        self.assertIn("not 2 models", result.stderr)
        self.assertFalse((bench.root / "results").exists(), "nothing was measured")
        for arguments, code, text in (([], 2, "run.json"), (["-n", "4"], 1, "excludes")):
            result = bench.resume(*arguments, directory="/nonexistent")
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(text, result.stderr)
        result = bench.run(models="/nonexistent.gguf")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (2, 1))

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

    def test_a_pair_measures_ceilings_at_both_ends_alone(self):
        bench = self.bench({"o2": ""})
        other = ["--against-binary", str(bench.root / "variants" / "o2" / "smallmind")]
        self.gate(bench, *other, "--rounds", "5")
        self.assertEqual(sorted({c["round"] for c in bench.info()["ceilings"]}), [0, 4])

    def gate(self, bench, *arguments):
        # Startup of a Python fake is the machine's mood; only what the fake controls is judged.
        return bench.run("gate", "--threshold", "startup_ms=100000", *arguments)

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

    def test_different_output_fails_the_gate_and_is_not_ranked(self):
        bench = self.bench({"o2": "", "wrong": "--output x"})
        result = bench.run("--rounds", "5")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("!", result.stdout)
        wrong = str(bench.root / "variants" / "wrong" / "smallmind")
        gate = self.gate(bench, "--rounds", "5", "--against-binary", wrong)
        self.assertEqual(gate.returncode, 3, gate.stdout)
        self.assertIn("output differs", gate.stdout)

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

    def test_missing_models_are_made(self):
        bench = self.bench({"o2": ""})
        result = bench.run("--rounds", "1", models="stories15m-q8_0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((bench.root / "models" / "stories15m-q8_0.gguf").read_text(),
                         "GGUF stories15m Q8_0 1\n")


if __name__ == "__main__":
    unittest.main()
