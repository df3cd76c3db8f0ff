"""Reads execution counts out of the compilers' profiles, and says how much of one run another one covers.

A profile is {function: [counts]}, a function being named by object and id (GCC) or by symbol (Clang).
"""

import dataclasses
import pathlib
import re
import subprocess

FUNCTION = re.compile(r"^(.*?):\s*01000000:.*FUNCTION ident=(\d+)")
ARCS = re.compile(r":\s*01a10000:")
RECORD = re.compile(r":\s+01[0-9a-f]{6}:")
VALUES = re.compile(r":\s+\d+:((?: \d+)+) *$")


def parse_gcov_dump(text):
    """What `gcov-dump -l FILES...` prints. Only arc counters count; value profiles are no executions."""
    profile = {}
    current = None
    for line in text.splitlines():
        found = FUNCTION.match(line)
        if found:
            current = None
            key = (found.group(1), found.group(2))
            continue
        if ARCS.search(line):
            current = profile.setdefault(key, [])
            continue
        values = VALUES.search(line)
        if values and current is not None:
            current += [int(count) for count in values.group(1).split()]
        elif RECORD.search(line):
            current = None
    return profile


def parse_llvm_text(text):
    """What `llvm-profdata merge --text` writes (IR instrumentation)."""
    profile = {}
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith((":", "# IR", "# CS"))]
        if "# Counter Values:" not in lines:
            continue
        start = lines.index("# Counter Values:")
        size = int(lines[start - 1])
        hash_line = lines[lines.index("# Func Hash:") + 1]
        profile[(lines[0], hash_line)] = [int(value) for value in lines[start + 1:start + 1 + size]]
    return profile


@dataclasses.dataclass
class Coverage:
    functions: int            # with counters
    trained: int              # of them executed in training
    evaluated: int            # of them executed in the evaluation run
    evaluated_trained: int    # of those, executed in training too
    work_share: float         # share of the evaluation's counts on edges that training also took

    def line(self, name):
        return (f"profile of {name}: {self.trained} of {self.functions} functions trained; another prompt "
                f"executes {self.evaluated}, {self.evaluated_trained} of them trained; "
                f"{100 * self.work_share:.2f} % of its work is on trained edges")


def coverage(training, evaluation):
    """How much of what `evaluation` executed had a profile. Work is edge counts, so hot code weighs most."""
    work = covered = 0
    for key, counts in evaluation.items():
        known = training.get(key, [])
        for index, count in enumerate(counts):
            work += count
            if index < len(known) and known[index] > 0:
                covered += count
    executed = {key for key, counts in evaluation.items() if any(counts)}
    trained = {key for key, counts in training.items() if any(counts)}
    return Coverage(functions=len(training.keys() | evaluation.keys()), trained=len(trained),
                    evaluated=len(executed), evaluated_trained=len(executed & trained),
                    work_share=covered / work if work else 0.0)


def read_gcc(tool, folder):
    """All .gcda below `folder`; function keys hold paths relative to it."""
    files = sorted(str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*.gcda"))
    if not files:
        return {}
    run = subprocess.run([tool, "-l", *files], cwd=folder, capture_output=True, text=True, check=True)
    return parse_gcov_dump(run.stdout)


def read_llvm(tool, merged):
    run = subprocess.run([tool, "merge", "--text", str(merged), "-o", "-"], capture_output=True, text=True,
                         check=True)
    return parse_llvm_text(run.stdout)
