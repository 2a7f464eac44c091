"""Special tokens: their ids in a vocabulary, and where a text spells them."""

import re
from collections.abc import Iterable, Sequence

import tensorflow as tf


def ids_of(vocabulary: Sequence[str], special_tokens: Iterable[str]) -> list[int]:
    """The ids of special tokens: their positions in the vocabulary.

    Raises:
        ValueError: if the vocabulary has a token twice, or lacks one of `special_tokens`.
    """
    ids = {token: i for i, token in enumerate(vocabulary)}
    twice = [token for i, token in enumerate(vocabulary) if ids[token] != i]
    if twice:
        raise ValueError(f"Expected a vocabulary of different tokens. Received twice: {twice[:5]}")
    missing = [token for token in special_tokens if token not in ids]
    if missing:
        raise ValueError(f"Expected a vocabulary with the special tokens. Received one without {missing}")
    return [ids[token] for token in special_tokens]


def separated(texts: tf.Tensor, tokens: Iterable[str], separator: str) -> tf.Tensor:
    """Strings (N,) with `separator` around each of `tokens`. Of overlapping ones the first counts, then the longest."""
    pattern = "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))
    return tf.strings.regex_replace(texts, f"({pattern})", rf"{separator}\1{separator}")
