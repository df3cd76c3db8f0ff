"""Peak resident memory, split at the end of the run into the process's own and the mapped file's."""
import load
import style

NAME = "rss"


def draw(run):
    regimes, variants = run.regimes, run.variants
    if not regimes or not variants:
        return None
    fig, axes = style.grid(len(regimes), 1, len(variants))
    for axis, regime in zip(axes[0], regimes):
        get = lambda v, m: (run.summary(v, regime, m) or {}).get("median")  # noqa: E731
        found = [v for v in variants if get(v, "peak_rss_mib")]
        axis.set_title(load.regime_title(regimes, regime))
        if not found:
            continue
        ys = style.rows_of(axis, run, found)
        anonymous = [get(v, "rss_anon_mib") or 0 for v in found]
        mapped = [get(v, "rss_file_mib") or 0 for v in found]
        axis.barh(ys, anonymous, color="#0072b2", height=0.62, label="anonymous (this process's own)")
        axis.barh(ys, mapped, left=anonymous, color="#bcd9ea", edgecolor="#0072b2", linewidth=0.5, height=0.62,
                  hatch="///", label="file-backed (model and program, shared)")
        for y, v in zip(ys, found):
            s = run.summary(v, regime, "peak_rss_mib")
            arms = style.interval(s["median"], s["low"], s["high"])
            axis.errorbar(s["median"], y, xerr=[[arms[0]], [arms[1]]], fmt="|", markersize=13, color=style.INK,
                          elinewidth=1.2, label="peak (VmHWM)" if y == 0 else None)
            axis.annotate(f"{s['median']:.4g}", (s["median"] + arms[1], y), xytext=(6, 0),
                          textcoords="offset points", va="center", fontsize=8.5)
        axis.set_xlim(0, max(get(v, "peak_rss_mib") for v in found) * 1.18)
        axis.set_xlabel("MiB")
    style.legend_below(fig, axes[0][0], 3)
    style.figure_text(fig, "Resident memory")
    return fig
