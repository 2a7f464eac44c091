"""The pairs from which the translators between Korean and English learn.

python recipes/korean_english_pairs.py --pairs parallel/ko-en.train.tsv.gz --to en --all all.tsv --human human.tsv

Writes two files of source, tab, target: all pairs, and those that people translated. Left out are sources under
share-alike licences and with offensive texts, and pairs that teach nothing: empty sides, equal sides, repetitions.
"""

import argparse
from collections.abc import Iterator

from sources import LEFT_OUT, write_lines

from keras_transformer.data import read_rows

HUMAN = "H"


def pairs(path: str, to: str) -> Iterator[tuple[str, str, bool]]:
    """Yields (source, target, whether people translated it), each pair once."""
    by_people = {}
    for source, flag, korean, english in read_rows(path, ("source", "flag", "korean", "english")):
        pair = (korean, english) if to == "en" else (english, korean)
        if source not in LEFT_OUT and all(pair) and korean != english:
            by_people[pair] = by_people.get(pair, False) or flag == HUMAN
    for pair, is_human in by_people.items():
        yield *pair, is_human


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", required=True, help="tab-separated: name of the source, flag, Korean, English")
    parser.add_argument("--to", required=True, choices=("en", "ko"))
    parser.add_argument("--all", required=True, metavar="FILE")
    parser.add_argument("--human", required=True, metavar="FILE")
    args = parser.parse_args()
    rows = list(pairs(args.pairs, args.to))
    for path, chosen in ((args.all, rows), (args.human, [row for row in rows if row[2]])):
        write_lines(path, (f"{source}\t{target}" for source, target, _ in chosen))
        print(f"{path}: {len(chosen):,} pairs")


if __name__ == "__main__":
    main()
