"""The harness end to end: variants that misbehave, killed processes, full disks, bad command lines."""

import os
import random
import resource
import signal
import subprocess
import tempfile
import time
import unittest

from fake_bench import BenchTest


class FailureTest(BenchTest):
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


if __name__ == "__main__":
    unittest.main()
