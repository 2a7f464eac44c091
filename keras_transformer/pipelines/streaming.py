"""Batches from a stream of texts of any size."""

import itertools

from keras_transformer import arguments

_SORTED_TEXTS = 32  # batches whose texts are sorted by length together


def in_length_order(texts, batch_size, process_batch, length=len):
    """Applies a function of batches to an iterable of texts, however long, in constant memory.

    Texts of about equal length go into one batch; the order is kept.

    Args:
        texts: an iterable of `str`, or of what `length` measures.
        batch_size: how many texts a batch has at most.
        process_batch: takes a list of them; returns as many results.
        length: gives the length of one.

    Yields:
        The result of each text.

    Raises:
        ValueError: for a batch size below 1, and a single string.
    """
    arguments.positive_integer("batch_size", batch_size)
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"Expected an iterable of strings. Received a single one: {texts!r}")
    texts = iter(texts)
    while window := list(itertools.islice(texts, batch_size * _SORTED_TEXTS)):
        order = sorted(range(len(window)), key=lambda i: length(window[i]))
        results = [None] * len(window)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            for i, result in zip(batch, process_batch([window[i] for i in batch])):
                results[i] = result
        yield from results
