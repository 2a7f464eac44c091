import keras
import tensorflow as tf

from keras_transformer.text.tokenizer import UNKNOWN_ID, Tokenizer

_NUM_SPECIAL = 4


@keras.saving.register_keras_serializable(package="keras_transformer")
class ByteTokenizer(Tokenizer):
    """The bytes of UTF-8 as tokens, id = byte + 4: no vocabulary, no unknown characters, core TensorFlow only.

    Args:
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front.
        add_end: put the end id behind.
        max_length: keep at most so many ids, the begin and end ids among them; a character may be cut.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column wide.

    References:
        Xue et al., 2022, "ByT5".
    """

    @property
    def vocabulary_size(self):
        return 256 + _NUM_SPECIAL

    def ids_to_pieces(self, ids):
        """The bytes themselves, special ids as empty strings: ids of any shape to strings."""
        table = tf.constant([b""] * _NUM_SPECIAL + [bytes([byte]) for byte in range(256)])
        return tf.gather(table, ids)

    def _encode(self, texts):
        characters = tf.strings.bytes_split(texts)
        codes = tf.reshape(tf.io.decode_raw(characters.values, tf.uint8), [-1])
        return characters.with_values(tf.cast(codes, tf.int32) + _NUM_SPECIAL)

    def _decode(self, ids):
        ids = tf.ragged.boolean_mask(ids, ids != UNKNOWN_ID)
        return tf.strings.reduce_join(ids.with_values(self.ids_to_pieces(ids.values)), axis=1)
