"""One manifest of several build trees, so that one comparison holds both toolchains.

    merge_manifests.py OUTPUT_BUILD_DIR BUILD_DIR BUILD_DIR...

Rows of the first tree keep their names; those of the others get their toolchain behind them (pgo-clang).
Binaries are named relative to OUTPUT_BUILD_DIR, where the harness's launcher is linked to as well.
"""

import json
import os
import pathlib
import sys


def merge(output, build_dirs):
    manifests = [(folder, json.loads((folder / "variants" / "manifest.json").read_text(encoding="utf-8")))
                 for folder in build_dirs]
    merged = {**manifests[0][1], "toolchain": "+".join(m["toolchain"] for _, m in manifests),
              "compiler": ", ".join(m["compiler"] for _, m in manifests), "variants": []}
    for index, (folder, manifest) in enumerate(manifests):
        for row in manifest["variants"]:
            suffix = "" if index == 0 else "-" + manifest["toolchain"]
            merged["variants"].append({
                **row, "name": row["name"] + suffix,
                "title": row["title"] + (f" ({manifest['compiler']})" if suffix else ""),
                "binary": os.path.relpath(folder / row["binary"], output),
                # The guide's rows and claims are judged once, on the first toolchain.
                "guide_row": "" if suffix else row["guide_row"], "claims": [] if suffix else row["claims"]})
    return merged


def main(argv):
    if len(argv) < 2 or argv[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 1
    output, *build_dirs = [pathlib.Path(part).resolve() for part in argv]
    (output / "variants").mkdir(parents=True, exist_ok=True)
    (output / "variants" / "manifest.json").write_text(json.dumps(merge(output, build_dirs), indent=1) + "\n",
                                                       encoding="utf-8")
    for part in ("bin", "models"):
        (build_dirs[0] / part).mkdir(exist_ok=True)
        if not (output / part).is_symlink():
            (output / part).symlink_to(os.path.relpath(build_dirs[0] / part, output))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
