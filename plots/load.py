"""A run directory as plain dictionaries: run.json (with its analysis) and samples.jsonl.

The plots know the results schema alone (results/schema/); they compute no statistic that the harness has
already computed.
"""
import json
import os


class Run:
    def __init__(self, directory):
        self.directory = directory
        with open(os.path.join(directory, "run.json"), encoding="utf-8") as f:
            self.info = json.load(f)
        self.samples = []
        path = os.path.join(directory, "samples.jsonl")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                for line in f:
                    try:
                        self.samples.append(json.loads(line))
                    except ValueError:
                        break  # the torn last line of a killed run
        self.analysis = self.info.get("analysis") or {}
        self.reference = self.info.get("reference", "")

    @property
    def regimes(self):
        """[(model, workload)] in the run's order."""
        return [(r["model"], r["workload"]) for r in self.analysis.get("regimes", [])]

    @property
    def variants(self):
        """Names of the measured variants, in the table's order."""
        return list(self.analysis.get("variants", []))

    def variant(self, name):
        return next((v for v in self.info.get("variants", []) if v["name"] == name), {})

    def unranked(self, name):
        bad = {"different", "unstable", "tokens only"}
        return any(o["variant"] == name and o["status"] in bad for o in self.analysis.get("outputs", []))

    def summary(self, variant, regime, metric):
        """{"median", "low", "high", …} or None."""
        for s in self.analysis.get("summaries", []):
            if (s["variant"], s["model"], s["workload"], s["metric"]) == (variant, *regime, metric):
                return s
        return None

    def ratio(self, variant, regime, metric):
        """{"estimate", "low", "high"} against the reference, or None."""
        for c in self.analysis.get("comparisons", []):
            if (c["variant"], c["model"], c["workload"], c["metric"]) == (variant, *regime, metric):
                return c["ratio"]
        return None

    def front(self, regime):
        """Names of the variants that no other beats, by the harness's judgement."""
        return {p["variant"] for p in self.analysis.get("pareto", [])
                if (p["model"], p["workload"]) == tuple(regime) and p["on_front"]}

    def usable(self, variant=None, regime=None):
        for s in self.samples:
            if s.get("status") != "ok" or s.get("warmup"):
                continue
            if variant is not None and s["variant"] != variant:
                continue
            if regime is not None and (s["model"], s["workload"]) != tuple(regime):
                continue
            yield s


def regime_of(result):
    """(model, workload) of a summary, a point or an effect."""
    return result["model"], result.get("workload", "")


def regime_title(regimes, regime):
    """The model alone, with its workload where `regimes` has several of that model."""
    model, workload = regime
    several = sum(other == model for other, _ in regimes) > 1
    return f"{model}, {workload}" if several else model


def finite(*values):
    return all(isinstance(v, (int, float)) and v == v and abs(v) != float("inf") for v in values)
