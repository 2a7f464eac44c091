"""What the embedders share: results for any number of texts in constant memory, and word of those that were cut."""

import heapq
import itertools
import reprlib
import warnings

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.streaming import in_length_order
from keras_transformer.pipelines.vector_similarity import KINDS, similarity

_NAMED_CUTS = 5  # texts that a warning names
_NONE = object()


class EmbedsTexts:
    """The vectors of texts, for a class that embeds a batch of them.

    A subclass has `output_dim`, the width of its vectors, `max_length`, the tokens that it takes of a text (`None` if
    that is unknown), and `_embed_batch`: from N texts, as `bytes`, to (vectors (N, D), number of tokens (N,) or
    `None`).
    """

    def embed(self, texts, batch_size=32, show_progress=False):
        """The vectors of any number of texts.

        Texts of about equal length go into one batch; the order is kept. A text has the same vector in any batch, to
        1e-5. Beside the result, memory does not grow with the number of texts.

        Args:
            texts: an iterable of `str`: a list, a file of lines, a generator.
            batch_size: texts that are embedded at once.
            show_progress: draw a bar, as `predict` does.

        Returns:
            (N, D), float32. A warning says which texts were cut, counted from 1, and how many.

        Raises:
            ValueError: for a batch size below 1, a single string, and what is no string.
        """
        return as_array(self._stream(texts, batch_size, show_progress, stacklevel=4), self.output_dim)

    def embed_stream(self, texts, batch_size=32):
        """As `embed`, but one vector after the other, in constant memory.

        Args:
            texts: as for `embed`.
            batch_size: as for `embed`.

        Yields:
            (D,), float32, for each text. When all are read, a warning says which ones were cut.

        Raises:
            ValueError: as `embed`.
        """
        return self._stream(texts, batch_size, stacklevel=2)

    def similarity(self, texts_a, texts_b, kind="angular", paired=False, batch_size=32):
        """How alike texts are: `keras_transformer.pipelines.similarity` of their vectors.

        Args:
            texts_a: an iterable of N `str`.
            texts_b: an iterable of M `str`.
            kind: "angular" or "cosine".
            paired: compare text n with text n alone.
            batch_size: as for `embed`.

        Returns:
            (N, M), or (N,) if `paired`; float64.

        Raises:
            ValueError: for an unknown kind, unequal numbers of pairs, and as `embed`.
        """
        arguments.one_of("kind", kind, KINDS)  # before time is spent on the vectors
        a, b = (self.embed(texts, batch_size) for texts in (texts_a, texts_b))
        return similarity(a, b, kind, paired)

    def _stream(self, texts, batch_size, show_progress=False, *, stacklevel):
        bar = progress_bar(texts) if show_progress else None
        return in_batches(text_rows(texts=texts), batch_size, self._embed_batch, self.max_length, bar, stacklevel)


def text_rows(**columns):
    """Yields a tuple for each text: what each iterable of strings in `columns` has for it, as UTF-8 `bytes`.

    Raises:
        ValueError: for a single string, what is no string, and columns of unequal lengths.
    """
    for name, texts in columns.items():
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {name}={reprlib.repr(texts)}")
    for number, row in enumerate(itertools.zip_longest(*columns.values(), fillvalue=_NONE), start=1):
        missing = [name for name, text in zip(columns, row) if text is _NONE]
        if missing:
            raise ValueError(
                f"Expected equally many {' and '.join(columns)}. Received: {number - 1} {missing[0]} and more of others"
            )
        yield tuple(_utf8(text, f"{name}, number {number}") for name, text in zip(columns, row))


def in_batches(rows, batch_size, process_batch, max_length=None, bar=None, stacklevel=3):
    """Applies a function of batches to a stream of texts; at its end a warning says which ones were cut.

    Args:
        rows: what `text_rows` yields.
        batch_size: rows in a batch.
        process_batch: takes a tuple of `bytes` for each column; gives (a result for each row, the number of tokens
            of each row or `None`).
        max_length: texts of more tokens are cut; may be `None` where no number is given.
        bar: what `progress_bar` gives, or `None`.
        stacklevel: of the warning; 2 is whoever reads the stream.

    Yields:
        The result of each row, in order.

    Raises:
        ValueError: for a batch size below 1.
    """
    count, num_cut, first_cut = 0, 0, []

    def process(batch):
        nonlocal count, num_cut, first_cut
        numbers, columns = zip(*batch)
        results, lengths = process_batch(*zip(*columns))
        count += len(batch)
        if lengths is not None:
            cut = [number for number, length in zip(numbers, lengths) if length > max_length]
            num_cut += len(cut)
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
        if num_cut:
            named = ", ".join(map(str, first_cut)) + (", ..." if num_cut > len(first_cut) else "")
            warnings.warn(
                f"{num_cut} of {count} texts have more than max_length={max_length} tokens (number {named}); their "
                "ends are not embedded",
                stacklevel=stacklevel,
            )


def as_array(vectors, width):
    """A stream of vectors (D,) as one float32 array (N, D), without a second copy of all of them."""
    return np.fromiter(vectors, np.dtype((np.float32, (width,))))


def progress_bar(texts):
    """A bar for so many texts, if their number is known."""
    return keras.utils.Progbar(len(texts) if hasattr(texts, "__len__") else None, unit_name="text")


def ids_and_lengths(tokenizer, texts, max_length):
    """Texts (N,) as ids (N, T), padded, and how many tokens each had before it was cut, int64 (N,)."""
    tokens = tokenizer.tokenize(texts)
    ids = tokens[:, :max_length].to_tensor(tokenizer.padding_id)
    ids = tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]], constant_values=tokenizer.padding_id)
    return ids, tokens.row_lengths()


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
