"""Decode speed by round: the machine's drift, and which samples the rule marks as contaminated."""
import statistics

import load
import style

NAME = "drift"


def draw(run):
    regimes, variants = run.regimes, run.variants
    if not regimes or not variants:
        return None
    fig, axes = style.grid(1, len(regimes), row_height=3.4, width=9)
    for axis, regime in zip((row[0] for row in axes), regimes):
        marked = []
        for v in variants:
            samples = [s for s in run.usable(v, regime) if "decode_tps" in s["metrics"]]
            if not samples:
                continue
            middle = statistics.median(s["metrics"]["decode_tps"] for s in samples)
            rounds = {}
            for s in samples:
                rounds.setdefault(s["round"], []).append(s["metrics"]["decode_tps"] / middle)
                if s.get("contaminated"):
                    marked.append((s["round"], s["metrics"]["decode_tps"] / middle))
            xs = sorted(rounds)
            axis.plot(xs, [statistics.median(rounds[x]) for x in xs], marker=style.marker(v), markersize=4,
                      linewidth=1, color=style.colour(v), label=v)
        if marked:
            axis.scatter([m[0] for m in marked], [m[1] for m in marked], s=90, facecolors="none",
                         edgecolors=style.FLAG, linewidths=1.4, zorder=5, label="contaminated")
        axis.set_title(load.regime_title(regimes, regime))
        axis.set_xlabel("round")
        axis.set_ylabel("decode, × its own median")
        axis.xaxis.get_major_locator().set_params(integer=True)
    style.legend_right(fig, axes[0][0])
    style.figure_text(fig, "Drift by round", "Lines that move together are the machine; ratios inside a round cancel "
                      "it. A line that moves alone is noise of that variant.")
    return fig
