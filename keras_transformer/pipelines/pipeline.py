"""What the pipelines share: strings in, called in Python, saved as `.keras`, exported for the hub."""

import functools

import keras
import tensorflow as tf

from keras_transformer.atomic import replacing
from keras_transformer.export import write_saved_model
from keras_transformer.text.tokenizer import as_strings

STRINGS = tf.TensorSpec([None], tf.string, name="inputs")
_IDS = tf.TensorSpec([None, None], tf.int32, name="inputs")


class Pipeline(keras.Model):
    """A `keras.Model` from strings to results: tokenizers, a model of numbers, and what joins them.

    A subclass implements `call` on a string tensor (N,) and `_from_ids` on token ids (N, T).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True
        self._graphs, self._traced_variables = {}, None

    def __call__(self, inputs, **kwargs):
        if isinstance(inputs, keras.KerasTensor):
            return super().__call__(inputs, **kwargs)
        inputs = as_strings(inputs)
        if not tf.executing_eagerly():
            return super().__call__(inputs, **kwargs)
        call = functools.partial(super().__call__, **kwargs)
        return self._graph(lambda inputs: call(inputs), [STRINGS], *sorted(kwargs.items()))(inputs)

    def _graph(self, function, signature, *key):
        """`function` as a `tf.function`, the same one for an equal `key`: eagerly a loop would run op by op."""
        variables = [id(variable) for variable in self.variables]
        if variables != self._traced_variables:  # LoRA and quantization make new ones
            self._traced_variables, self._graphs = variables, {}
        if key not in self._graphs:
            self._graphs[key] = tf.function(function, input_signature=signature)
        return self._graphs[key]

    def save(self, filepath, **kwargs):
        """As Keras' own, but whole or not at all, and without the optimizer that trained the inner model."""
        optimizer = getattr(self.model, "optimizer", None)
        self.model.optimizer = None
        try:
            with replacing(filepath) as unfinished:
                super().save(unfinished, **kwargs)
        finally:
            self.model.optimizer = optimizer

    @property
    def model(self):
        """The model of numbers."""
        raise NotImplementedError

    @property
    def tokenizers(self):
        """The tokenizers, each once."""
        raise NotImplementedError

    def export_call(self, strings):
        """The traced function that makes the exported root callable.

        Args:
            strings: the `tf.TensorSpec` of the inputs.
        """
        function = tf.function(lambda inputs, training=False: self.call(inputs, training=training))
        # Both, since the hub's Keras layers choose between them.
        for training in (False, True):
            function.get_concrete_function(strings, training=training)
        return function

    def exported(self):
        """What a SavedModel offers: (the function that makes its root callable, its signatures by name)."""
        signatures = {"serving_default": _signature(self.call, STRINGS), "ids": _signature(self._from_ids, _IDS)}
        return self.export_call(STRINGS), signatures

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
        call, signatures = self.exported()
        weights = self.weights
        state = [v for v in self.variables if not any(v is weight for weight in weights)]
        write_saved_model(
            path,
            {"__call__": call},
            signatures,
            weights=[weight.value for weight in weights],
            trainable_weights=[weight.value for weight in self.trainable_weights],
            other_state=[v.value for v in state] + self.tokenizers,
        )


def serialize_part(part):
    """The config of a tokenizer or model inside a pipeline's, without how the model was compiled; `None` stays."""
    if part is None:
        return None
    config = keras.saving.serialize_keras_object(part)
    return {key: value for key, value in config.items() if key != "compile_config"}


def deserialize_parts(config, names):
    """`config` with the parts that `names` names made anew."""
    parts = {name: config[name] and keras.saving.deserialize_keras_object(config[name]) for name in names}
    return {**config, **parts}


def _signature(function, spec):
    def serve(inputs):
        return {"outputs": function(inputs)}

    return tf.function(serve, input_signature=[spec]).get_concrete_function()


def lengths_signature(num_tokens, max_length):
    """The signature "lengths": inputs, strings (N,) -> outputs, int64 (N,), by `num_tokens`, and longest, an int64."""

    def lengths(inputs):
        return {"outputs": num_tokens(inputs), "longest": tf.constant(max_length, tf.int64)}

    return tf.function(lengths, input_signature=[STRINGS]).get_concrete_function()


def pieces(tokenizer, ids):
    """Ids (N, T) as the tokens' strings, padding as ""; ids that the tokenizer does not know as unknown."""
    known = tf.where(ids < tokenizer.vocabulary_size, ids, tokenizer.unknown_id)
    return tf.where(ids == tokenizer.padding_id, "", tokenizer.ids_to_pieces(known))
