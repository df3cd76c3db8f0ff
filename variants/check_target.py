"""Fails the build where a variant's kernels run on another Highway target than its row expects.

Flags alone do not tell: -march=x86-64-v3 without -maes -mpclmul, for one, is Highway's SSSE3.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--expected", required=True)
    parser.add_argument("--stamp", required=True)
    parser.add_argument("--emulator", default="", help="what runs the binary in a cross build")
    options = parser.parse_args(argv)
    stamp = pathlib.Path(options.stamp)
    # An instrumented binary would leave a profile behind; it goes beside the stamp, where nobody reads it.
    stray = str(stamp.parent / "stray")
    env = {**os.environ, "GCOV_PREFIX": stray, "LLVM_PROFILE_FILE": stray + "/%m.profraw"}
    run = subprocess.run([*shlex.split(options.emulator), options.binary, "info", "--json"], env=env,
                         capture_output=True, text=True, check=False)
    if run.returncode != 0:
        print(f"{options.binary} info --json ended with {run.returncode}: {run.stderr.strip()}", file=sys.stderr)
        return 1
    info = json.loads(run.stdout)
    found = info.get("target", "")
    if found != options.expected:
        print(f"{options.binary} runs Highway target {found or 'unknown'}; its row expects {options.expected} "
              f"(static target {info.get('static_target')}, flags {info.get('flags')})", file=sys.stderr)
        return 1
    stamp.write_text(found + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
