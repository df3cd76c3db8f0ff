"""Links variants again with their objects in another order: the same code at other addresses.

A flag's measured effect may be nothing but the luck of where the linker put the hot loops (Mytkowicz et al.,
"Producing wrong data without doing anything obviously wrong"). Replicates make that luck measurable:
build/variants/<name>/layouts/<k>/smallmind, k from 1, read by `harness --layouts K`.

    layouts.py --build-dir build --count 4 [--variants o2,pgo]

The link command is Ninja's own; only the order of its objects and the output's name change.
"""

import argparse
import json
import pathlib
import random
import shlex
import subprocess
import sys


class LayoutError(Exception):
    pass


def relink_command(command, output, new_output, seed):
    """The words of `command` with its objects shuffled by `seed` and its output replaced."""
    words = [word for word in shlex.split(command) if word not in (":", "&&")]
    places = [i for i, word in enumerate(words) if word.endswith(".o")]
    if len(places) < 2:
        raise LayoutError(f"no list of objects in the link command of {output}")
    if output not in words:
        raise LayoutError(f"{output} is not the output of its own link command")
    objects = [words[i] for i in places]
    shuffled = objects[:]
    random.Random(seed).shuffle(shuffled)
    if shuffled == objects:  # one in n! seeds
        shuffled = objects[1:] + objects[:1]
    for place, name in zip(places, shuffled):
        words[place] = name
    words[words.index(output)] = new_output
    return words


def link_command(build_dir, output):
    run = subprocess.run(["ninja", "-C", str(build_dir), "-t", "commands", "-s", output], capture_output=True,
                         text=True, check=False)
    lines = [line for line in run.stdout.splitlines() if " -o " in line]
    if run.returncode != 0 or not lines:
        raise LayoutError(f"Ninja knows no command for {output}: {run.stderr.strip()}")
    return lines[-1]


def make(build_dir, name, count):
    """Replicates 1..count of a variant, those that are older than it. Returns how many were linked.

    Those of a stripped row keep their symbols: the code is the same.
    """
    binary = build_dir / f"variants/{name}/smallmind"
    output = f"variants/{name}/smallmind"
    if (build_dir / (output + ".unstripped")).exists():
        output += ".unstripped"
    made = 0
    for k in range(1, count + 1):
        replicate = binary.parent / "layouts" / str(k) / "smallmind"
        if replicate.exists() and replicate.stat().st_mtime >= binary.stat().st_mtime:
            continue
        replicate.parent.mkdir(parents=True, exist_ok=True)
        words = relink_command(link_command(build_dir, output), output,
                               str(replicate.relative_to(build_dir)), f"{name}/{k}")
        run = subprocess.run(words, cwd=build_dir, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise LayoutError(f"linking {replicate} failed: {run.stderr.strip()[-1000:]}")
        made += 1
    return made


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--variants", default="all", help="names and groups, comma separated (all built ones)")
    options = parser.parse_args(argv)
    build_dir = options.build_dir.resolve()
    try:
        rows = json.loads((build_dir / "variants" / "manifest.json").read_text(encoding="utf-8"))["variants"]
        wanted = set(options.variants.split(","))
        for row in rows:
            if row["status"] != "built" or not wanted & {"all", row["name"], row["group"]}:
                continue
            if row["post"] != "none":
                print(f"layouts: {row['name']} is laid out by {row['post']}, not by the linker", file=sys.stderr)
                continue
            print(f"layouts: {row['name']}: {make(build_dir, row['name'], options.count)} linked")
    except (LayoutError, OSError) as error:
        print(f"layouts: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
