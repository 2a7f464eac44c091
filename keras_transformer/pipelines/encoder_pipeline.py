import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.pipeline import STRINGS, Pipeline, deserialize_parts, serialize_part


class EncoderPipeline(Pipeline):
    """A pipeline from strings to vectors: a tokenizer and an encoder.

    A subclass has `output_dim`, the width of its vectors.

    Args:
        encoder: a model of token ids.
        tokenizer: of the texts.
        max_length: longer texts are cut to so many tokens.
        name: the model's name.
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

    def num_tokens(self, texts):
        """How many tokens each of the texts (N,) has: int64 (N,). What is beyond `max_length` is not embedded."""
        return self.tokenizer.tokenize(texts).row_lengths()

    def exported_root(self, embed, trainable):
        """The traced function that makes the exported root callable.

        Args:
            embed: the concrete function of inference, strings (N,) to vectors.
            trainable: whether it has an argument `training`, both values of which the hub's Keras layers use.
        """
        if not trainable:
            return tf.function(lambda inputs: embed(inputs), input_signature=[STRINGS])

        def call(inputs, training=False):
            return self.call(inputs, training=True) if training else embed(inputs)

        root = tf.function(call)
        for training in (False, True):
            root.get_concrete_function(STRINGS, training=training)
        return root

    def compute_output_spec(self, inputs, **kwargs):
        return keras.KerasTensor((inputs.shape[0], self.output_dim), dtype="float32")

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
