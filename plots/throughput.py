"""Decode and prefill relative to the reference, with the 95 % interval of the paired ratio."""
import load
import style

NAME = "throughput"


def draw(run):
    regimes = run.regimes
    variants = [v for v in run.variants if v != run.reference]
    if not regimes or not variants:
        return None
    fig, axes = style.grid(len(regimes), 2, len(variants))
    for i, (metric, heading) in enumerate((("decode_tps", "decode"), ("prefill_tps", "prefill"))):
        for j, regime in enumerate(regimes):
            axis = axes[i][j]
            axis.set_title(f"{heading}, {load.regime_title(regimes, regime)}")
            found = [(v, run.ratio(v, regime, metric)) for v in variants]
            found = [(v, r) for v, r in found if r and load.finite(r["estimate"])]
            if not found:
                axis.text(0.5, 0.5, "not measured", ha="center", transform=axis.transAxes)
                continue
            ys = style.rows_of(axis, run, [v for v, _ in found])
            axis.axvline(1.0, color=style.INK, linewidth=1)
            near = [(v, r) for v, r in found if 0.5 <= r["estimate"] <= 2.5] or found
            arms = [style.interval(r["estimate"], r["low"], r["high"]) for _, r in near]
            low = min([1.0] + [r["estimate"] - arm[0] for (_, r), arm in zip(near, arms)])
            high = max([1.0] + [r["estimate"] + arm[1] for (_, r), arm in zip(near, arms)])
            span = max(high - low, 0.02)
            left, right = low - 0.12 * span, high + 0.26 * span
            axis.set_xlim(left, right)
            for y, (variant, r) in zip(ys, found):
                value = r["estimate"]
                text = f"{value:.2f}×" if value >= 0.1 else f"{value:.2g}×"
                if not left <= value <= right:
                    edge, side, shift = (left, "left", 4) if value < left else (right, "right", -4)
                    axis.annotate(f"◂ {text}" if value < left else f"{text} ▸", (edge, y), xytext=(shift, 0),
                                  textcoords="offset points", ha=side, va="center", fontsize=8.5,
                                  color=style.INK)
                    continue
                arms = style.interval(value, r["low"], r["high"])
                hollow = run.unranked(variant)
                axis.errorbar(value, y, xerr=[[arms[0]], [arms[1]]], fmt=style.marker(variant),
                              color=style.colour(variant), markersize=7, elinewidth=1.6,
                              markerfacecolor="white" if hollow else style.colour(variant))
                axis.annotate(text, (value + arms[1], y), xytext=(6, 0), textcoords="offset points", va="center",
                              fontsize=8.5, color=style.INK)
            axis.set_xlabel(f"tokens/s, × {run.reference}")
    style.figure_text(fig, "Throughput relative to the reference",
                      "Centre and 95 % interval of ratios taken inside a round; right of the line is faster; "
                      "◂ ▸: beyond the axis; hollow or !: output differs, not ranked.")
    return fig
