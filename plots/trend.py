"""Speed over the recorded runs, with the change points that the harness found."""
import json
import os

import load
import style

NAME = "trend"


def read(path):
    entries = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                try:
                    entries.append(json.loads(line))
                except ValueError:
                    continue
    return entries


def like(entry):
    return entry.get("machine"), entry.get("conditions", "")


def draw_entries(entries, metric="decode_tps"):
    """A panel a model and workload: each variant's metric over the entries. None for fewer than two entries."""
    if len(entries) < 2:
        return None
    regimes = list(dict.fromkeys(load.regime_of(p) for e in entries for p in e.get("points", [])
                                 if p["metric"] == metric))
    if not regimes:
        return None
    fig, axes = style.grid(1, len(regimes), row_height=3.4, width=9)
    names = [e.get("git") or e.get("run", "") for e in entries]
    for axis, regime in zip((row[0] for row in axes), regimes):
        series = {}
        for x, e in enumerate(entries):
            for p in e.get("points", []):
                if p["metric"] == metric and load.regime_of(p) == regime:
                    series.setdefault(p["variant"], []).append((x, p["value"], p.get("low"), p.get("high")))
        for variant, points in series.items():
            arms = [style.interval(p[1], p[2], p[3]) for p in points]
            axis.errorbar([p[0] for p in points], [p[1] for p in points], yerr=list(zip(*arms)),
                          marker=style.marker(variant), color=style.colour(variant), label=variant, linewidth=1.2,
                          markersize=5, elinewidth=0.9)
        for change in entries[-1].get("changes", []):
            if change["metric"] == metric and load.regime_of(change) == regime:
                axis.axvline(change["index"] - 0.5, color=style.colour(change["variant"]), linestyle=":",
                             linewidth=1.5)
        step = max(1, len(entries) // 12)
        axis.set_xticks(range(0, len(entries), step), [n[:10] for n in names[::step]], rotation=30, ha="right")
        axis.set_title(load.regime_title(regimes, regime))
        axis.set_ylabel("decode, tokens/s")
        axis.set_xlabel("recorded run")
    style.legend_right(fig, axes[0][0])
    style.figure_text(fig, "Trend", "Dotted: a change point of the variant of that colour.")
    return fig


def draw_file(path, output):
    entries = read(path)
    # Absolute values of different machines or conditions do not compare: the last entry's alone.
    entries = [e for e in entries if like(e) == like(entries[-1])]
    figure = draw_entries(entries)
    if figure is None:
        return []
    style.save(figure, output, NAME)
    return [NAME]
