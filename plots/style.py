"""One look for every figure: colours that stay with a variant, readable in print, on a phone, in the dark.

Colours start from Okabe and Ito's set, which survives the common colour-vision deficiencies; where two
are close, the marker differs too. The background is opaque white, so a figure reads on any page.
"""
import os
import zlib

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "smallmind",  # the same data gives the same file
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "legend.frameon": False,
    "errorbar.capsize": 2.5,
})
import matplotlib.pyplot as plt  # noqa: E402

_KNOWN = {
    "o2": ("#4d4d4d", "s"),
    "native": ("#0072b2", "o"),
    "lto": ("#56b4e9", "^"),
    "pgo": ("#e69f00", "D"),
    "pgo-instrumented": ("#c9b400", "v"),
    "size": ("#009e73", "P"),
    "tier0": ("#a6a6a6", "X"),
    "native-pgo": ("#d55e00", "o"),
    "native-lto": ("#1f4e79", "^"),
    "lto-pgo": ("#9c6b00", "D"),
    "production": ("#cc79a7", "*"),
    "o3": ("#7b3294", "<"),
    "static": ("#44aa99", ">"),
    "scalar": ("#882255", "h"),
    "bolt": ("#661100", "p"),
}
_OTHERS = ["#332288", "#117733", "#aa4499", "#999933", "#cc6677", "#6699cc", "#ddcc77", "#4477aa"]
_MARKERS = "so^vD<>Ph*Xp"

INK = "#1b1f24"
DIM = "#5b6470"
CLEAN = "#0072b2"
FLAG = "#d55e00"


def colour(variant):
    """The variant's colour; an unknown one's follows from its name alone."""
    base = variant.split("/")[-1].split("@")[0]
    if variant in _KNOWN:
        return _KNOWN[variant][0]
    if base in _KNOWN:
        return _KNOWN[base][0]
    return _OTHERS[zlib.crc32(variant.encode()) % len(_OTHERS)]


def marker(variant):
    base = variant.split("/")[-1].split("@")[0]
    if base in _KNOWN:
        return _KNOWN[base][1]
    return _MARKERS[zlib.crc32(variant.encode()) % len(_MARKERS)]


def label(run, variant):
    return variant + (" !" if run.unranked(variant) else "")


def save(figure, directory, name):
    """PNG and SVG into `directory`; returns their paths."""
    os.makedirs(directory, exist_ok=True)
    paths = []
    for ending, options in (("png", {"dpi": 144}), ("svg", {"metadata": {"Date": None}})):
        path = os.path.join(directory, f"{name}.{ending}")
        figure.savefig(path, bbox_inches="tight", pad_inches=0.15, **options)
        paths.append(path)
    plt.close(figure)
    return paths


def grid(columns, rows, bars=0, width=4.8, row_height=None):
    """Axes [row][column], tall enough for `bars` labelled bars a panel; few columns stay wide."""
    height = row_height or max(2.0, 0.3 * bars + 1.0)
    figure, axes = plt.subplots(rows, columns, figsize=(max(6.4, width * columns), height * rows),
                                squeeze=False, layout="constrained")
    return figure, axes


def rows_of(axis, run, variants):
    """Variants as rows from top to bottom; returns their y positions."""
    positions = list(range(len(variants)))
    axis.set_yticks(positions, [label(run, v) for v in variants])
    axis.set_ylim(len(variants) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    return positions


def interval(value, low, high):
    """Lengths of the two arms of an error bar; zero where an end is unknown."""
    down = value - low if isinstance(low, (int, float)) and low <= value else 0
    up = high - value if isinstance(high, (int, float)) and high >= value else 0
    return down, up


def ordinary(values, factor=3.0):
    """The largest value within `factor` of the median: one slow variant must not squeeze the others.

    Bars beyond it are cut at the axis's edge and carry their figure.
    """
    positive = sorted(v for v in values if v and v > 0)
    if not positive:
        return 1.0
    middle = positive[len(positive) // 2]
    return max(v for v in positive if v <= factor * middle)


def log_axis(axis, which):
    """A logarithmic axis with plain numbers; set the limits first."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
    target = axis.xaxis if which == "x" else axis.yaxis
    (axis.set_xscale if which == "x" else axis.set_yscale)("log")
    low, high = axis.get_xlim() if which == "x" else axis.get_ylim()
    target.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 3.0) if high / low > 10 else
                                        (1.0, 2.0, 5.0)))
    target.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    target.set_minor_formatter(NullFormatter())


def legend_below(figure, axis, columns):
    """A legend under the whole figure; saving cuts to what is drawn, so it costs no axis space."""
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=columns, fontsize=9)


def legend_right(figure, axis):
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 0.94), fontsize=8.5)


def figure_text(figure, title, note=""):
    figure.suptitle(title, fontsize=13, fontweight="bold", color=INK)
    if note:
        figure.supxlabel(note, fontsize=8.5, color=DIM)
