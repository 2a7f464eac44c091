"""Asks all questions, one after the other, and prints what they say and which aims were met.

`python -m benchmarks [--out FOLDER] [--rounds N] [QUESTION ...]`
"""

import argparse
import importlib
import json
import pathlib
import subprocess
import sys

from benchmarks.contest import Contest, sentence


def main():
    folder = pathlib.Path(__file__).parent
    known = [path.stem for path in sorted(folder.glob("*.py")) if is_question(path.stem)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", default=known, help=f"of {', '.join(known)}")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", help="runs of each entrant")
    args = parser.parse_args()
    options = ["--out", str(args.out), *(["--rounds", args.rounds] if args.rounds else [])]
    failed = []
    for question in args.questions:
        # A process for each, so that one's memory is not another's.
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{question}", *options], check=False)
        print(flush=True)
        if done.returncode:
            failed.append(question)
    print("Aims")
    for question in args.questions:
        path = args.out / f"{question}.json"
        if path.exists():
            for aim in json.loads(path.read_text())["aims"]:
                print(f"  {question}: {sentence(aim)}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


def is_question(name):
    """Whether a module of this folder holds a contest."""
    return name != "__main__" and isinstance(
        getattr(importlib.import_module(f"benchmarks.{name}"), "contest", None), Contest
    )


if __name__ == "__main__":
    main()
