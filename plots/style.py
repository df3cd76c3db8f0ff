"""One look for every figure: colours that stay with a variant, readable in print, on a phone, in the dark.

Colours start from Okabe and Ito's set, which survives the common colour-vision deficiencies; where two
are close, the marker differs too. The background is opaque white, so a figure reads on any page; the report
replaces colours by name in the dark (harness/report/figures.cc knows them). Every figure comes twice: wide, and
narrow for phones, with its panels one below the other.
"""
import os
import textwrap
import zlib

import matplotlib

import load

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "smallmind",  # the same data gives the same file
    "svg.fonttype": "none",  # text stays text: small files, and a reader can search and select
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "text.color": "#1b1f24",
    "axes.labelcolor": "#1b1f24",
    "axes.edgecolor": "#1b1f24",
    "xtick.color": "#1b1f24",
    "ytick.color": "#1b1f24",
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

narrow = False  # all.py sets it for the second drawing
NARROW_WIDTH = 5.0  # inches: on a phone 390 pixels wide a point is about a pixel

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
    """PNG and SVG into `directory`; a narrow figure is name.phone.svg alone. Returns their paths."""
    os.makedirs(directory, exist_ok=True)
    endings = {"phone.svg": {"metadata": {"Date": None}}} if narrow else \
        {"png": {"dpi": 144}, "svg": {"metadata": {"Date": None}}}
    paths = []
    for ending, options in endings.items():
        path = os.path.join(directory, f"{name}.{ending}")
        figure.savefig(path, bbox_inches="tight", pad_inches=0.1 if narrow else 0.15, **options)
        if ending.endswith("svg"):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            with open(path, "w", encoding="utf-8") as f:  # a reader without that font sees a like one
                f.write(text.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, Arial, sans-serif"))
        paths.append(path)
    plt.close(figure)
    return paths


def grid(columns, rows, bars=0, width=4.8, row_height=None):
    """Axes [row][column], tall enough for `bars` labelled bars a panel; few columns stay wide.

    Narrow figures stack the panels, a row's panels one below the other; the indices stay the same.
    """
    height = row_height or max(2.0, 0.3 * bars + 1.0)
    if narrow:
        height = min(height, 3.6) if row_height else height
        figure, flat = plt.subplots(rows * columns, 1, figsize=(NARROW_WIDTH, height * rows * columns),
                                    squeeze=False, layout="constrained")
        return figure, [[flat[i * columns + j][0] for j in range(columns)] for i in range(rows)]
    figure, axes = plt.subplots(rows, columns, figsize=(max(6.4, width * columns), height * rows),
                                squeeze=False, layout="constrained")
    return figure, axes


def rows_of(axis, run, variants):
    """Variants as rows from top to bottom; returns their y positions."""
    positions = list(range(len(variants)))
    axis.set_yticks(positions, [label(run, v) for v in variants], fontsize=9 if narrow else 10)
    axis.set_ylim(len(variants) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    return positions


def interval(value, low, high):
    """Lengths of the two arms of an error bar; no arm unless both ends are known."""
    if not load.finite(low, high):
        return 0, 0
    return max(0, value - low), max(0, high - value)


def ordinary(values, factor=3.0):
    """The largest value within `factor` of the median: one slow variant must not squeeze the others.

    Bars beyond it are cut at the axis's edge and carry their figure.
    """
    positive = sorted(v for v in values if v and v > 0)
    if not positive:
        return 1.0
    middle = positive[len(positive) // 2]
    return max(v for v in positive if v <= factor * middle)


def number(value):
    """Three significant figures, never an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


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
    if narrow:
        columns = 1 if max(map(len, labels), default=0) > 20 else 2
    if handles:
        figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncol=columns, fontsize=9)


def legend_right(figure, axis):
    if narrow:
        legend_below(figure, axis, 2)
        return
    handles, labels = axis.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.0, 0.94), fontsize=8.5)


def figure_text(figure, title, note=""):
    figure.suptitle(title, fontsize=13, fontweight="bold", color=INK)
    if note:
        width = 62 if narrow else max(70, int(15.5 * figure.get_figwidth()))
        figure.supxlabel(textwrap.fill(note, width), fontsize=8.5, color=DIM)
