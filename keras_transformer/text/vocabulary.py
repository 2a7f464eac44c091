"""Vocabularies: lists of subwords, whose places are their ids."""


def ids_of(vocabulary, special_tokens):
    """The ids of special tokens.

    Args:
        vocabulary: a list of `str`.
        special_tokens: a list of `str`.

    Raises:
        ValueError: for a vocabulary with a token twice, or without one of these.
    """
    ids = {token: i for i, token in enumerate(vocabulary)}
    twice = [token for i, token in enumerate(vocabulary) if ids[token] != i]
    if twice:
        raise ValueError(f"Expected a vocabulary of different tokens. Received twice: {twice[:5]}")
    missing = [token for token in special_tokens if token not in ids]
    if missing:
        raise ValueError(f"Expected a vocabulary with the special tokens. Received one without {missing}")
    return [ids[token] for token in special_tokens]
