"""The variant table: reads variants.json, says what is wrong with it, turns rows into compiler flags.

A row names a level of each factor (isa, dispatch, lto, pgo, link, strip, post); the table's `factors`
say which flags a level means, for both toolchains (`gcc`, `clang` inside a level) or for this machine's
best Highway target (`when_target`). CMake runs this file at configure time and includes what it writes:

    table.py --toolchain gcc --best AVX3_ZEN4 --have lld --build-dir build   -> variants/rows.{json,cmake}
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
FACTORS = ("isa", "dispatch", "lto", "pgo", "link", "strip", "post")
COLUMNS = {
    "name": str, "title": str, "guide_row": str, "opt": list, "isa": str, "dispatch": str, "lto": str,
    "pgo": str, "strip": bool, "link": str, "toolchains": list, "expected_target": str, "group": str,
}
OPTIONAL = {"post": str, "link_flags": list, "trained_by": str}
GROUPS = ("core", "guide", "factorial", "extra", "helper")
TOOLCHAINS = ("gcc", "clang")
LEVEL_KEYS = {"compile", "link", "defines", "needs", "when_target", *TOOLCHAINS}
# What a level may need, and what brings it: a package of Debian, mostly.
NEEDS = {
    "lld": "package lld-19", "llvm-profdata": "package llvm-19", "profile-runtime": "package libclang-rt-19-dev",
    "gcov-dump": "package gcc", "static-pcre2": "package libpcre2-dev", "bolt": "package bolt-19",
    "native-cpu": "a build on the machine itself",
}


class TableError(Exception):
    """Every fault found, one a line."""


def _level(row, factor):
    value = row.get(factor, "none")
    return str(value).lower() if isinstance(value, bool) else value


def _check_texts(value, where, faults, flags=False):
    """A list of one-line texts; `flags`: with no placeholder but those that resolve() fills."""
    if not isinstance(value, list):
        faults.append(f"{where} must be a list, not {value!r}")
        return
    for item in value:
        if not isinstance(item, str) or not item.isprintable():
            faults.append(f"{where} holds {item!r}, which is no text of one line")
        elif flags:
            try:
                item.format(profile="", stray="")
            except (LookupError, ValueError, AttributeError):
                faults.append(f"{where} holds {item!r}: braces are for {{profile}} and {{stray}}")


def _check_level(parts, where, faults, allowed=frozenset(LEVEL_KEYS)):
    """The flags of one level of a factor, and of its parts for a toolchain or a Highway target."""
    if not isinstance(parts, dict):
        faults.append(f"{where} must be an object, not {parts!r}")
        return
    for key, value in parts.items():
        place = f"{where}: '{key}'"
        if key not in allowed:
            faults.append(f"{where}: unknown key '{key}'")
        elif key in TOOLCHAINS:
            _check_level(value, place, faults, allowed - {"when_target", *TOOLCHAINS})
        elif key != "when_target":
            _check_texts(value, place, faults, flags=key == "compile")
            for need in value if isinstance(value, list) and key == "needs" else []:
                if isinstance(need, str) and need not in NEEDS:
                    faults.append(f"{where}: unknown need '{need}'")
        elif not isinstance(value, dict):
            faults.append(f"{place} must be an object, not {value!r}")
        else:
            for target, inner in value.items():
                _check_level(inner, f"{place} '{target}'", faults, allowed - {"when_target", *TOOLCHAINS})


def _check_frame(table, faults):
    """Everything of the table but its rows."""
    for factor in FACTORS:
        if factor not in table["factors"]:
            faults.append(f"factor '{factor}' is missing")
    for factor, levels in table["factors"].items():
        if factor not in FACTORS:
            faults.append(f"factor '{factor}' is none of {', '.join(FACTORS)}")
        if not isinstance(levels, dict):
            faults.append(f"factor '{factor}' must be an object, not {levels!r}")
            continue
        for level, parts in levels.items():
            _check_level(parts, f"factor {factor} '{level}'", faults)
    for key in ("common", "common_defines", "tools"):
        _check_texts(table.get(key), f"'{key}'", faults, flags=key == "common")
    training = table.get("training")
    if not isinstance(training, dict) or type(training.get("seed")) is not int:
        faults.append("'training' must be an object with an integer 'seed'")
    elif not isinstance(training.get("models"), list):
        faults.append("'training' must have a list of 'models'")
    else:
        for model in training["models"]:
            if not isinstance(model, dict) or not all(isinstance(model.get(k), str) for k in ("preset", "quant")):
                faults.append(f"'training': {model!r} must be an object with the texts 'preset' and 'quant'")


def _check_row(row, index, names, factors, faults):
    name = row.get("name") if isinstance(row, dict) else None
    where = f"row '{name}'" if isinstance(name, str) else f"row {index}"
    if not isinstance(row, dict):
        faults.append(f"{where}: is no object")
        return
    for column, kind in COLUMNS.items():
        if column not in row:
            faults.append(f"{where}: column '{column}' is missing")
        elif type(row[column]) is not kind:
            faults.append(f"{where}: column '{column}' must be {kind.__name__}, not {row[column]!r}")
    for column, value in row.items():
        if column in OPTIONAL and type(value) is not OPTIONAL[column]:
            faults.append(f"{where}: column '{column}' must be {OPTIONAL[column].__name__}, not {value!r}")
        elif column not in COLUMNS and column not in OPTIONAL:
            faults.append(f"{where}: unknown column '{column}'")
        elif isinstance(value, str) and not value.isprintable():
            faults.append(f"{where}: column '{column}' is no text of one line: {value!r}")
    for column in ("opt", "toolchains", "link_flags"):
        if isinstance(row.get(column), list):
            _check_texts(row[column], f"{where}: column '{column}'", faults, flags=column == "opt")
    for factor in FACTORS:
        level = _level(row, factor)
        allowed = factors.get(factor, {})
        if isinstance(level, str) and isinstance(allowed, dict) and level not in allowed:
            faults.append(f"{where}: {factor} '{level}' is none of {', '.join(allowed)}")
    if row.get("group") not in GROUPS:
        faults.append(f"{where}: group '{row.get('group')}' is none of {', '.join(GROUPS)}")
    for toolchain in row["toolchains"] if isinstance(row.get("toolchains"), list) else []:
        if toolchain not in TOOLCHAINS:
            faults.append(f"{where}: toolchain '{toolchain}' is none of {', '.join(TOOLCHAINS)}")
    if isinstance(name, str):
        if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
            faults.append(f"{where}: a name is letters, digits, '-' and '_': it names a folder")
        if name in names:
            faults.append(f"{where}: there are two rows of that name")
        if name in GROUPS or name == "all":
            faults.append(f"{where}: that is the name of a group")
        names.add(name)
    if (row.get("pgo") == "use") != ("trained_by" in row):
        faults.append(f"{where}: 'trained_by' goes with pgo 'use', and pgo 'use' with 'trained_by'")


def check(table):
    """Raises TableError that lists every fault of the table."""
    faults = []
    if not isinstance(table, dict) or table.get("schema") != 1:
        raise TableError("'schema' must be 1")
    factors = table.get("factors")
    if not isinstance(factors, dict):
        raise TableError("'factors' is missing")
    _check_frame(table, faults)
    rows = table.get("variants")
    if not isinstance(rows, list) or not rows:
        raise TableError("'variants' must be a list of rows")
    names = set()
    for index, row in enumerate(rows):
        _check_row(row, index, names, factors, faults)
    by_name = {row["name"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)}
    if by_name.get("o2", {}).get("group") != "core":
        faults.append("the reference row 'o2' must be there, in group core")
    for row in by_name.values():
        trainer = row.get("trained_by")
        if not isinstance(trainer, str):
            continue
        if by_name.get(trainer, {}).get("pgo") != "instrument":
            faults.append(f"row '{row['name']}': trained_by '{trainer}' is no row with pgo 'instrument'")
        elif any(by_name[trainer].get(f) != row.get(f) for f in ("isa", "dispatch", "opt")):
            faults.append(f"row '{row['name']}': its profile cannot come from '{trainer}', which is compiled "
                          "for another isa, dispatch or opt")
    if faults:
        raise TableError("\n".join(faults))


def load(path):
    """The checked table. TableError names the file in every line."""
    try:
        with open(path, encoding="utf-8") as file:
            table = json.load(file)
        check(table)
    except (OSError, ValueError, RecursionError) as error:
        raise TableError(f"{path}: {error}") from error
    except TableError as error:
        raise TableError("\n".join(f"{path}: {line}" for line in str(error).split("\n"))) from error
    return table


def resolve(table, toolchain, best_target, have, build_dir):
    """Rows with their flags, in the table's order; each is 'buildable' or has the reason why not.

    'objects_of' names an earlier row that is compiled with the same flags: what differs is done after compiling,
    so its objects serve both.
    """
    resolved = []
    for row in table["variants"]:
        out = {"compile": list(row["opt"]) + table["common"], "link_flags": list(row.get("link_flags", [])),
               "defines": list(table["common_defines"]), "needs": []}
        for factor in FACTORS:
            level = table["factors"][factor][_level(row, factor)]
            for parts in (level, level.get(toolchain, {}), level.get("when_target", {}).get(best_target, {})):
                out["compile"] += parts.get("compile", [])
                out["link_flags"] += parts.get("link", [])
                out["defines"] += parts.get("defines", [])
                out["needs"] += parts.get("needs", [])
        places = {"profile": f"{build_dir}/pgo/{row.get('trained_by')}/{row['name']}",
                  "stray": f"{build_dir}/pgo/stray"}
        if toolchain == "clang":
            places["profile"] = f"{build_dir}/pgo/{row.get('trained_by')}/merged.profdata"
        out["compile"] = [flag.format(**places) for flag in out["compile"]]
        expected = best_target if row["expected_target"] == "best" else row["expected_target"]
        reason = ""
        if toolchain not in row["toolchains"]:
            reason = f"this row is for {', '.join(row['toolchains'])}, not {toolchain}"
        else:
            lacking = [need for need in out["needs"] if need not in have]
            if lacking:
                reason = "needs " + ", ".join(f"{need} ({NEEDS[need]})" for need in lacking)
        columns = {key: row[key] for key in COLUMNS}
        same = [r["name"] for r in resolved if r["buildable"] and not r["objects_of"] and not reason
                and (r["compile"], r["defines"]) == (out["compile"], out["defines"])]
        resolved.append({**columns, "post": row.get("post", "none"), "trained_by": row.get("trained_by", ""),
                         "objects_of": same[0] if same else "",
                         "compile": out["compile"], "link_flags": out["link_flags"], "defines": out["defines"],
                         "flags": " ".join(out["compile"] + out["link_flags"]),
                         "expected_target": expected, "buildable": not reason, "reason": reason})
    by_name = {row["name"]: row for row in resolved}
    for row in resolved:
        trainer = by_name.get(row["trained_by"])
        if trainer and not trainer["buildable"] and row["buildable"]:
            row["buildable"], row["reason"] = False, f"its trainer '{trainer['name']}' {trainer['reason']}"
    return resolved


def select(table, wanted):
    """Names of the rows that comma-separated groups, names or `all` mean, in the table's order."""
    rows = [row for row in table["variants"] if row["group"] != "helper"]
    parts = [part for part in wanted.split(",") if part]
    for part in parts:
        if part != "all" and part not in GROUPS and part not in [row["name"] for row in rows]:
            raise TableError(f"no variant or group '{part}'; there are {', '.join(GROUPS[:-1])}, all and "
                             + ", ".join(row["name"] for row in rows))
    return [row["name"] for row in rows if {"all", row["name"], row["group"]} & set(parts)]


def _quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def as_cmake(table, rows):
    """The same rows as CMake calls: smallmind_row(name key values...)."""
    lines = ["# Written by variants/table.py from variants/variants.json."]
    lines.append("set(SMALLMIND_GROUPS " + " ".join(GROUPS) + ")")
    lines.append("set(SMALLMIND_COMMON_FLAGS " + " ".join(map(_quote, table["common"])) + ")")
    lines.append("set(SMALLMIND_TOOL_FLAGS " + " ".join(map(_quote, table["tools"])) + ")")
    models = [f"{m['preset']}:{m['quant']}" for m in table["training"]["models"]]
    lines.append("set(SMALLMIND_TRAINING_MODELS " + " ".join(map(_quote, models)) + ")")
    lines.append(f"set(SMALLMIND_TRAINING_SEED {table['training']['seed']})")
    lines.append("set(SMALLMIND_ROWS " + " ".join(row["name"] for row in rows) + ")")
    for row in rows:
        for key in ("compile", "link_flags", "defines", "isa", "dispatch", "lto", "pgo", "link", "post", "group",
                    "objects_of", "trained_by", "expected_target", "flags", "buildable", "reason"):
            value = row[key]
            items = value if isinstance(value, list) else ["ON" if value is True else "" if value is False else value]
            lines.append(f"set(ROW_{row['name']}_{key} " + " ".join(_quote(i) for i in items) + ")")
    return "\n".join(lines) + "\n"


def write_if_changed(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(argv):
    parser = argparse.ArgumentParser(description="Check variants.json and write its rows for CMake.")
    parser.add_argument("--table", default=str(HERE / "variants.json"))
    parser.add_argument("--toolchain", choices=TOOLCHAINS)
    parser.add_argument("--best", default="SSE2", help="best Highway target of this machine")
    parser.add_argument("--compiler", default="unknown", help="its name and version, for the manifest")
    parser.add_argument("--have", action="append", default=[], help="tools that are here: " + ", ".join(NEEDS))
    parser.add_argument("--lacking", metavar="REASON", help="the toolchain is not here: no row can be built, and why")
    parser.add_argument("--list", metavar="WANTED", help="print the rows that these groups or names mean")
    parser.add_argument("--list-groups", action="store_true", help="print what --list takes besides names")
    parser.add_argument("--build-dir", help="where variants/rows.json and rows.cmake go")
    options = parser.parse_args(argv)
    try:
        table = load(options.table)
    except TableError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list_groups:
        print(*GROUPS[:-1], "all")
    if options.list is not None:
        try:
            print("\n".join(select(table, options.list)))
        except TableError as error:
            print(error, file=sys.stderr)
            return 1
    if options.build_dir:
        rows = resolve(table, options.toolchain, options.best, options.have, options.build_dir)
        for row in rows if options.lacking else []:
            row["buildable"], row["reason"] = False, options.lacking
        place = pathlib.Path(options.build_dir) / "variants"
        write_if_changed(place / "rows.json", json.dumps({"schema": 1, "toolchain": options.toolchain,
                                                          "compiler": options.compiler, "variants": rows}, indent=1) + "\n")
        write_if_changed(place / "rows.cmake", as_cmake(table, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
