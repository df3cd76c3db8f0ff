"""Size of the stripped binary by section."""
import style

NAME = "size"

GROUPS = [("code", (".text", ".init", ".fini", ".plt", ".plt.got", ".plt.sec"), "#0072b2", ""),
          ("read-only data", (".rodata",), "#56b4e9", "///"),
          ("exception and unwind tables", (".eh_frame", ".eh_frame_hdr", ".gcc_except_table"), "#e69f00", ""),
          ("relocations and dynamic linking", (".rela.dyn", ".rela.plt", ".dynsym", ".dynstr", ".gnu.hash", ".dynamic",
                                               ".gnu.version", ".gnu.version_r", ".got", ".got.plt", ".relr.dyn"),
           "#009e73", "\\\\\\"),
          ("data", (".data", ".data.rel.ro", ".init_array", ".fini_array", ".tdata"), "#cc79a7", "")]
_NOT_IN_FILE = (".bss", ".tbss")
_STRIPPED = (".symtab", ".strtab", ".comment")


def parts(sections, stripped):
    """Bytes of each group, and of the rest up to the stripped size."""
    sums = []
    for _, names, _, _ in GROUPS:
        sums.append(sum(size for name, size in sections.items()
                        if name in names or (name.startswith(".text.") and ".text" in names)))
    counted = sum(sums)
    other = sum(size for name, size in sections.items()
                if not name.startswith(".debug") and name not in _NOT_IN_FILE + _STRIPPED) - counted
    return sums + [max(0, stripped - counted) if stripped else max(0, other)]


def draw(run):
    found = [v for v in (run.variant(n) for n in run.variants) if v.get("size", {}).get("stripped_bytes")]
    if not found:
        return None
    fig, axes = style.grid(1, 1, len(found), width=8.4)
    axis = axes[0][0]
    ys = style.rows_of(axis, run, [v["name"] for v in found])
    stacks = [parts(v["size"].get("sections", {}), v["size"]["stripped_bytes"]) for v in found]
    left = [0.0] * len(found)
    for i, (name, colour, hatch) in enumerate([(g[0], g[2], g[3]) for g in GROUPS] + [("other", "#bbbbbb", "")]):
        widths = [stack[i] / 1e6 for stack in stacks]
        axis.barh(ys, widths, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4, height=0.68,
                  label=name)
        left = [a + b for a, b in zip(left, widths)]
    for y, v in zip(ys, found):
        total = v["size"]["stripped_bytes"] / 1e6
        axis.annotate(f"{total:.2f}", (max(total, left[y]), y), xytext=(4, 0), textcoords="offset points", va="center",
                      fontsize=8.5)
    axis.set_xlim(0, max(left) * 1.12)
    axis.set_xlabel("MB (10⁶ bytes), stripped")
    style.legend_below(fig, axis, 3)
    style.figure_text(fig, "Binary size by section")
    return fig
