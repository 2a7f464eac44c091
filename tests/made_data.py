"""Small made data: a language whose translation is its words, reversed letter by letter."""

import random

WORDS = ["red", "blue", "green", "one", "two", "three", "dog", "cat", "bird", "house", "tree", "runs"]


def sentences(count, seed=0, longest=6):
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=generator.randint(1, longest))) for _ in range(count)]


def translate(sentence):
    return " ".join(word[::-1] for word in sentence.split())


def pairs(count, seed=0, longest=6):
    sources = sentences(count, seed, longest)
    return sources, [translate(sentence) for sentence in sources]
