"""1,000 sentences of everyday scenes in English and Korean, to search in.

python examples/browser/sentences.py > sentences.tsv

They are put together from the word lists of recipes/, which are of this project. Who does it is drawn; what is done
is in each sentence another.
"""

# pyright: reportMissingImports=false

import pathlib
import random
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "recipes"))

from made_translations import MadeSentences  # found by the line above

WHO = (
    "a man", "a woman", "a boy", "a girl", "a child", "a young woman", "an old man", "a person", "a teenager",
    "a little boy", "a grandmother", "a grandfather", "a gentleman", "a lady", "a little girl", "two boys", "two women",
)  # fmt: skip
# Of each kind of object what people do with every one of them.
ACTIONS = {
    "food": ("eating", "buying", "preparing"),
    "drink": ("drinking", "pouring", "ordering"),
    "instrument": ("playing", "carrying", "learning to play"),
    "game": ("playing", "watching"),
    "vehicle": ("repairing", "washing"),
    "animal": ("feeding", "photographing", "looking at"),
    "tool": ("holding", "cleaning"),
    "thing": ("carrying", "buying"),
    "ball": ("throwing", "kicking"),
    "art": ("drawing", "looking at"),
    "clothes": ("putting on", "washing"),
    "person": ("helping", "talking to", "waving at"),
    "show": ("watching", "waiting for", "talking about"),
    "household": ("cleaning",),
    "machine": ("fixing", "inspecting"),
    "building": ("building",),
}
# Of animals, of one sex, not for children, and of no use to look at.
_LEFT_OUT = re.compile(
    r"\b(its|his|her|barking|bone|stick|sniffing|shaking off|branch|each other|flying over|gun|rifle|shooting|fighting"
    r"|tattoo|smok\w+|cigarette|medicine|gutting|operating|wine|beer|cocktail|married|kissing)\b"
)


def made(count: int = 1000, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs of an English sentence and its Korean translation, in random order."""
    sentences, choice = MadeSentences(), random.Random(seed)
    lists = sentences.languages["ko"]
    predicates = list(lists["doing"])
    for kind, actions in ACTIONS.items():
        predicates += [f"{action} {thing}" for thing in lists[f"objects.{kind}"] for action in actions]
    predicates = [predicate for predicate in dict.fromkeys(predicates) if not _LEFT_OUT.search(predicate)]
    choice.shuffle(predicates)
    pairs = []
    for predicate in predicates[:count]:
        subject = choice.choice(WHO)
        text = f"{subject[0].upper()}{subject[1:]} {'are' if subject[:3] == 'two' else 'is'} {predicate}."
        pairs.append((text, sentences.translations(text)["ko"]))
    return pairs


if __name__ == "__main__":
    print("en\tko", *map("\t".join, made()), sep="\n")
