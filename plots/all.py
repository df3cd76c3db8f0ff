#!/usr/bin/env python3
"""Every figure of a run: python3 plots/all.py RUN_DIR [OUTPUT_DIR]

Writes PNG and SVG into RUN_DIR/plots (or OUTPUT_DIR). A figure whose data the run lacks is left out and
named. With a history (results/history.jsonl) beside the run the trend is drawn too. Exit 0 unless no
figure could be drawn (2) or the command is wrong (1).
"""
import importlib
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

FIGURES = ["throughput", "ttft", "itl", "startup", "size", "rss", "pareto", "drift", "factorial", "roofline"]


def draw_all(directory, output=None, figures=FIGURES):
    """Returns (names drawn, names left out)."""
    import load
    import style
    run = load.Run(directory)
    output = output or os.path.join(directory, "plots")
    drawn, left_out = [], []
    for name in figures:
        module = importlib.import_module(name)
        try:
            figure = module.draw(run)
        except Exception:  # one bad figure must not cost the others
            traceback.print_exc()
            left_out.append(f"{name} (failed)")
            continue
        if figure is None:
            left_out.append(name)
            continue
        style.save(figure, output, module.NAME)
        drawn.append(name)
    return drawn, left_out


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 1
    try:
        drawn, left_out = draw_all(*arguments)
        import trend
        history = os.path.join(os.path.dirname(os.path.abspath(arguments[0])), "history.jsonl")
        drawn += trend.draw_file(history, arguments[1] if len(arguments) == 2 else
                                 os.path.join(arguments[0], "plots"))
    except (OSError, ValueError, KeyError) as error:
        print(f"plots: {arguments[0]}: {error}", file=sys.stderr)
        return 2
    print(f"plots: {', '.join(drawn) or 'none'}" + (f"; no data for {', '.join(left_out)}" if left_out else ""))
    return 0 if drawn and not any("failed" in n for n in left_out) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
