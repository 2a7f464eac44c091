"""The texts from which the multilingual sentence encoder learns: translations get the vectors of their originals.

python recipes/multilingual_texts.py collect --data DATA --english texts.txt --held-out ko-en.dev.tsv.gz --out FOLDER
python recipes/multilingual_texts.py spread --vectors english.npy --folder FOLDER

`collect` writes FOLDER/english.txt, the English sentences that a teacher is to embed, each once, those of texts.txt
first; FOLDER/texts.txt, these and their translations; FOLDER/rows.npy, for each text the number of its English
sentence. Translations are those of parallel text, of the sentences and phrases that english_texts.py makes of word
lists, and the names of emoji (of Unicode's CLDR, in the package emoji). `spread` writes FOLDER/vectors.npy, the vector
of each text.

References:
    Reimers and Gurevych, 2020, "Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation".
"""

import argparse
import os
import random
from collections.abc import Iterator, Set

import emoji
import numpy as np
from made_translations import LANGUAGES, MadeSentences
from sources import LEFT_OUT, held_out, plain, write_lines

from keras_transformer.atomic import replacing
from keras_transformer.data import read_lines, read_rows

# {language: how many pairs}. Those that people translated come first.
PAIRS = {"ko": 160_000, "de": 40_000, "fr": 40_000, "es": 40_000, "ja": 60_000, "zh": 50_000}
# {language: share of the made sentences that are translated to it}. Parallel text speaks of software: what people do
# and what happens is told in these alone.
MADE = {"ko": 1.0, "de": 0.6, "fr": 0.5, "es": 0.5, "ja": 0.6, "zh": 0.5}
_COLUMNS = ("source", "flag", "foreign", "english")
_ROWS_AT_ONCE = 10_000


def translations(path: str, longest: int) -> list[tuple[str, str]]:
    """Pairs of English and a translation, each once, those by people first."""
    rows = [row for row in read_rows(path, _COLUMNS) if row[0] not in LEFT_OUT and max(map(len, row[2:])) <= longest]
    rows.sort(key=lambda row: row[1] != "H")
    return list(dict.fromkeys((english, foreign) for _, _, foreign, english in rows if english and foreign))


def collect(
    data: str, english: str, left_out: Set[str], longest: int, seed: int = 0
) -> tuple[list[str], list[str], list[int]]:
    """English sentences, all texts in random order, and for each the number of its English sentence."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(read_lines(english)))}
    rows = list(numbers.items())
    for language, count in PAIRS.items():
        pairs = translations(os.path.join(data, "parallel", f"{language}-en.train.tsv.gz"), longest)
        pairs = [pair for pair in pairs if left_out.isdisjoint(map(plain, pair))]
        for original, translation in pairs[:count]:
            number = numbers.setdefault(original, len(numbers))
            rows += [(original, number), (translation, number)]
    rows += made(list(numbers), numbers, random.Random(seed))
    for english, *others in emoji_names():
        number = numbers.setdefault(english, len(numbers))
        rows += [(name, number) for name in (english, *others)]
    # A made sentence may say by chance what a measured one says.
    rows = [row for row in dict.fromkeys(rows) if plain(row[0]) not in left_out]
    random.Random(seed).shuffle(rows)
    return list(numbers), [text for text, _ in rows], [number for _, number in rows]


def made(english: list[str], numbers: dict[str, int], choice: random.Random) -> list[tuple[str, int]]:
    """Translations of the made ones among English sentences, and of single phrases, with the numbers of the English.

    `numbers` gets those phrases that it has not.
    """
    sentences, rows = MadeSentences(), []
    for text in english:
        for language, translation in sentences.translations(text).items():
            if choice.random() < MADE[language]:
                rows.append((translation, numbers[text]))
    for phrase, translations in sentences.words():
        number = numbers.setdefault(phrase, len(numbers))
        rows += [(text, number) for text in (phrase, *translations.values())]
    return rows


def emoji_names() -> Iterator[list[str]]:
    """The names of each emoji, without skin tones: in English, then in the other languages."""
    for language in LANGUAGES:
        emoji.config.load_language(language)
    for names in emoji.EMOJI_DATA.values():
        if names["status"] == emoji.STATUS["fully_qualified"] and "skin_tone" not in names["en"]:
            yield [names[language].strip(":").replace("_", " ") for language in ("en", *LANGUAGES) if language in names]


def spread(vectors: str, folder: str) -> None:
    """Writes the vector of each text, by way of its English sentence."""
    of_english = np.load(vectors, mmap_mode="r")
    rows = np.load(os.path.join(folder, "rows.npy"))
    count = sum(1 for _ in read_lines(os.path.join(folder, "english.txt")))
    if len(of_english) != count:
        raise ValueError(f"Expected a vector of each of {count:,} lines of english.txt. Received: {len(of_english):,}")
    with replacing(os.path.join(folder, "vectors.npy")) as path:
        found = np.lib.format.open_memmap(path, "w+", "float16", (len(rows), of_english.shape[1]))
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            found[first : first + _ROWS_AT_ONCE] = of_english[rows[first : first + _ROWS_AT_ONCE]]
        found.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("collect")
    step.add_argument("--data", required=True)
    step.add_argument("--english", required=True, metavar="FILE", help="English sentences, one a line")
    step.add_argument("--held-out", nargs="+", required=True, metavar="FILE", help="texts to leave out")
    step.add_argument("--longest", type=int, default=160, help="longest text, in characters (default: %(default)s)")
    step.add_argument("--out", required=True, metavar="FOLDER")
    step = steps.add_parser("spread")
    step.add_argument("--vectors", required=True, metavar="FILE", help="of english.txt, .npy")
    step.add_argument("--folder", required=True)
    args = parser.parse_args()
    if args.step == "spread":
        spread(args.vectors, args.folder)
        return
    os.makedirs(args.out, exist_ok=True)
    english, texts, rows = collect(args.data, args.english, held_out(args.held_out), args.longest)
    write_lines(os.path.join(args.out, "english.txt"), english)
    write_lines(os.path.join(args.out, "texts.txt"), texts)
    with replacing(os.path.join(args.out, "rows.npy")) as path, open(path, "wb") as file:
        np.save(file, np.asarray(rows, "int32"))
    print(f"{len(english):,} English sentences, {len(texts):,} texts")


if __name__ == "__main__":
    main()
