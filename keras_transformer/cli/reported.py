"""Runs lines through a model, and reports those that are too long for it."""

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from keras_transformer.cli.progress import Progress


def results_of(
    lines: Iterable[tuple[str, str]],
    batch_size: int,
    progress: Progress,
    process: Callable[[list[str]], Iterable[Any]],
    count_tokens: Callable[[Sequence[str]], Any],
    limit: Any,
) -> Iterator[Any]:
    """Applies a function of batches to a stream of lines, and says which lines are truncated.

    Args:
        lines: an iterable of (place, text).
        batch_size: texts that are processed at once.
        progress: a `Progress`.
        process: from a list of texts to a result for each.
        count_tokens: from a list of texts to the number of tokens of each.
        limit: a `Limit`, of length `None` if the model does not tell it.

    Yields:
        The result of each line.
    """
    from keras_transformer.pipelines.streaming import in_length_order

    def process_batch(texts):
        with warnings.catch_warnings():
            # `_texts` says the same, with the places.
            warnings.filterwarnings("ignore", message=f".* {limit.name}=")
            results = list(process(texts))
        progress.advance(len(texts))
        return results

    yield from in_length_order(_texts(lines, batch_size, progress, count_tokens, limit), batch_size, process_batch)


def _texts(lines, batch_size, progress, count_tokens, limit):
    lines = iter(lines)
    while limit.length and (chunk := list(itertools.islice(lines, batch_size))):
        for (place, text), length in zip(chunk, count_tokens([text for _, text in chunk]).numpy()):
            if length > limit.length:
                progress.say(f"{place}: {length} tokens, the model takes {limit.length}; the end is not {limit.done}")
            yield text
    yield from (text for _, text in lines)
