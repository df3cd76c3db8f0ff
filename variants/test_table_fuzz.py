"""The variant table under random changes: each is refused with TableError, or is a table that CMake's side can use.

Deterministic: case i of a seed is always the same. More of them: SMALLMIND_FUZZ_CASES=100000 variants/test_table_fuzz.py
"""

import copy
import json
import os
import pathlib
import random
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import table as t

HERE = pathlib.Path(t.__file__).resolve().parent
CASES = int(os.environ.get("SMALLMIND_FUZZ_CASES", "2000"))
VALUES = [None, True, False, 0, 1, -1, 1e308, "", "o2", "none", "full", "all", "core", "{profile}", "{nothing}", "{", "a/b",
          "two words", "line\nbreak", "\u0000", "\u2603", [], ["x"], [[]], [None], [{}], {}, {"x": 1}, {"compile": "x"},
          {"compile": [1]}, {"gcc": []}, {"when_target": {"AVX3_ZEN4": []}}, {"needs": [[]]}]


def nodes(tree, path=()):
    """Every place in a JSON tree, as the keys that lead there."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from nodes(value, (*path, key))


def change(table, rng):
    """One random change, in place: a value of another kind, a lost or a repeated item, two that swap places."""
    places = list(nodes(table))
    path = rng.choice(places)
    parent = table
    for key in path[:-1]:
        parent = parent[key]
    kind = rng.randrange(5)
    if kind == 0:
        del parent[path[-1]]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[path[-1]]))
    elif kind == 2 and isinstance(parent, dict):
        parent[rng.choice(["name", "x", "", "compile", "needs", "trained_by", "post"])] = parent.pop(path[-1])
    elif kind == 3:
        other = table
        for key in rng.choice(places):
            if not isinstance(other, (dict, list)) or (key not in other if isinstance(other, dict) else key >= len(other)):
                break
            other = other[key]
        parent[path[-1]] = copy.deepcopy(other)
    else:
        parent[path[-1]] = copy.deepcopy(rng.choice(VALUES))


def use(table):
    """What the build does with a table that was found good."""
    for toolchain in t.TOOLCHAINS:
        rows = t.resolve(table, toolchain, "AVX3_ZEN4", list(t.NEEDS), "/b")
        json.dumps(rows)
        t.as_cmake(table, rows)
    for row in table["variants"]:
        if row["group"] != "helper":
            assert row["name"] in t.select(table, row["name"])


class RandomTables(unittest.TestCase):
    def test_changed_trees_are_refused_or_usable(self):
        good = json.loads((HERE / "variants.json").read_text(encoding="utf-8"))
        use(good)
        refused = 0
        for case in range(CASES):
            rng = random.Random(case)
            table = copy.deepcopy(good)
            for _ in range(rng.randrange(1, 4)):
                change(table, rng)
            with self.subTest(case=case):
                try:
                    t.check(table)
                except t.TableError:
                    refused += 1
                    continue
                use(table)
        self.assertGreater(refused, CASES // 4)
        self.assertLess(refused, CASES)

    def test_changed_bytes_are_refused_or_usable(self):
        good = (HERE / "variants.json").read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "variants.json"
            for case in range(CASES // 4):
                rng = random.Random(case)
                text = bytearray(good)
                for _ in range(rng.randrange(1, 6)):
                    at = rng.randrange(len(text))
                    text[at:at + rng.randrange(3)] = bytes(rng.choice(b'{}[]",:0x\xff\n\\') for _ in range(rng.randrange(3)))
                if case % 7 == 0:
                    text = text[:rng.randrange(len(text))]
                path.write_bytes(text)
                with self.subTest(case=case):
                    try:
                        table = t.load(path)
                    except t.TableError as error:
                        self.assertIn("variants.json", str(error))
                        continue
                    use(table)

    def test_a_tree_too_deep_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "variants.json"
            path.write_text("[" * 100000, encoding="utf-8")
            with self.assertRaises(t.TableError):
                t.load(path)


if __name__ == "__main__":
    unittest.main()
