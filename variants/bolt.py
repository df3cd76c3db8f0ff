"""Lays a linked program out again with llvm-bolt: instrument, train, reorder blocks and functions, split cold code."""

import argparse
import pathlib
import subprocess
import sys


def run(command):
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        print(f"{' '.join(command)} ended with {process.returncode}:\n{process.stdout[-2000:]}"
              f"{process.stderr[-2000:]}", file=sys.stderr)
        sys.exit(1)


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bolt", required=True)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args(argv)
    # It looks for its runtime library beside the path it is called by: a link in /usr/bin will not do.
    options.bolt = str(pathlib.Path(options.bolt).resolve())
    profile = pathlib.Path(options.output + ".fdata")
    instrumented = options.output + ".instrumented"
    profile.unlink(missing_ok=True)
    run([options.bolt, options.input, "-instrument", f"--instrumentation-file={profile}",
         "--instrumentation-file-append-pid=0", "-o", instrumented])
    for model in options.models[:1]:  # each run rewrites the file: one model, the first of the table
        run([instrumented, "profile", "-m", model])
    if not profile.exists() or profile.stat().st_size == 0:
        print(f"bolt: training left no profile in {profile}", file=sys.stderr)
        return 1
    run([options.bolt, options.input, f"-data={profile}", "-reorder-blocks=ext-tsp", "-reorder-functions=cdsort",
         "-split-functions", "-split-all-cold", "-dyno-stats", "-o", options.output])
    pathlib.Path(instrumented).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
