"""Distribution of the gaps between tokens: median, middle half, p5-p95, p99."""
import load
import style

NAME = "itl"


def gaps(samples):
    """Milliseconds, of every repetition."""
    values = []
    for s in samples:
        for rep in s.get("reps", []):
            values += [ns / 1e6 for ns in rep.get("itl_ns", [])]
    return sorted(values)


def quantile(ascending, p):
    position = (len(ascending) - 1) * p
    low = int(position)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (position - low) * (ascending[high] - ascending[low])


def draw(run):
    regimes, variants = run.regimes, run.variants
    if not regimes or not variants:
        return None
    fig, axes = style.grid(len(regimes), 1, len(variants))
    drawn = False
    for axis, regime in zip(axes[0], regimes):
        found = [(v, gaps(run.usable(v, regime))) for v in variants]
        found = [(v, g) for v, g in found if g]
        axis.set_title(load.regime_title(regimes, regime))
        if not found:
            continue
        drawn = True
        ys = style.rows_of(axis, run, [v for v, _ in found])
        for y, (v, g) in zip(ys, found):
            q = {p: quantile(g, p / 100) for p in (5, 25, 50, 75, 95, 99)}
            axis.plot([q[5], q[95]], [y, y], color=style.colour(v), linewidth=1.4, solid_capstyle="butt")
            axis.plot([q[25], q[75]], [y, y], color=style.colour(v), linewidth=8, solid_capstyle="butt")
            axis.plot(q[50], y, "|", color="white", markersize=8, markeredgewidth=2)
            axis.plot(q[99], y, "x", color=style.colour(v), markersize=5.5, markeredgewidth=1.4)
        limit = 1.3 * style.ordinary([quantile(g, 0.95) for _, g in found])
        axis.set_xlim(0, limit)
        for y, (v, g) in zip(ys, found):
            if quantile(g, 0.05) <= limit < quantile(g, 0.99):
                axis.annotate(f"p99 {style.number(quantile(g, 0.99))} ▸", (limit, y), xytext=(-4, 0),
                              textcoords="offset points", ha="right", va="center", fontsize=8.5,
                              bbox={"facecolor": "white", "pad": 1, "linewidth": 0})
            elif quantile(g, 0.05) > limit:
                axis.annotate(f"median {style.number(quantile(g, 0.5))} ▸", (limit, y), xytext=(-4, 0),
                              textcoords="offset points", ha="right", va="center", fontsize=8.5)
        axis.set_xlabel("milliseconds between tokens")
    if not drawn:
        return None
    style.figure_text(fig, "Gaps between tokens", "White tick: median; thick: middle half; thin: 5th to 95th "
                      "percentile; ×: 99th. All repetitions of all processes. ▸: beyond the axis.")
    return fig
