"""Batches from a stream of texts of any size, and warnings about truncated texts."""

import heapq
import itertools
import reprlib
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

import keras

from keras_transformer import arguments

_NAMED_CUTS = 5  # texts that a warning names
_NONE = object()
_SORTED_TEXTS = 32  # batches whose texts are sorted by length together


def in_length_order(
    texts: Iterable[typing.Any],
    batch_size: int,
    process_batch: Callable[[list], Iterable[typing.Any]],
    length: Callable[[typing.Any], int] = len,
) -> Iterator[typing.Any]:
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


class Limit(typing.NamedTuple):
    """How many tokens of a text a pipeline takes.

    Attributes:
        name: of the pipeline's argument.
        length: the number.
        done: what is not done with the rest: "embedded", "translated".
    """

    name: str
    length: int
    done: str


def text_rows(**columns: Iterable[str | bytes]) -> Iterator[tuple[bytes, ...]]:
    """Yields a tuple for each text: what each iterable of strings in `columns` has for it, as UTF-8 `bytes`.

    Raises:
        ValueError: for a single string, what is no string, and columns of unequal lengths.
    """
    for name, texts in columns.items():
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {reprlib.repr(texts)} ({name})")
    for number, row in enumerate(itertools.zip_longest(*columns.values(), fillvalue=_NONE), start=1):
        missing = [name for name, text in zip(columns, row) if text is _NONE]
        if missing:
            more = next(name for name in columns if name not in missing)
            raise ValueError(
                f"Expected equally many {' and '.join(columns)}. Received: {number - 1} {missing[0]} and more {more}"
            )
        yield tuple(_utf8(text, f"{name}, number {number}") for name, text in zip(columns, row))


def in_batches(
    rows: Iterable[tuple[bytes, ...]],
    batch_size: int,
    process_batch: Callable[..., tuple[Iterable[typing.Any], Sequence[int] | None]],
    limit: Limit | None = None,
    bar: keras.utils.Progbar | None = None,
    stacklevel: int = 3,
) -> Iterator[typing.Any]:
    """Applies a function of batches to a stream of texts; at its end a warning says which ones were truncated.

    Args:
        rows: what `text_rows` yields.
        batch_size: rows in a batch.
        process_batch: takes a tuple of `bytes` for each column; gives (a result for each row, the number of tokens
            of each row or `None`).
        limit: a `Limit`: texts of more tokens are truncated; may be `None` where no number is given.
        bar: what `progress_bar` gives, or `None`.
        stacklevel: of the warning; 2 is whoever reads the stream.

    Yields:
        The result of each row, in order.

    Raises:
        ValueError: for a batch size below 1.
    """
    count, num_truncated, first_cut = 0, 0, []

    def process(batch):
        nonlocal count, num_truncated, first_cut
        numbers, columns = zip(*batch)
        results, lengths = process_batch(*zip(*columns))
        count += len(batch)
        if lengths is not None:
            cut = [number for number, length in zip(numbers, lengths) if length > limit.length]
            num_truncated += len(cut)
            first_cut = heapq.nsmallest(_NAMED_CUTS, first_cut + cut)
        if bar:
            bar.add(len(batch))
        return results

    try:
        numbered = enumerate(rows, start=1)
        yield from in_length_order(numbered, batch_size, process, length=lambda row: max(map(len, row[1])))
        if bar and bar.target is None and count:
            bar.update(count, finalize=True)
    finally:  # also where the reader does not want the rest
        if num_truncated:
            named = ", ".join(map(str, first_cut)) + (", ..." if num_truncated > len(first_cut) else "")
            warnings.warn(
                f"{num_truncated} of {count} texts have more than {limit.name}={limit.length} tokens (number {named}); "
                f"their ends are not {limit.done}",
                stacklevel=stacklevel,
            )


def _utf8(text, place):
    if isinstance(text, bytes):
        return text
    if not isinstance(text, str):
        raise ValueError(f"Expected strings. Received: {reprlib.repr(text)} ({place})")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Expected strings that UTF-8 can hold. Received: character {error.start + 1}, "
            f"{error.object[error.start]!r}, is a lone surrogate ({place})"
        ) from error
