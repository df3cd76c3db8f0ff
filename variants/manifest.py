"""Writes build/variants/manifest.json: which variants there are, what they are, whether they can be run.

A variant is `built` when the build confirmed it (--built) after the last change of any engine source;
otherwise it is `skipped`, with the reason and, where a package is lacking, its name.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

COLUMNS = ("name", "title", "flags", "isa", "lto", "pgo", "dispatch", "link", "strip", "post", "group",
           "guide_row", "trained_by", "expected_target", "opt", "defines")


def newest_source(source_dir):
    """Time of the last change of anything that a variant is compiled from."""
    newest = 0.0
    for path in (source_dir / "engine").rglob("*"):
        if path.suffix in (".cc", ".h") and not path.stem.endswith(("_test", "_bench", "_fuzz", "testing")):
            newest = max(newest, path.stat().st_mtime)
    return max(newest, (source_dir / "variants" / "variants.json").stat().st_mtime)


def build_seconds(build_dir, name, objects_of=""):
    """Compile and link seconds of the row's steps, summed over cores, from Ninja's log; shared objects count whole."""
    log = build_dir / ".ninja_log"
    if not log.exists():
        return None
    steps = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        parts = line.split("\t")
        if len(parts) == 5:
            steps[parts[3]] = int(parts[1]) - int(parts[0])  # the last entry of an output is the current one
    mine = (f"engine-{name}.dir/", f"smallmind-{name}.dir/", f"variants/{name}/")
    if objects_of:
        mine += (f"engine-{objects_of}.dir/",)
    total = sum(ms for output, ms in steps.items() if any(part in output for part in mine)
                and not output.endswith("engine_tests"))
    return round(total / 1000, 1)


def git(source_dir, *arguments):
    run = subprocess.run(["git", "-C", str(source_dir), *arguments], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else None


def entry(row, build_dir, newest, command):
    place = build_dir / "variants" / row["name"]
    out = {key: row[key] for key in COLUMNS}
    out["binary"] = f"variants/{row['name']}/smallmind"
    out["reason"] = ""
    confirmed = place / "confirmed"
    if not row["buildable"]:
        out["status"], out["reason"] = "skipped", row["reason"]
    elif not (place / "smallmind").exists() or not confirmed.exists():
        out["status"], out["reason"] = "skipped", f"not built: {command} --target variant-{row['name']}"
    elif confirmed.stat().st_mtime < newest:
        out["status"] = "skipped"
        out["reason"] = f"older than the sources: {command} --target variant-{row['name']}"
    else:
        out["status"] = "built"
        out["build_seconds"] = build_seconds(build_dir, row["name"], row["objects_of"])
        coverage = build_dir / "pgo" / row["trained_by"] / "coverage.json"
        if row["trained_by"] and coverage.exists():
            out["pgo_coverage"] = json.loads(coverage.read_text(encoding="utf-8"))["work_share"]
    return out


def manifest(source_dir, build_dir):
    rows = json.loads((build_dir / "variants" / "rows.json").read_text(encoding="utf-8"))
    newest = newest_source(source_dir)
    command = f"cmake --build {os.path.relpath(build_dir, source_dir)}"
    status = git(source_dir, "status", "--porcelain", "--untracked-files=no")
    return {"schema": 1, "toolchain": rows["toolchain"], "compiler": rows["compiler"],
            "git": git(source_dir, "rev-parse", "--short=12", "HEAD") or "unknown", "dirty": bool(status),
            "variants": [entry(row, build_dir, newest, command) for row in rows["variants"]
                         if row["group"] != "helper"]}


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--source-dir", required=True, type=pathlib.Path)
    parser.add_argument("--built", help="this variant is up to date as of now")
    options = parser.parse_args(argv)
    place = options.build_dir / "variants"
    if options.built:
        (place / options.built / "confirmed").touch()
    text = json.dumps(manifest(options.source_dir, options.build_dir), indent=1) + "\n"
    # Several variants may finish at the same time: each replaces the file whole.
    with tempfile.NamedTemporaryFile("w", dir=place, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, place / "manifest.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
