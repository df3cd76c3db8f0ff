"""A small run with planted values, for the tests of the plots: the schema's shape without a harness."""
import json
import math
import os
import random

REGIMES = [("stories15m-q8_0", "p128-n32-t4"), ("smollm2-135m-q8_0", "p128-n32-t4")]


def make(directory, speeds, rounds=6, seed=1, regimes=REGIMES):
    """speeds: {variant: factor}; the first is the reference."""
    rng = random.Random(seed)
    names = list(speeds)
    samples, summaries, comparisons = [], [], []
    for model, workload in regimes:
        base = 1500.0 if model.startswith("stories") else 170.0
        for name in names:
            for r in range(rounds):
                speed = base * speeds[name] * math.exp(0.02 * rng.gauss(0, 1))
                samples.append({
                    "schema": 1, "id": len(samples), "round": r, "position": 0, "variant": name, "model": model,
                    "workload": workload, "status": "ok", "contaminated": r == 2, "warmup": False,
                    "metrics": {"decode_tps": speed, "startup_ms": 4.0 / speeds[name]},
                    "phases": {"exec_to_main_ms": 1.2, "mapped_ms": 2.0, "tokenizer_ms": 3.2, "ready_ms": 4.0},
                    "reps": [{"itl_ns": [int(1e9 / speed)] * 8}, {"itl_ns": [int(1e9 / speed)] * 8}]})
            for metric, value in (("startup_ms", 4.0 / speeds[name]), ("ttft_cold_ms", 90 / speeds[name]),
                                  ("ttft_ms", 80 / speeds[name]), ("decode_tps", base * speeds[name]),
                                  ("prefill_tps", 8 * base * speeds[name]), ("peak_rss_mib", 165.0),
                                  ("rss_anon_mib", 20.0), ("rss_file_mib", 140.0)):
                summaries.append({"variant": name, "model": model, "workload": workload, "metric": metric,
                                  "median": value, "low": 0.98 * value, "high": 1.02 * value, "n": rounds})
                if name != names[0]:
                    comparisons.append({
                        "variant": name, "model": model, "workload": workload, "metric": metric,
                        "ratio": {"estimate": speeds[name], "low": 0.98 * speeds[name], "high": 1.02 * speeds[name]}})
    info = {
        "schema": 1, "id": "synthetic", "reference": names[0],
        "variants": [{"name": n, "size": {"stripped_bytes": 2000000 + 50000 * i,
                                          "sections": {".text": 1400000, ".rodata": 300000, ".eh_frame": 90000}}}
                     for i, n in enumerate(names)],
        "ceilings": [{"name": "read_gbps", "threads": 4, "value": 33.0, "round": -1}],
        "analysis": {"regimes": [{"model": m, "workload": w} for m, w in regimes], "variants": names,
                     "summaries": summaries, "comparisons": comparisons,
                     "pareto": [{"variant": n, "model": m, "workload": w, "on_front": n in names[:2]}
                                for m, w in regimes for n in names],
                     "outputs": [{"variant": names[-1], "model": regimes[0][0], "status": "different"}]}}
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "run.json"), "w", encoding="utf-8") as f:
        json.dump(info, f)
    with open(os.path.join(directory, "samples.jsonl"), "w", encoding="utf-8") as f:
        for s in samples:
            f.write(json.dumps(s) + "\n")
        f.write('{"torn":')
    return info
