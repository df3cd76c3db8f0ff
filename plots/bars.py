"""Horizontal bars with intervals, a panel a regime: the form that TTFT, startup and RSS share."""
import load
import style


def figure(run, metrics, title, unit, note):
    """metrics: [(name, heading)], a row of panels each. None where nothing was measured."""
    regimes, variants = run.regimes, run.variants
    if not regimes or not variants:
        return None
    fig, axes = style.grid(len(regimes), len(metrics), len(variants))
    for i, (metric, heading) in enumerate(metrics):
        for j, regime in enumerate(regimes):
            axis = axes[i][j]
            found = [(v, run.summary(v, regime, metric)) for v in variants]
            found = [(v, s) for v, s in found if s and s["median"] is not None]
            axis.set_title(f"{heading}\n{load.regime_title(regimes, regime)}")
            if not found:
                axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)
                continue
            ys = style.rows_of(axis, run, [v for v, _ in found])
            medians = [s["median"] for _, s in found]
            arms = [style.interval(s["median"], s["low"], s["high"]) for _, s in found]
            largest = style.ordinary(medians)
            limit = max(m + a[1] for m, a in zip(medians, arms) if m <= largest) * 1.22
            shown = [min(m, limit) for m in medians]
            cut = [m > largest for m in medians]
            axis.set_xlim(0, limit)
            for y, (v, _), width, arm, off in zip(ys, found, shown, arms, cut):
                axis.barh(y, width, color=style.colour(v), height=0.68, hatch="//" if off else "",
                          edgecolor="white", linewidth=0, xerr=None if off else [[arm[0]], [arm[1]]],
                          error_kw={"elinewidth": 1.1, "ecolor": style.INK})
            for y, median, arm, off in zip(ys, medians, arms, cut):
                text = style.number(median)
                if off:
                    axis.annotate(text + " ▸", (limit, y), xytext=(-4, 0), textcoords="offset points", ha="right",
                                  va="center", fontsize=8.5, bbox={"facecolor": "white", "pad": 1, "linewidth": 0})
                else:
                    axis.annotate(text, (median + arm[1], y), xytext=(4, 0), textcoords="offset points",
                                  va="center", fontsize=8.5)
            axis.set_xlabel(unit)
    style.figure_text(fig, title, note)
    return fig
