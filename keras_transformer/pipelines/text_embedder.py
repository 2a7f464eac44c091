import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.pipeline import Pipeline, deserialize_parts, serialize_part


@keras.saving.register_keras_serializable(package="keras_transformer")
class TextEmbedder(Pipeline):
    """Strings to unit vectors: tokenizer and sentence encoder.

    Args:
        encoder: a model from token ids (N, T) to vectors (N, D), `keras_transformer.models.SentenceEncoder` for
            example.
        tokenizer: of the texts.
        max_length: longer texts are cut to so many tokens.
        name: the model's name.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.
        training: whether dropout is active.

    Returns:
        (N, D), float32, of length 1. A text without tokens (empty, blanks) gives the zero vector.

    Raises:
        ValueError: for inputs that are not a list or vector of strings, and a `max_length` below 1.

    References:
        Cer et al., 2018, "Universal Sentence Encoder".
    """

    def __init__(self, encoder, tokenizer, max_length=512, name=None):
        super().__init__(name=name)
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.max_length = arguments.positive_integer("max_length", max_length)

    @property
    def model(self):
        return self.encoder

    @property
    def tokenizers(self):
        return [self.tokenizer]

    def call(self, inputs, training=None):
        ids = self.tokenizer(inputs, max_length=self.max_length)
        return self._from_ids(ids, training=training)

    def _from_ids(self, ids, training=None):
        return tf.cast(self.encoder(ids, training=training), tf.float32)

    def compute_output_spec(self, inputs, **kwargs):
        return keras.KerasTensor((inputs.shape[0], self.encoder.output_shape[-1]), dtype="float32")

    def export_call(self, strings):
        function = tf.function(lambda inputs, training=False: self.call(inputs, training=training))
        # Both, since the hub's Keras layers choose between them.
        for training in (False, True):
            function.get_concrete_function(strings, training=training)
        return function

    def get_config(self):
        return {
            "name": self.name,
            "encoder": serialize_part(self.encoder),
            "tokenizer": serialize_part(self.tokenizer),
            "max_length": self.max_length,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**deserialize_parts(config, ("encoder", "tokenizer")))
