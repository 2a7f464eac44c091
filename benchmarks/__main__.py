"""Asks all questions, one after the other, and prints what they say and which aims were met.

`python -m benchmarks [--out FOLDER] [--rounds N] [QUESTION ...]`
"""

import argparse
import json
import pathlib
import subprocess
import sys

from benchmarks.report import sentence

QUESTIONS = [
    "encoder_forward",
    "encoder_padded",
    "encoder_training",
    "transformer_training",
    "strings_to_vectors",
    "one_string",
    "translation",
    "beam_translation",
    "one_translation",
    "attention_length",
    "cost_per_token",
    "import_time",
    "first_vector",
]


def main(arguments=None):
    """Asks; exits with a message if a question failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(QUESTIONS)}; by default all")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    parser.add_argument("--rounds", help="runs of each entrant")
    args = parser.parse_args(arguments)
    questions = args.questions or QUESTIONS
    if unknown := sorted(set(questions) - set(QUESTIONS)):
        parser.error(f"expected questions of {', '.join(QUESTIONS)}; received {', '.join(unknown)}")
    options = ["--out", str(args.out), *(["--rounds", args.rounds] if args.rounds else [])]
    failed = []
    for question in questions:
        # A process for each, so that one's memory is not another's.
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{question}", *options], check=False)
        print(flush=True)
        if done.returncode:
            failed.append(question)
    print("Aims")
    for question in questions:
        path = args.out / f"{question}.json"
        for aim in json.loads(path.read_text()).get("aims", []) if path.exists() else []:
            print(f"  {question}: {sentence(aim)}")
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
