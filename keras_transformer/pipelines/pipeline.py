"""What the pipelines share: strings in, called in Python, saved as `.keras`, exported for the hub."""

import keras
import tensorflow as tf

from keras_transformer.export import write_saved_model
from keras_transformer.text.tokenizer import as_strings


class Pipeline(keras.Model):
    """A `keras.Model` from strings to results: tokenizers, a model of numbers, and what joins them.

    A subclass implements `call` on a string tensor (N,) and `_from_ids` on token ids (N, T).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True
        self._graph = None

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, keras.KerasTensor):
            return super().__call__(inputs, *args, **kwargs)
        inputs = as_strings(inputs)
        if not tf.executing_eagerly():
            return super().__call__(inputs, *args, **kwargs)
        # Eagerly a decoding loop would run op by op.
        if self._graph is None:
            self._graph = tf.function(super().__call__, reduce_retracing=True)
        return self._graph(inputs, *args, **kwargs)

    def quantize(self, mode=None, config=None, **kwargs):
        super().quantize(mode, config=config, **kwargs)
        self._graph = None

    @property
    def tokenizers(self):
        """The tokenizers, each once."""
        raise NotImplementedError

    def export_call(self, strings):
        """The traced function that makes the exported root callable.

        Args:
            strings: the `tf.TensorSpec` of the inputs.
        """
        raise NotImplementedError

    def export(self, path):
        """Writes a SavedModel in the reusable format of TF Hub.

        `hub.load(path)(["..."])` gives what this object gives, in a process without this package. Signatures:
        "serving_default" from `inputs`, strings (N,), to `outputs`; "ids" from `inputs`, int32 ids (N, T) with 0
        as padding, to `outputs`. Any N goes.

        Args:
            path: folder to make.

        Raises:
            FileExistsError: if `path` exists.
        """
        strings = tf.TensorSpec([None], tf.string, name="inputs")
        ids = tf.TensorSpec([None, None], tf.int32, name="inputs")
        signatures = {
            "serving_default": _signature(self.call, strings),
            "ids": _signature(self._from_ids, ids),
        }
        weights = self.weights
        state = [v for v in self.variables if not any(v is weight for weight in weights)]
        write_saved_model(
            path,
            {"__call__": self.export_call(strings)},
            signatures,
            weights=[weight.value for weight in weights],
            trainable_weights=[weight.value for weight in self.trainable_weights],
            other_state=[v.value for v in state] + self.tokenizers,
        )


def _signature(function, spec):
    def serve(inputs):
        return {"outputs": function(inputs)}

    return tf.function(serve, input_signature=[spec]).get_concrete_function()
