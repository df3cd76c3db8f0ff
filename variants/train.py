"""Trains a profile: runs the instrumented binary's `profile` workload and lays the result out for its users.

GCC looks a profile up by the path of the object that it compiles, so each user (pgo, lto-pgo, ...) gets its own
copy of the counts under its own objects' names. Clang's one merged file serves all.

Does nothing when the instrumented objects, the models, the users and this code are those of the last training, so
that a new commit or a touched file costs no training. A run that leaves no counts is an error.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import profile_data

# The evaluation prompt is the one of `bench`, which `profile` never uses (training and evaluation stay apart).
EVALUATION = ["bench", "-p", "24", "-n", "8", "-t", "2", "-r", "1"]


class TrainingError(Exception):
    pass


def digest(build_dir, trainer, models, toolchain, users):
    """Hash of all that decides the profile and its places: objects (but for the one that holds the commit), models,
    toolchain, users, this code."""
    state = hashlib.sha256(repr((toolchain, sorted(users))).encode())
    objects = build_dir / "CMakeFiles"
    files = [path for part in (f"engine-{trainer}.dir", f"smallmind-{trainer}.dir")
             for path in sorted((objects / part).rglob("*.o")) if path.name != "build_info.cc.o"]
    here = pathlib.Path(__file__).resolve().parent
    for path in [*files, *map(pathlib.Path, models), here / "train.py", here / "profile_data.py"]:
        state.update(str(path).encode())
        state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


def run(command, environment):
    process = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        raise TrainingError(f"{' '.join(map(str, command))} ended with {process.returncode}: "
                            f"{process.stderr.strip()[-2000:]}")


def record(toolchain, binary, commands, raw):
    """Runs the commands one after the other; their counts add up below `raw`."""
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    environment = {"GCOV_PREFIX": str(raw)} if toolchain == "gcc" else {"LLVM_PROFILE_FILE": f"{raw}/%m.profraw"}
    for command in commands:
        run([str(binary), *command], environment)


def lay_out_gcc(raw, place, trainer, users):
    """raw/<absolute path of the trainer's object>.gcda -> place/<user>/<mangled path of the user's object>.gcda"""
    count = 0
    for user in users:
        folder = place / user
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in raw.rglob("*.gcda"):
            name = "/" + str(path.relative_to(raw))
            for part in ("engine", "smallmind"):
                name = name.replace(f"/{part}-{trainer}.dir/", f"/{part}-{user}.dir/")
            shutil.copyfile(path, folder / name.replace("/", "#"))
            count += 1
    return count


def train(options):
    build_dir, trainer = options.build_dir, options.trainer
    place = build_dir / "pgo" / trainer
    stamp = place / "profile_stamp.h"
    state = digest(build_dir, trainer, options.models, options.toolchain, options.users)
    trained = place / "digest"
    if trained.exists() and trained.read_text() == state and stamp.exists():
        return
    # Absent until all the rest is written: a training that is killed must not be believed.
    trained.unlink(missing_ok=True)
    binary = build_dir / "variants" / trainer / "smallmind"
    training, evaluation = place / "raw-training", place / "raw-evaluation"
    record(options.toolchain, binary, [["profile", "-m", model] for model in options.models], training)
    record(options.toolchain, binary, [[*EVALUATION, "-m", model] for model in options.models], evaluation)
    if options.toolchain == "gcc":
        lay_out_gcc(training, place, trainer, options.users)
        counts = [profile_data.read_gcc(options.tool, raw) for raw in (training, evaluation)]
    else:
        counts = []
        for raw, merged in ((training, "merged.profdata"), (evaluation, "evaluation.profdata")):
            files = sorted(map(str, raw.glob("*.profraw")))
            if not files:
                raise TrainingError(f"training {trainer} left no profile in {raw}")
            run([options.tool, "merge", "-o", str(place / merged), *files], {})
            counts.append(profile_data.read_llvm(options.tool, place / merged))
    if not any(any(values) for values in counts[0].values()):
        raise TrainingError(f"training {trainer} left an empty profile in {training}")
    result = profile_data.coverage(*counts)
    (place / "coverage.json").write_text(json.dumps(dataclasses.asdict(result), indent=1) + "\n")
    stamp.write_text(f"// Profile of {trainer}; a change of this line recompiles what was optimised with it.\n"
                     f"// {hashlib.sha256(repr(sorted(counts[0].items())).encode()).hexdigest()}\n")
    trained.write_text(state)
    print(result.line(trainer))


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toolchain", choices=("gcc", "clang"), required=True)
    parser.add_argument("--trainer", required=True)
    parser.add_argument("--users", required=True, type=lambda text: text.split(","))
    parser.add_argument("--tool", required=True, help="gcov-dump or llvm-profdata")
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args(argv)
    try:
        train(options)
    except (TrainingError, OSError, subprocess.CalledProcessError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
