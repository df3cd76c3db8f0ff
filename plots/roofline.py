"""Roofline: each variant's prefill and decode against the measured bandwidth and arithmetic ceilings."""
import load
import style

NAME = "roofline"
ARITHMETIC = {"int8_gops": "int8", "bf16_gflops": "BF16", "fma_gflops": "float"}


def draw(run):
    points = [p for p in run.analysis.get("roofline") or [] if load.finite(p["achieved"], p["intensity"])]
    if not points:
        return None
    regimes = list(dict.fromkeys(load.regime_of(p) for p in points))
    fig, axes = style.grid(len(regimes), 1, row_height=4.6, width=5.8)
    for axis, regime in zip(axes[0], regimes):
        own = [p for p in points if load.regime_of(p) == regime]
        # Decode is stored as GB/s: times operations a byte it is operations a second.
        xs = {(p["variant"], p["work"]): p["intensity"] for p in own}
        ys = {(p["variant"], p["work"]): p["achieved"] * (p["intensity"] if p["work"] == "decode" else 1) for p in own}
        bandwidth = max((p["ceiling"] for p in own if p["work"] == "decode"), default=0)
        arithmetic = max((p["ceiling"] for p in own if p["work"] == "prefill"), default=0)
        kind = next((ARITHMETIC[p["ceiling_name"]] for p in own if p["work"] == "prefill"), "")
        left, right = min(xs.values()) / 2, max(xs.values()) * 2.5
        tops = list(ys.values()) + [v for v in (arithmetic,) if v]
        axis.set_xlim(left, right)
        axis.set_ylim(min(ys.values()) / 2, max(tops) * 2)
        if bandwidth:
            axis.plot([left, right], [bandwidth * left, bandwidth * right], color=style.INK, linewidth=1.2)
            at = 0.35 * max(tops) / bandwidth
            axis.annotate(f"memory, {style.number(bandwidth)} GB/s", (at, bandwidth * at), xytext=(8, -8),
                          textcoords="offset points", fontsize=8.5)
        if arithmetic:
            axis.axhline(arithmetic, color=style.INK, linewidth=1.2, linestyle="--")
            axis.annotate(f"{kind} arithmetic, {style.number(arithmetic)} GOP/s", (left, arithmetic), xytext=(6, 5),
                          textcoords="offset points", fontsize=8.5)
        for p in own:
            key = (p["variant"], p["work"])
            axis.plot(xs[key], ys[key], style.marker(p["variant"]), color=style.colour(p["variant"]), markersize=7,
                      markerfacecolor=style.colour(p["variant"]) if p["work"] == "decode" else "white",
                      markeredgewidth=1.5, label=p["variant"] if p["work"] == "decode" else None)
        style.log_axis(axis, "x")
        style.log_axis(axis, "y")
        axis.set_title(load.regime_title(regimes, regime))
        axis.set_xlabel("operations a byte of weights, logarithmic")
        axis.set_ylabel("G operations/s, logarithmic")
    style.legend_right(fig, axes[0][0])
    style.figure_text(fig, "Roofline", "Filled: decode (one token a pass over the weights); hollow: prefill (the "
                      "whole prompt a pass). Under a line by a factor: that factor is left.")
    return fig
