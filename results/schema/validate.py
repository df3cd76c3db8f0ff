#!/usr/bin/env python3
"""Checks run directories against the schemas: validate.py RUN_DIR...

Exit 0: all valid (a torn last line of samples.jsonl, of a killed run, is allowed); 1: not; 2: unreadable.
Either file may be compressed (run.json.gz, samples.jsonl.gz). Needs Debian's python3-jsonschema.
"""
import gzip
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    print("validate: needs the python module jsonschema (package python3-jsonschema)", file=sys.stderr)
    sys.exit(2)

HERE = os.path.dirname(os.path.abspath(__file__))


def validator(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read(directory, name):
    path = os.path.join(directory, name)
    packed = not os.path.exists(path) and os.path.exists(path + ".gz")
    with gzip.open(path + ".gz", "rt", encoding="utf-8") if packed else open(path, encoding="utf-8") as f:
        return f.read()


def problems(directory, most=10):
    """Lines of text, at most `most`; empty where the run is valid."""
    found = []
    info = json.loads(read(directory, "run.json"))
    for error in validator("run.schema.json").iter_errors(info):
        found.append(f"run.json: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    check = validator("sample.schema.json")
    lines = read(directory, "samples.jsonl").split("\n")
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
