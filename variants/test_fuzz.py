"""The harness's fuzzers link: fuzz.cmake lists every source whose header they reach."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = re.compile(r'list\(FILTER harness_fuzz_sources INCLUDE REGEX "([^"]+)"\)')


def reached():
    """Sources that belong to a header which a fuzzer, or such a source or header, includes."""
    todo, seen = list((ROOT / "harness/fuzz").glob("*_fuzz.cc")), set()
    fuzzers = set(todo)
    while todo:
        path = todo.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for header in re.findall(r'#include "(harness/[^"]+)"', path.read_text()):
            todo += [ROOT / header, (ROOT / header).with_suffix(".cc")]
    return {path for path in seen - fuzzers if path.suffix == ".cc"}


class HarnessFuzzers(unittest.TestCase):
    def test_every_source_that_they_reach_is_linked(self):
        listed = LIST.search((ROOT / "variants/fuzz.cmake").read_text())[1].replace("\\\\", "\\")
        missing = [str(path.relative_to(ROOT)) for path in sorted(reached()) if not re.search(listed, str(path))]
        self.assertEqual(missing, [])

    def test_they_reach_what_reads_foreign_text(self):
        names = {path.stem for path in reached()}
        self.assertLessEqual({"manifest", "protocol", "record"}, names)


if __name__ == "__main__":
    unittest.main()
