#!/usr/bin/env python3
"""Every figure of a run: python3 plots/all.py RUN_DIR [OUTPUT_DIR]

Writes PNG and SVG into RUN_DIR/plots (or OUTPUT_DIR), and NAME.phone.svg for narrow screens. A figure whose data the run lacks is left out and
named. With a history (results/history.jsonl) beside the run the trend is drawn too. Exit 0 unless no
figure could be drawn (2) or the command is wrong (1).
"""
import concurrent.futures
import importlib
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

FIGURES = ["throughput", "ttft", "itl", "startup", "size", "rss", "pareto", "drift", "factorial", "roofline"]


def draw_one(run, name, output):
    """True where the run has the figure's data. Both forms are drawn: wide, and narrow for phones."""
    import style
    module = importlib.import_module(name)
    for style.narrow in (False, True):
        figure = module.draw(run)
        if figure is None:
            return False
        style.save(figure, output, module.NAME)
    return True


def draw_all(directory, output=None, figures=FIGURES):
    """Returns (names drawn, names left out). Figures are drawn side by side: one core takes ten seconds."""
    import load
    run = load.Run(directory)
    output = output or os.path.join(directory, "plots")
    drawn, left_out = [], []
    with concurrent.futures.ProcessPoolExecutor(min(len(figures), os.cpu_count() or 1)) as pool:
        jobs = [(name, pool.submit(draw_one, run, name, output)) for name in figures]
        for name, job in jobs:
            try:
                (drawn if job.result() else left_out).append(name)
            except Exception:  # one bad figure must not cost the others
                traceback.print_exc()
                left_out.append(f"{name} (failed)")
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
