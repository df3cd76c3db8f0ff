#!/usr/bin/env python3
"""Checks run directories against the schemas: validate.py RUN_DIR...

Exit 0: all valid (a torn last line of samples.jsonl, of a killed run, is allowed); 1: not; 2: unreadable.
Needs Debian's python3-jsonschema.
"""
import json
import os
import sys

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))


def validator(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def problems(directory, most=10):
    """Lines of text, at most `most`; empty where the run is valid."""
    found = []
    with open(os.path.join(directory, "run.json"), encoding="utf-8") as f:
        info = json.load(f)
    for error in validator("run.schema.json").iter_errors(info):
        found.append(f"run.json: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    path = os.path.join(directory, "samples.jsonl")
    check = validator("sample.schema.json")
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            sample = json.loads(line)
        except ValueError:
            if number != len(lines):
                found.append(f"samples.jsonl:{number}: not JSON")
            continue
        for error in check.iter_errors(sample):
            found.append(f"samples.jsonl:{number}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
        if len(found) >= most:
            break
    return found[:most]


def main(directories):
    if not directories:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    bad = False
    for directory in directories:
        try:
            found = problems(directory)
        except (OSError, ValueError) as error:
            print(f"{directory}: {error}", file=sys.stderr)
            return 2
        for line in found:
            print(f"{directory}: {line}")
        bad = bad or bool(found)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
