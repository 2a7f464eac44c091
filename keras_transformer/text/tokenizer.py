"""The base of the tokenizers: strings to padded ids and back, inside the TensorFlow graph."""

from typing import Any

import keras
import tensorflow as tf

from keras_transformer.types import Config, Tensor, Texts

PADDING_ID, UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2, 3


class Tokenizer(keras.layers.Layer):
    """Base of the tokenizers: a Keras layer from strings to padded ids.

    A subclass defines `vocabulary_size`, `ids_to_pieces`, `_encode` (strings (N,) to ragged ids) and `_decode` (ragged
    ids to strings (N,)). Its padding, unknown, begin and end ids are 0, 1, 2 and 3 unless it sets `padding_id`,
    `unknown_id`, `begin_id` and `end_id`. With `adds_ends = True`, the begin and end ids are added by default.

    Each invalid UTF-8 sequence is read as U+FFFD. An empty string has no tokens. Length is unlimited unless
    `max_length` is given.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> ids = tokenizer.tokenize(["abc", "a"], add_end=True)
        >>> ids.to_list()
        [[101, 102, 103, 3], [101, 3]]
        >>> tokenizer.pad(tokenizer.truncate(ids, 3)).numpy().tolist()
        [[101, 102, 103], [101, 3, 0]]
        >>> tokenizer.detokenize(ids).numpy().tolist()
        [b'abc', b'a']
    """

    padding_id: int = PADDING_ID
    unknown_id: int = UNKNOWN_ID
    begin_id: int = BEGIN_ID
    end_id: int = END_ID
    adds_ends: bool = False

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("dtype", None)
        super().__init__(dtype="int32", **kwargs)
        self.built = True

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, the special ones included."""
        raise NotImplementedError

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The token of each id as a string, in the shape of `ids`."""
        raise NotImplementedError

    def tokenize(
        self,
        texts: Texts,
        add_begin: bool | None = None,
        add_end: bool | None = None,
        max_length: int | None = None,
    ) -> tf.RaggedTensor:
        """Tokenizes strings, without padding.

        Args:
            texts: a string tensor (N,), or a list of `str` or `bytes`.
            add_begin: whether to add the begin id; `None` for `adds_ends`.
            add_end: whether to add the end id; `None` for `adds_ends`.
            max_length: truncates longer rows to this number of ids; the begin and end ids are kept.

        Returns:
            int32 ids (N, number of tokens), ragged.

        Raises:
            ValueError: if `texts` is not a list or vector of strings, or `max_length` is too small for the begin and
                end ids.
        """
        add_begin, add_end = (self.adds_ends if add is None else bool(add) for add in (add_begin, add_end))
        ids = self._encode(tf.strings.unicode_transcode(as_strings(texts), "UTF-8", "UTF-8"))
        if max_length is not None:
            _check_max_length(max_length, add_begin + add_end)
            ids = ids[:, : max_length - add_begin - add_end]
        rows = tf.shape(ids.row_starts())
        begin = tf.fill(rows, self.begin_id) if add_begin else None
        return with_ends(ids, begin, tf.fill(rows, self.end_id) if add_end else None)

    def truncate(self, ids: tf.RaggedTensor, max_length: int) -> tf.RaggedTensor:
        """Truncates the ids of `tokenize(texts)` to those of `tokenize(texts, max_length=max_length)`.

        Raises:
            ValueError: if `max_length` is too small for the begin and end ids that the tokenizer adds.
        """
        _check_max_length(max_length, 2 * self.adds_ends)
        ids = ids[:, :max_length]
        if not self.adds_ends:
            return ids
        positions = tf.range(tf.size(ids.values, ids.row_splits.dtype), dtype=ids.row_splits.dtype)
        positions -= tf.gather(ids.row_starts(), ids.value_rowids())
        return ids.with_values(tf.where(positions == max_length - 1, self.end_id, ids.values))

    def call(
        self,
        texts: Texts,
        add_begin: bool | None = None,
        add_end: bool | None = None,
        max_length: int | None = None,
    ) -> tf.Tensor:
        """As `tokenize`, but padded: (N, longest), at least one column."""
        return self.pad(self.tokenize(texts, add_begin, add_end, max_length))

    def pad(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """Pads ragged ids (N, number of tokens) to (N, longest), at least one column."""
        padded = ids.to_tensor(self.padding_id)
        missing = tf.maximum(1 - tf.shape(padded)[1], 0)
        return tf.pad(padded, [[0, 0], [0, missing]], constant_values=self.padding_id)

    def __call__(self, texts: Texts, *args: Any, **kwargs: Any) -> Tensor:
        if not isinstance(texts, keras.KerasTensor):
            texts = as_strings(texts)
        return super().__call__(texts, *args, **kwargs)

    def compute_output_spec(self, texts: keras.KerasTensor, **kwargs: Any) -> keras.KerasTensor:
        return keras.KerasTensor((texts.shape[0], None), dtype="int32")

    def detokenize(self, ids: Tensor) -> tf.Tensor:
        """Decodes ids (N, T), padded or ragged, to strings (N,).

        Padding and begin ids are skipped, and everything from the first end id on. Ids outside the vocabulary count as
        unknown. The result is valid UTF-8.
        """
        ids = ids.to_tensor(self.padding_id) if isinstance(ids, tf.RaggedTensor) else ids
        ids = tf.cast(ids, tf.int32)
        # A model may have more ids than its tokenizer.
        ids = tf.where((ids >= 0) & (ids < self.vocabulary_size), ids, self.unknown_id)
        before_end = tf.cumsum(tf.cast(ids == self.end_id, tf.int32), axis=1) == 0
        content = before_end & (ids != self.padding_id) & (ids != self.begin_id)
        texts = self._decode(tf.ragged.boolean_mask(ids, content))
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")

    def _encode(self, texts):
        raise NotImplementedError

    def _decode(self, ids):
        raise NotImplementedError

    def get_config(self) -> Config:
        config = super().get_config()
        del config["dtype"]
        return config


def with_ends(ids: tf.RaggedTensor, begin: tf.Tensor | None = None, end: tf.Tensor | None = None) -> tf.RaggedTensor:
    """Adds an id before and another after each row of ragged ids.

    `tf.concat` does the same, but its assertions keep Grappler from optimizing the graph, with a warning.

    Args:
        ids: (N, number of tokens), int32.
        begin: (N,), or `None` to add nothing.
        end: (N,), or `None` to add nothing.
    """
    rows = tf.range(ids.nrows(), dtype=ids.row_splits.dtype)
    before, added = int(begin is not None), (begin is not None) + (end is not None)
    positions = tf.range(tf.size(ids.values, ids.row_splits.dtype), dtype=ids.row_splits.dtype)
    places = [positions + ids.value_rowids() * added + before]
    values = [ids.values]
    if begin is not None:
        places.append(ids.row_starts() + rows * added)
        values.append(begin)
    if end is not None:
        places.append(ids.row_limits() + rows * added + before)
        values.append(end)
    places = [tf.cast(place, tf.int32) for place in places]
    return tf.RaggedTensor.from_row_lengths(
        tf.dynamic_stitch(places, values), ids.row_lengths() + added, validate=False
    )


def as_strings(texts: Texts) -> tf.Tensor:
    """Returns `texts` as a string tensor (N,); raises `ValueError` unless it is a list or vector of strings."""
    message = "Expected a list of strings or a string tensor of rank 1. Received: "
    if isinstance(texts, (str, bytes)):
        raise ValueError(f"{message}a single string, {texts!r}")
    try:
        if not tf.is_tensor(texts) and len(texts) == 0:
            return tf.zeros([0], tf.string)
        texts = tf.convert_to_tensor(texts, tf.string)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{message}{texts!r}") from error
    if texts.shape.rank not in (1, None):
        raise ValueError(f"{message}shape {tuple(texts.shape)}")
    return texts


def _check_max_length(max_length, num_ends):
    if max_length < num_ends:
        raise ValueError(
            f"Expected max_length to leave room for the begin and end ids. Received: max_length={max_length}"
        )
