import keras
import tensorflow as tf

from keras_transformer.text.tokenizer import UNKNOWN_ID, Tokenizer
from keras_transformer.types import Tensor

_NUM_SPECIAL = 4


@keras.saving.register_keras_serializable(package="keras_transformer")
class ByteTokenizer(Tokenizer):
    """UTF-8 bytes as tokens, id = byte + 4. It needs no vocabulary and no tensorflow_text, and knows every character.

    Args:
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: whether to add the begin id. By default it is not added.
        add_end: whether to add the end id. By default it is not added.
        max_length: truncates longer rows to this number of ids, begin and end ids included, possibly inside a
            character.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> ids = tokenizer(["ab", "é"], add_begin=True, add_end=True)
        >>> ids.numpy().tolist()
        [[2, 101, 102, 3], [2, 199, 173, 3]]
        >>> [text.decode() for text in tokenizer.detokenize(ids).numpy()]
        ['ab', 'é']

    References:
        Xue et al., 2022, "ByT5".
    """

    @property
    def vocabulary_size(self) -> int:
        return 256 + _NUM_SPECIAL

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The byte of each id as a string, empty for special ids, in the shape of `ids`."""
        table = tf.constant([b""] * _NUM_SPECIAL + [bytes([byte]) for byte in range(256)])
        return tf.gather(table, ids)

    def _encode(self, texts):
        characters = tf.strings.bytes_split(texts)
        codes = tf.reshape(tf.io.decode_raw(characters.values, tf.uint8), [-1])
        return characters.with_values(tf.cast(codes, tf.int32) + _NUM_SPECIAL)

    def _decode(self, ids):
        ids = tf.ragged.boolean_mask(ids, ids != UNKNOWN_ID)
        return tf.strings.reduce_join(ids.with_values(self.ids_to_pieces(ids.values)), axis=1)
