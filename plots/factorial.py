"""Factorial effects of native, LTO and PGO, with intervals, and predicted against measured."""
import load
import style

NAME = "factorial"


def draw(run):
    results = run.analysis.get("factorial") or []
    if not results:
        return None
    several = len({f.get("toolchain") for f in results}) > 1
    columns = list(dict.fromkeys((load.regime_of(f), f.get("toolchain")) for f in results))
    regimes = list(dict.fromkeys(regime for regime, _ in columns))
    metrics = [m for m in ("decode_tps", "prefill_tps") if any(f["metric"] == m for f in results)]
    rows = len(results[0]["effects"]) + 2
    fig, axes = style.grid(len(columns), len(metrics), rows)
    for i, metric in enumerate(metrics):
        for j, (regime, toolchain) in enumerate(columns):
            axis = axes[i][j]
            heading = "decode" if metric == "decode_tps" else "prefill"
            axis.set_title(f"{heading}, {load.regime_title(regimes, regime)}" + (f", {toolchain}" if several else ""))
            axis.set_xlabel("factor on tokens/s")
            found = next((f for f in results if (f["metric"], load.regime_of(f), f.get("toolchain")) ==
                          (metric, regime, toolchain)), None)
            if found is None:
                continue
            entries = [(e["name"], e["effect"], "#0072b2" if not e["interaction"] else "#e69f00",
                        "o" if not e["interaction"] else "D") for e in found["effects"]]
            entries += [("all three, predicted", found["predicted"], "#5b6470", "s"),
                        ("all three, measured", found["measured"], "#cc79a7", "*")]
            entries = [e for e in entries if load.finite(e[1]["estimate"])]
            axis.axvline(1.0, color=style.INK, linewidth=1)
            for y, (_, r, colour, marker) in enumerate(entries):
                arms = style.interval(r["estimate"], r["low"], r["high"])
                axis.errorbar(r["estimate"], y, xerr=[[arms[0]], [arms[1]]], fmt=marker, color=colour, markersize=7,
                              elinewidth=1.6)
                axis.annotate(f"{r['estimate']:.3f}", (r["estimate"] + arms[1], y), xytext=(6, 0),
                              textcoords="offset points", va="center", fontsize=8.5)
            axis.set_yticks(range(len(entries)), [e[0] for e in entries])
            axis.set_ylim(len(entries) - 0.4, -0.6)
            axis.grid(axis="y", visible=False)
            low, high = axis.get_xlim()
            axis.set_xlim(low, high + 0.18 * (high - low))
    style.figure_text(fig, "Factorial effects", "Circles: main effects, means over the other flags; diamonds: "
                      "interactions, 1 = the flags multiply; 95 % intervals.")
    return fig
