"""The texts from which the English sentence encoder learns, for a teacher to embed.

python recipes/english_texts.py --data DATA --held-out stsb.dev.tsv --out texts.txt

DATA is a folder of texts whose licences allow commercial use; none of those read is share-alike (`SENTENCES` and
`COLUMNS`). A teacher can label any text, so that more are made: opposites of sentences, and film reviews, descriptions
of scenes, headlines, news and questions from our own word lists in recipes/english/; single words and pairs of words.
"""

import argparse
import calendar
import collections
import itertools
import os
import random
import re
from collections.abc import Iterable, Iterator

from sources import LEFT_OUT, held_out, plain, write_lines

from keras_transformer.data import read_lines, read_rows

LISTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "english")
# Plain text, a sentence a line: how many are taken.
SENTENCES = {
    "text/en.standardebooks.txt.gz": 110_000,
    "text/en.openstax.txt.gz": 70_000,
    "text/en.commonvoice.txt.gz": 54_000,
    "text/en.wordnet.txt.gz": 43_000,
    "text/en.techdocs.txt.gz": 15_000,
    "text/en.taskmaster.txt.gz": 10_000,
}
# Tab-separated: the columns that are texts, and how many rows are taken.
COLUMNS = {
    "classify/banking77.train.tsv.gz": ((1,), 10_000),
    "classify/clinc150.train.tsv.gz": ((1,), 15_000),
    "summary/openstax.en.tsv.gz": ((1,), 1_500),
    "summary/msdocs.en.tsv.gz": ((1, 2), 1_500),
    "parallel/ko-en.train.tsv.gz": ((3,), 10_000),
}
OPPOSITES, REVIEWS, SCENES, HEADLINES, QUESTIONS, WORDS, PAIRS = 30_000, 30_000, 50_000, 25_000, 25_000, 15_000, 5_000
ACTS, NEWS = 80_000, 20_000

# Verbs that "not" follows.
_AFFIRMED = re.compile(r"\b(is|was|are|were|am|will|would|can|could|should|must|may|might)\b(?! not)", re.I)
_NEGATED = re.compile(r"\b([a-z]+?)(?: not|n[’']t|(?<=\bcan)not)\b", re.I)
# What stands before the "n't" of can't, won't, shan't.
_SHORT = {"ca": "can", "wo": "will", "sha": "shall"}
# Of who is in a scene: "two men", and "men", "dogs", "friends".
_COUNTED = re.compile(r"(two|three|four|five|several|many|a few) ")
_PLURAL = re.compile(r"([^ ]+ )*?(men|women|children|people|\w*[^s\W]s)$")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
# Capitalised words inside a sentence are names; "the" and a word serve as well.
_NAME = re.compile(r"(?<=[a-z,] )(?:the [a-z]{4,}|[A-Z][a-z]+(?: [A-Z][a-z]+)*)")


def sentences(data: str, longest: int, choice: random.Random) -> Iterator[str]:
    for name, count in SENTENCES.items():
        texts = (" ".join(line.split()) for line in read_lines(os.path.join(data, name)))
        yield from _sample((text for text in texts if 1 < len(text) <= longest), count, choice)
    for name, (columns, count) in COLUMNS.items():
        rows = (line.split("\t") for line in read_lines(os.path.join(data, name)))
        rows = [row for row in rows if row[0] not in LEFT_OUT and max(len(row[i]) for i in columns) <= longest]
        for row in _sample(rows, count, choice):
            yield from (" ".join(row[column].split()) for column in columns)


def opposites(texts: Iterable[str]) -> Iterator[str]:
    """Sentences that say the opposite of others: a word against its antonym, "not" put in or taken out."""
    antonyms = {}
    for first, second in read_rows(os.path.join(LISTS, "opposites.tsv"), ("word", "opposite")):
        antonyms.setdefault(first, second)
        antonyms.setdefault(second, first)
    word = re.compile(rf"\b({'|'.join(antonyms)})\b(?![’'])")  # the "won" of "won't" is none
    for text in texts:
        if word.search(text):
            yield word.sub(lambda found: antonyms[found[1]], text, count=1)
        elif _NEGATED.search(text):
            yield _NEGATED.sub(_affirmed, text, count=1)
        elif _AFFIRMED.search(text):
            yield _AFFIRMED.sub(lambda found: f"{found[1]} not", text, count=1)


def reviews(choice: random.Random) -> Iterator[str]:
    words, works, templates = _list("praise") + _list("blame"), _list("reviewed"), _list("reviews")
    degrees = [
        *[""] * 6,
        "very ",
        "so ",
        "really ",
        "rather ",
        "utterly ",
        "surprisingly ",
        "often ",
        "a bit ",
        "truly ",
    ]
    while True:
        a, b, c = choice.sample(words, 3)
        degree, work = choice.choice(degrees), choice.choice(works)
        yield choice.choice(templates).format(a=a, b=b, c=c, d=degree, work=work)


def scenes(choice: random.Random) -> Iterator[str]:
    """Descriptions as of pictures: who does what, and where."""
    who, doing, places = _list("people_and_animals"), _list("doing"), _list("places")
    while True:
        subject = choice.choice(who)
        articles, verb = grammar(subject)
        text = (
            f"{choice.choice(articles)}{subject} {verb} {choice.choice(['', '', '', '', 'not '])}{choice.choice(doing)}"
        )
        text += choice.choice(["", f" {choice.choice(places)}"]) + choice.choice(["", "."])
        yield text[0].upper() + text[1:]


def acts(choice: random.Random) -> Iterator[str]:
    """More of them: what is done with which thing, and how those look who do it; as sentences and as captions."""
    who, looks, clothing, places = map(_list, ("people_and_animals", "looks", "clothing", "places"))
    actions, objects = _table("actions"), _table("objects")
    kinds = [kind for kind, verbs in actions.items() for _ in range(min(len(verbs), len(objects[kind])))]
    while True:
        subject, kind = choice.choice(who), choice.choice(kinds)
        if not _COUNTED.match(subject) and choice.random() < 0.4:
            subject = f"{choice.choice(looks)} {subject}"
        articles, verb = grammar(subject)
        article = choice.choice(articles)
        if choice.random() < 0.3:
            subject += f" {choice.choice(clothing)}"
        verb = choice.choice([f"{verb} ", f"{verb} ", ""])
        text = f"{article}{subject} {verb}{choice.choice(actions[kind])} {choice.choice(objects[kind])}"
        if choice.random() < 0.3:
            text += f" {choice.choice(places)}"
        text += choice.choice(["", "."])
        yield text[0].upper() + text[1:]


def grammar(subject):
    """Its possible articles, and its verb."""
    if _COUNTED.match(subject):
        return ["", "the "], "are"
    if _PLURAL.match(re.split(" (?:of|in|with) ", subject)[0]):
        return ["", "some ", "the "], "are"
    return ["an " if subject[0] in "aeiou" else "a ", "the "], "is"


def headlines(choice: random.Random) -> Iterator[str]:
    """As of newspapers. The names are common ones, and nothing that is said of them happened."""
    templates, countries, companies = _list("headlines"), _list("countries"), _list("companies")
    names, disasters = _list("surnames"), _list("disasters")
    while True:
        drawn = _two_of_each(choice, country=countries, company=companies, name=names)
        text = choice.choice(templates).format(
            **drawn,
            disaster=choice.choice(disasters),
            n=choice.choice([2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 17, 20, 25, 30, 40, 58, 60, 75, 90, 100, 200]),
        )
        yield text[0].upper() + text[1:]


def news(choice: random.Random) -> Iterator[str]:
    """Sentences as of newspapers, of whose names and numbers the same is true."""
    templates, countries, companies, names = map(_list, ("news", "countries", "companies", "surnames"))
    while True:
        drawn = _two_of_each(choice, country=countries, company=companies, name=names)
        n, n2, n3 = (choice.choice([choice.randint(2, 99), f"{choice.randint(11, 999) / 10}"]) for _ in range(3))
        yield choice.choice(templates).format(
            **drawn,
            n=n,
            n2=n2,
            n3=n3,
            day=choice.choice(calendar.day_name),
            month=choice.choice(calendar.month_name[1:]),
            quarter=choice.choice(["first", "second", "third", "fourth"]),
        )


def _two_of_each(choice, **lists):
    """{"country": one of them, "country2": another} and so on."""
    drawn = {}
    for name, listed in lists.items():
        drawn[name], drawn[f"{name}2"] = choice.sample(listed, 2)
    return drawn


def questions(names: list[str], choice: random.Random) -> Iterator[str]:
    templates = _list("questions")
    while True:
        x, y = choice.sample(names, 2)
        yield choice.choice(templates).format(x=x, y=y)


def collect(data: str, longest: int, seed: int = 0) -> list[str]:
    """All texts, each once, in random order."""
    choice = random.Random(seed)
    found = list(dict.fromkeys(sentences(data, longest, choice)))
    words, pairs, names = collections.Counter(), collections.Counter(), collections.Counter()
    for text in found:
        tokens = [token.lower() for token in _WORD.findall(text)]
        words.update(tokens)
        pairs.update(map(" ".join, itertools.pairwise(tokens)))
        names.update(_NAME.findall(text))
    made = [
        *itertools.islice(opposites(choice.sample(found, len(found))), OPPOSITES),
        *itertools.islice(reviews(choice), REVIEWS),
        *itertools.islice(scenes(choice), SCENES),
        *itertools.islice(headlines(choice), HEADLINES),
        *itertools.islice(questions([name for name, count in names.items() if count > 1], choice), QUESTIONS),
        *itertools.islice(acts(choice), ACTS),
        *itertools.islice(news(choice), NEWS),
        *_most_frequent(words, WORDS),
        *_most_frequent(pairs, PAIRS),
    ]
    texts = list(dict.fromkeys([*found, *made]))
    choice.shuffle(texts)
    return texts


def _affirmed(found):
    verb = found[1]
    whole = _SHORT.get(verb.lower(), verb)
    return whole.capitalize() if verb[0].isupper() else whole


def _list(name):
    return list(read_lines(os.path.join(LISTS, f"{name}.txt")))


def _table(name):
    """{kind: what a line's second column lists}."""
    rows = read_rows(os.path.join(LISTS, f"{name}.tsv"), ("kind", "listed"))
    return {kind: listed.split("|") for kind, listed in rows}


def _sample(items, count, choice):
    items = list(items)
    return choice.sample(items, min(count, len(items)))


def _most_frequent(counter, count):
    return [key for key, _ in counter.most_common(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument(
        "--held-out", nargs="+", required=True, metavar="FILE", help="tab-separated: texts to leave out"
    )
    parser.add_argument(
        "--longest", type=int, default=120, help="longest text that is read, in characters (%(default)s)"
    )
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    left_out = held_out(args.held_out)
    texts = collect(args.data, args.longest)
    kept = [text for text in texts if plain(text) not in left_out]
    write_lines(args.out, kept)
    print(f"{len(kept):,} texts; {len(texts) - len(kept):,} were held out")


if __name__ == "__main__":
    main()
