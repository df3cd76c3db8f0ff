"""Speed against size; in bold what no other variant beats, which the harness judged."""
import textwrap

import load
import style

NAME = "pareto"


def spread_labels(ys, gap, low=float("-inf"), high=float("inf")):
    """Label positions near `ys` that keep `gap` between neighbours, none above `high`, nor below `low` if they fit."""
    order = sorted(range(len(ys)), key=lambda i: ys[i])
    placed = list(ys)
    for a, b in zip(order, order[1:]):
        placed[b] = max(placed[b], placed[a] + gap)
    shift = sum(placed[i] - ys[i] for i in order) / max(1, len(order))
    placed = [p - shift for p in placed]
    for i in order:
        placed[i] = low = max(placed[i], low)
        low += gap
    for i in reversed(order):
        placed[i] = high = min(placed[i], high)
        high -= gap
    return placed


def draw(run):
    regimes = run.regimes
    if not regimes:
        return None
    fig, axes = style.grid(len(regimes), 1, row_height=4.6, width=5.6)
    drawn = False
    for axis, regime in zip(axes[0], regimes):
        points = []
        for v in run.variants:
            size = run.variant(v).get("size", {}).get("stripped_bytes", 0) / 1e6
            ratio = {"estimate": 1.0, "low": 1.0, "high": 1.0} if v == run.reference else \
                run.ratio(v, regime, "decode_tps")
            if size and ratio and load.finite(ratio["estimate"]) and not run.unranked(v):
                points.append((v, size, ratio["estimate"], ratio))
        axis.set_title(load.regime_title(regimes, regime))
        if not points:
            continue
        drawn = True
        best = run.front(regime)
        fastest = max(p[2] for p in points)
        far = [p for p in points if p[2] < 0.4 * fastest]
        points = [p for p in points if p not in far]
        ends = []
        for v, size, speed, ratio in points:
            arms = style.interval(speed, ratio["low"], ratio["high"])
            ends += [end for end in (speed - arms[0], speed + arms[1]) if load.finite(end)]
            axis.errorbar(size, speed, yerr=[[arms[0]], [arms[1]]], fmt=style.marker(v), color=style.colour(v),
                          markersize=8, elinewidth=1.2, zorder=2)
        sizes = [p[1] for p in points]
        wide = max(sizes) - min(sizes) or 0.1 * max(sizes)
        axis.set_xlim(min(sizes) - 0.08 * wide, max(sizes) + 0.55 * wide)
        tall = max(ends) - min(ends) or 0.1
        axis.set_ylim(min(ends) - 0.05 * tall, max(ends) + 0.05 * tall)
        to_screen, to_data = axis.transData.transform, axis.transData.inverted().transform
        screen = [to_screen((size, speed)) for _, size, speed, _ in points]
        bottom, top = (axis.transAxes.transform((0, y))[1] for y in (0.03, 0.97))
        placed = spread_labels([p[1] for p in screen], 12.5 * fig.dpi / 72, bottom, top)
        right = to_screen((max(sizes) + 0.1 * wide, 1.0))[0]
        for (v, size, speed, _), y in zip(points, placed):
            x_label, y_label = to_data((right, y))
            axis.annotate(v, (size, speed), xytext=(x_label, y_label), va="center", fontsize=8.5,
                          fontweight="bold" if v in best else "normal", color=style.INK,
                          arrowprops={"arrowstyle": "-", "color": "#bbbbbb", "linewidth": 0.6, "shrinkB": 5})
        if far:
            text = "far below: " + ", ".join(f"{p[0]} ({p[1]:.1f} MB, {p[2]:.2g}×)" for p in far)
            below = "\n" + textwrap.fill(text, 58)
        axis.set_xlabel("stripped size, MB" + (below if far else ""))
        axis.set_ylabel(f"decode, × {run.reference}")
    if not drawn:
        return None
    style.figure_text(fig, "Speed against size", "Up and left is better. Bold: no other variant is better in "
                      "speed, size, RSS or startup without being worse in one. Bars: 95 % intervals.")
    return fig
