"""Startup as a waterfall: exec, loader, main, model mapped, tokenizer, ready; the first token as a figure."""
import statistics

import load
import style

NAME = "startup"

# Colour and hatch differ, so that the phases can be told apart without colour.
PHASES = [("loaded_ms", "loader (exec, mapping, relocations)", "#4d4d4d", ""),
          ("exec_to_main_ms", "constructors, up to main", "#a6a6a6", ""),
          ("mapped_ms", "model mapped", "#56b4e9", "///"),
          ("tokenizer_ms", "tokenizer", "#e69f00", ""),
          ("ready_ms", "session ready", "#009e73", "\\\\\\")]


def phase_lengths(samples):
    """Median milliseconds of each phase; a sample's phases are instants since exec.

    An engine that does not report `loaded` has all of exec → main in its second phase.
    """
    lengths = {}
    for s in samples:
        before = 0.0
        for key, *_ in PHASES:
            if key in s.get("phases", {}):
                lengths.setdefault(key, []).append(s["phases"][key] - before)
                before = s["phases"][key]
    return {key: max(0.0, statistics.median(values)) for key, values in lengths.items()}


def first_token(run, variant, regime):
    s = run.summary(variant, regime, "ttft_cold_ms")
    return f" → {style.number(s['median'])}" if s and s["median"] is not None else ""


def draw(run):
    regimes, variants = run.regimes, run.variants
    if not regimes or not variants:
        return None
    fig, axes = style.grid(len(regimes), 1, len(variants))
    drawn = False
    for axis, regime in zip(axes[0], regimes):
        samples = {v: list(run.usable(v, regime)) for v in variants}
        found = [v for v in variants if any(s.get("phases") for s in samples[v])]
        axis.set_title(load.regime_title(regimes, regime))
        if not found:
            continue
        drawn = True
        ys = style.rows_of(axis, run, found)
        totals = [0.0] * len(found)
        lengths = {v: phase_lengths(samples[v]) for v in found}
        for key, name, colour, hatch in PHASES:
            widths = [lengths[v].get(key, 0.0) for v in found]
            axis.barh(ys, widths, left=totals, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4,
                      height=0.66, label=name)
            totals = [t + w for t, w in zip(totals, widths)]
        largest = style.ordinary(totals)
        limit = 1.45 * largest
        axis.set_xlim(0, limit)
        for y, v, total in zip(ys, found, totals):
            s = run.summary(v, regime, "startup_ms")
            if not s:
                continue
            arms = style.interval(s["median"], s["low"], s["high"])
            axis.errorbar(s["median"], y, xerr=[[arms[0]], [arms[1]]], fmt="none", ecolor=style.INK, elinewidth=1.2)
            if total > limit:
                axis.annotate(f"{style.number(s['median'])} ▸{first_token(run, v, regime)}", (limit, y),
                              xytext=(-4, 0), textcoords="offset points", ha="right", va="center", fontsize=8.5,
                              bbox={"facecolor": "white", "pad": 1, "linewidth": 0})
                continue
            end = min(limit, max(total, s["median"] + arms[1]))
            inside = end > 0.8 * limit  # a wide interval reaches the edge: the figure goes before it
            axis.annotate(f"{style.number(s['median'])}{first_token(run, v, regime)}", (limit if inside else end, y),
                          xytext=(-4 if inside else 4, 0), textcoords="offset points", va="center",
                          ha="right" if inside else "left", fontsize=8.5,
                          bbox={"facecolor": "white", "pad": 1, "linewidth": 0} if inside else None)
        axis.set_xlabel("milliseconds since exec")
    if not drawn:
        return None
    style.legend_below(fig, axes[0][0], 2)
    style.figure_text(fig, "Startup, phase by phase", "Medians of the phases; figures: ready, and → first token "
                      "(cold); the interval is that of ready. ▸: beyond the axis.")
    return fig
