import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.parts import deserialize_parts, serialize_part
from keras_transformer.pipelines.pipeline import Pipeline
from keras_transformer.pipelines.signatures import IDS, STRINGS, traced
from keras_transformer.pipelines.slices import in_chunks, in_slices
from keras_transformer.text import Tokenizer
from keras_transformer.types import Config, Texts

TRAINING = tf.TensorSpec([], tf.bool, name="training")


class EncoderPipeline(Pipeline):
    """A pipeline from strings to vectors: a tokenizer and an encoder.

    A subclass has `output_dim`, the width of its vectors.

    Args:
        encoder: a model of token ids.
        tokenizer: of the texts.
        max_length: longer texts are truncated to so many tokens.
        name: the model's name.
    """

    def __init__(self, encoder: keras.Model, tokenizer: Tokenizer, max_length: int = 512, name: str | None = None):
        super().__init__(name=name)
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.max_length = arguments.positive_integer("max_length", max_length)

    @property
    def model(self) -> keras.Model:
        return self.encoder

    @property
    def tokenizers(self) -> list[Tokenizer]:
        return [self.tokenizer]

    def num_tokens(self, texts: Texts) -> tf.Tensor:
        """How many tokens each of the texts (N,) has: int64 (N,). What is beyond `max_length` is not embedded."""
        return self.tokenizer.tokenize(texts).row_lengths()

    def _check_int8_embeddings(self, dtype):
        arguments.one_of("dtype", dtype, (None, "float32"))

    def _tokens(self, texts):
        """Strings (N,) as ragged ids, cut."""
        return self.tokenizer.truncate(self.tokenizer.tokenize(texts), self.max_length)

    def _tokens_in_chunks(self, texts):
        """As `_tokens`. Tokenizing takes some 30 bytes for each character, which would add up."""

        def of_chunk(texts):
            ids = self._tokens(texts)
            return ids.values, ids.row_lengths()

        specs = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)
        return tf.RaggedTensor.from_row_lengths(*in_chunks(of_chunk, texts, specs), validate=False)

    def _sliced(self, model: Callable[..., tf.Tensor], num_columns: int, trainable: bool) -> Callable[..., tf.Tensor]:
        """`model`, from padded ids (N, T) to vectors (N, D), as a function of ragged ids in constant memory.

        Args:
            model: a function of so many columns of ids.
            num_columns: their number.
            trainable: whether its weights are variables that gradients are taken of.

        Returns:
            A function of as many `tf.RaggedTensor`s. The model in it is stored once, whoever calls it.
        """
        weights = self.encoder.weights if trainable else []  # else they are constants

        specs = [tf.TensorSpec(weight.shape, weight.dtype) for weight in weights]

        @traced(*[IDS] * num_columns, *specs)
        def of_values(*inputs):
            if not weights:
                return model(*inputs)
            ids, values = inputs[:num_columns], inputs[num_columns:]
            with keras.StatelessScope(zip(weights, values)):
                return model(*ids)

        def embed(*columns):
            values = [tf.convert_to_tensor(weight.value) for weight in weights]

            def of_rows(rows):
                return of_values(*(self.tokenizer.pad(tf.gather(column, rows)) for column in columns), *values)

            lengths = functools.reduce(tf.maximum, [column.row_lengths() for column in columns])
            return in_slices(of_rows, lengths, tf.TensorSpec([None, self.output_dim], tf.float32))

        return embed

    def _root_functions(self, embed: Callable[[tf.Tensor], tf.Tensor], trainable: bool) -> dict[str, Callable]:
        """What the exported root has: it can be called, and where it is trainable it has "call_in_training" too.

        Args:
            embed: the concrete function of inference, strings (N,) to vectors.
            trainable: whether it has an argument `training`, both values of which the hub's Keras layers use.

        Returns:
            {attribute: `tf.function`}.
        """
        if not trainable:
            return {"__call__": tf.function(lambda inputs: embed(inputs), input_signature=[STRINGS], autograph=False)}
        in_training = traced(STRINGS)(lambda inputs: self.call(inputs, training=True))

        # With a signature lists of `str` become tensors. Without, each list would be a constant, and traced anew.
        @tf.function(input_signature=[STRINGS, TRAINING], autograph=False)
        def call(inputs, training=False):
            return tf.cond(training, lambda: in_training(inputs), lambda: embed(inputs))

        # For gradients without those of a condition, of whose graph TensorFlow warns in each training.
        return {"__call__": call, "call_in_training": in_training}

    def compute_output_spec(self, inputs: keras.KerasTensor, **kwargs: Any) -> keras.KerasTensor:
        return keras.KerasTensor((inputs.shape[0], self.output_dim), dtype="float32")

    def get_config(self) -> Config:
        return {
            "name": self.name,
            "encoder": serialize_part(self.encoder),
            "tokenizer": serialize_part(self.tokenizer),
            "max_length": self.max_length,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: Config | None = None) -> "EncoderPipeline":
        return cls(**deserialize_parts(config, ("encoder", "tokenizer")))
