"""What every tokenizer shares: strings to padded ids and back, inside the TensorFlow graph."""

import keras
import tensorflow as tf

PADDING_ID, UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2, 3


class Tokenizer(keras.layers.Layer):
    """Base of the tokenizers: a Keras layer from strings to padded ids.

    A subclass gives `vocabulary_size`, `_encode` (strings (N,) to ragged ids) and `_decode` (the way back). The
    ids 0 to 3 stand for padding, unknown, begin and end, unless it sets `padding_id`, `unknown_id`, `begin_id` and
    `end_id` otherwise. One that sets `adds_ends` puts the begin and end ids around each text unless told not to.

    Invalid UTF-8 is read with U+FFFD in place of each bad byte sequence. An empty string has no tokens. There is no
    length limit unless `max_length` is given.
    """

    padding_id = PADDING_ID
    unknown_id = UNKNOWN_ID
    begin_id = BEGIN_ID
    end_id = END_ID
    adds_ends = False

    def __init__(self, **kwargs):
        kwargs.pop("dtype", None)
        super().__init__(dtype="int32", **kwargs)
        self.built = True

    @property
    def vocabulary_size(self):
        """Number of ids, the special ones included."""
        raise NotImplementedError

    def tokenize(self, texts, add_begin=None, add_end=None, max_length=None):
        """Strings (N,) to a `tf.RaggedTensor` of int32 ids (N, number of tokens).

        Args:
            texts: a string tensor (N,), or a list of `str` or `bytes`.
            add_begin: put the begin id in front; by default as `adds_ends` says.
            add_end: put the end id behind; by default as `adds_ends` says.
            max_length: keep at most so many ids; the begin and end ids stay.

        Raises:
            ValueError: for anything but a list or vector of strings, and a `max_length` too small for the begin
                and end ids.
        """
        add_begin, add_end = (self.adds_ends if add is None else bool(add) for add in (add_begin, add_end))
        ids = self._encode(tf.strings.unicode_transcode(as_strings(texts), "UTF-8", "UTF-8"))
        if max_length is not None:
            room = max_length - add_begin - add_end
            if room < 0:
                raise ValueError(
                    f"Expected max_length to leave room for the begin and end ids. Received: max_length={max_length}"
                )
            ids = ids[:, :room]
        rows = tf.shape(ids.row_starts())
        begin = tf.fill(rows, self.begin_id) if add_begin else None
        return with_ends(ids, begin, tf.fill(rows, self.end_id) if add_end else None)

    def cut(self, ids, max_length):
        """What `tokenize(texts, max_length=max_length)` gives, from the ragged ids that `tokenize(texts)` gave.

        Raises:
            ValueError: for a `max_length` too small for the ends that the tokenizer adds.
        """
        if self.adds_ends and max_length < 2:
            raise ValueError(
                f"Expected max_length to leave room for the begin and end ids. Received: max_length={max_length}"
            )
        ids = ids[:, :max_length]
        if not self.adds_ends:
            return ids
        places = tf.range(tf.size(ids.values, ids.row_splits.dtype), dtype=ids.row_splits.dtype)
        places -= tf.gather(ids.row_starts(), ids.value_rowids())
        return ids.with_values(tf.where(places == max_length - 1, self.end_id, ids.values))

    def call(self, texts, add_begin=None, add_end=None, max_length=None):
        """As `tokenize`, but padded: (N, longest), at least one column wide."""
        return self.padded(self.tokenize(texts, add_begin, add_end, max_length))

    def padded(self, ids):
        """Ragged ids (N, number of tokens) as a tensor (N, longest), at least one column wide."""
        padded = ids.to_tensor(self.padding_id)
        missing = tf.maximum(1 - tf.shape(padded)[1], 0)
        return tf.pad(padded, [[0, 0], [0, missing]], constant_values=self.padding_id)

    def __call__(self, texts, *args, **kwargs):
        if not isinstance(texts, keras.KerasTensor):
            texts = as_strings(texts)
        return super().__call__(texts, *args, **kwargs)

    def compute_output_spec(self, texts, **kwargs):
        return keras.KerasTensor((texts.shape[0], None), dtype="int32")

    def detokenize(self, ids):
        """Ids (N, T), padded or ragged, to strings (N,).

        All from the first end id on is left out, and so are padding and begin ids. The result is valid UTF-8.
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

    def get_config(self):
        config = super().get_config()
        del config["dtype"]
        return config


def with_ends(ids, begin=None, end=None):
    """Puts an id before, and another behind, each row of ragged ids.

    `tf.concat` does the same, but its assertions keep Grappler from optimising the graph, with a warning.

    Args:
        ids: (N, number of tokens), int32.
        begin: (N,), or `None` for nothing.
        end: (N,), or `None` for nothing.
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


def as_strings(texts):
    """A string tensor (N,), or `ValueError`."""
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
