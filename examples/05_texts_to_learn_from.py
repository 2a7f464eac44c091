"""Collects the distinct texts of many files, without held-out ones, for a teacher to embed.

python examples/05_texts_to_learn_from.py --held-out sts.dev.tsv --out texts.txt captions.tsv.gz stories.txt

Each column of each file is a text; numbers and single words, such as scores and labels, are left out.
"""

import argparse
import re
from collections.abc import Iterable, Iterator

from keras_transformer.atomic import replacing
from keras_transformer.data.lines import read_lines


def texts_of(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        for line in read_lines(path):
            for column in line.split("\t"):
                text = " ".join(column.split())
                if " " in text:
                    yield text


def plain(text: str) -> str:
    """Returns the text in lower case and without punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--held-out", nargs="*", default=[], help="files of evaluation texts, which are left out")
    parser.add_argument("--longest", type=int, default=160, help="longest text, in characters (default: %(default)s)")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    held_out = {plain(text) for text in texts_of(args.held_out)}
    texts = dict.fromkeys(text for text in texts_of(args.files) if len(text) <= args.longest)
    kept = [text for text in texts if plain(text) not in held_out]
    words = dict.fromkeys(word for text in kept for word in plain(text).split())
    with replacing(args.out) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{text}\n" for text in (*kept, *words))
    print(f"{len(kept):,} texts and {len(words):,} single words; {len(texts) - len(kept):,} were held out")


if __name__ == "__main__":
    main()
