"""What the pipelines share: strings in, called in Python, saved as `.keras`, exported for the hub."""

import contextlib
import functools

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.export import frozen_weights, write_saved_model
from keras_transformer.export.saved_model import check_new
from keras_transformer.layers import integer_products
from keras_transformer.layers.composite import sublayers
from keras_transformer.ops import masks
from keras_transformer.pipelines.precision import in_dtype
from keras_transformer.pipelines.terminal_line import terminal_line
from keras_transformer.text.tokenizer import as_strings

STRINGS = tf.TensorSpec([None], tf.string, name="inputs")
IDS = tf.TensorSpec([None, None], tf.int32, name="inputs")
WARMUP_TEXTS = ("A dog runs.", "Two men in blue shirts play the guitar in front of a large crowd on a sunny day.")
_WARMUP_BATCH = 8  # a server that batches refuses requests of more rows than its batches have


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
        """As Keras' own, but whole or not at all, and without the optimizers that trained the models inside."""
        models = [layer for _, layer in sublayers(self) if getattr(layer, "optimizer", None)]
        optimizers = [model.optimizer for model in models]
        for model in models:
            model.optimizer = None
        try:
            with replacing(filepath) as unfinished:
                super().save(unfinished, **kwargs)
        finally:
            for model, optimizer in zip(models, optimizers):
                model.optimizer = optimizer

    @property
    def model(self):
        """The model of numbers."""
        raise NotImplementedError

    @property
    def tokenizers(self):
        """The tokenizers, each once."""
        raise NotImplementedError

    def exported(self, trainable):
        """What a SavedModel offers.

        Args:
            trainable: whether the root can be called in training mode too.

        Returns:
            (what the root has, {attribute: traced function}, "__call__" among them;
            {name: concrete function of a signature}).
        """
        raise NotImplementedError

    def calibrate(self, texts):
        """Sends strings (N,) eagerly through all that an export computes."""
        self.call(texts)

    def requests(self, texts):
        """A request for each signature of the export: {name: {input: tensor}}.

        Args:
            texts: a list of `str`.
        """
        raise NotImplementedError

    def export(self, path, frozen=False, dtype=None, warmup_texts=WARMUP_TEXTS, calibration_texts=None):
        """Writes a SavedModel in the reusable format of TF Hub, with signatures for TF Serving.

        `hub.load(path)(["..."])` gives what this object gives, in a process without this package. The class lists the
        signatures: all of them take any number N of rows, and give as many, so that a server may batch the
        requests of several clients.

        Equal weights give equal files, but for the unique id in fingerprint.pb, where each process exports once. The
        folder is there whole or not at all. On a terminal, standard error tells what an "int8" export is doing.

        Args:
            path: folder to make; `keras_transformer.export.next_version(folder)` numbers it as servers want it.
            frozen: for inference only: the weights become constants of the graph, less than 2 GiB of them.
            dtype: by default computations are in the model's own dtypes, those of mixed precision if it was trained
                so. "float32" is for servers of any kind. "bfloat16", for a frozen export, also halves the weights; it
                is faster on processors with bfloat16 instructions, slower on others, and changes results a little.
                "int8", for a frozen export, makes matrices a quarter as large and translates batches fastest, without
                XLA; each token's activations are quantized by their own largest value. It runs on x86 processors only,
                as the frozen export of a model that is quantized already does. What comes out is float32 in any case.
            warmup_texts: a list of `str`. A server that loads the model first sends them to every signature, the
                first one alone and then all, 8 at a time (`assets.extra/tf_serving_warmup_requests`); with `()` it
                does not.
            calibration_texts: a list of `str`, for "int8": some hundred texts of the kind that will come. Activations
                are then quantized by the largest values that these texts cause, which is faster; larger ones are cut
                off.

        Raises:
            FileExistsError: if `path` exists.
            ValueError: for another dtype, "bfloat16" or "int8" of an export that is not frozen, "int8" where TensorFlow
                has no product of integers, any dtype of a quantized model, weights that are too large to freeze,
                texts that are no strings, and `calibration_texts` that are all blank or with another dtype.
        """
        arguments.one_of("dtype", dtype, (None, "float32", "bfloat16", "int8"))
        if dtype in ("bfloat16", "int8") and not frozen:
            raise ValueError(f"Expected frozen=True with dtype={dtype!r}. Received: frozen={frozen}")
        if dtype == "int8" and not integer_products.are_available():
            raise ValueError("Expected a TensorFlow for x86 processors with dtype='int8'. Received: one for others")
        if calibration_texts is not None:
            _check_calibration(calibration_texts, dtype)
        check_new(path)  # before time is spent on the rest
        requests = self._warmup_requests(warmup_texts)
        with terminal_line() as show:
            pipeline = in_dtype(self, dtype, calibration_texts or (), show) if dtype else self
            if not frozen:
                pipeline._write(path, *pipeline.exported(trainable=True), requests)
                return
            with frozen_weights(pipeline.variables):
                functions, signatures = pipeline.exported(trainable=False)
            write_saved_model(path, functions, signatures, other_state=pipeline.tokenizers, warmup_requests=requests)

    def _write(self, path, functions, signatures, requests):
        weights = self.weights
        state = [v for v in self.variables if not any(v is weight for weight in weights)]
        with _fixed_seeds(state):
            write_saved_model(
                path,
                functions,
                signatures,
                weights=[weight.value for weight in weights],
                trainable_weights=[weight.value for weight in self.trainable_weights],
                other_state=[v.value for v in state] + self.tokenizers,
                warmup_requests=requests,
            )

    def _warmup_requests(self, texts):
        as_strings(texts)
        batches = [texts[start : start + _WARMUP_BATCH] for start in range(0, len(texts), _WARMUP_BATCH)]
        if len(texts) > 1:
            batches.insert(0, texts[:1])
        return [(name, inputs) for batch in batches for name, inputs in self.requests(batch).items()]


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


def _check_calibration(texts, dtype):
    if dtype != "int8":
        raise ValueError(f"Expected dtype='int8' with calibration_texts. Received: dtype={dtype!r}")
    if not any(text.strip() for text in as_strings(texts).numpy()):
        raise ValueError(f"Expected calibration_texts that are not all blank. Received: {len(texts)} texts")


@contextlib.contextmanager
def _fixed_seeds(variables):
    """Meanwhile dropout's seeds among `variables` are the same in each process, which otherwise draws them anew."""
    seeds = [variable for variable in variables if variable.name == "seed_generator_state"]
    own = [seed.numpy() for seed in seeds]
    try:
        for number, seed in enumerate(seeds):
            seed.assign([number, 0])
        yield
    finally:
        for seed, value in zip(seeds, own):
            seed.assign(value)


def traced(*specs):
    """A decorator that makes a concrete function, which is stored once whoever calls it.

    A `tf.function` is traced anew where it is called in another context, inside a function or eagerly.

    The graph refuses inputs of other shapes than `specs` allow. Python does so without it; a server feeds what a client
    sent, whatever the signature says.
    """

    def trace(function):
        @functools.wraps(function)
        def checked(*inputs):
            # Without those that have a default and no spec.
            return function(*[tf.ensure_shape(x, spec.shape) for x, spec in zip(inputs, specs)])

        return tf.function(checked, input_signature=specs).get_concrete_function()

    return trace


def of_as_many_rows(name, x, inputs, or_one=False):
    """`x` (M,), called `name` in a signature, where a server may feed other rows than in `inputs` (N,).

    Args:
        name: the name.
        x: the tensor.
        inputs: the other one.
        or_one: whether a single row is accepted too.

    Returns:
        `x`; the graph stops with an `InvalidArgumentError` where M is not N.
    """
    rows, number = tf.size(x), tf.size(inputs)
    fits = (rows == number) | (or_one & (rows == 1))
    message = f"Expected as many {name} as inputs{', or one' if or_one else ''}. Received: {name} and inputs:"
    with tf.control_dependencies([tf.debugging.Assert(fits, [message, rows, number])]):
        return tf.identity(x)


def known_ids(ids, tokenizer, max_length, has_end):
    """Ids (N, T) that a client sent, as the tokenizer might have made them.

    Args:
        ids: int32, padded.
        tokenizer: of the ids. Those that it does not have become unknown.
        max_length: rows are cut to so many ids.
        has_end: whether the last id of a row that is so long is the end id.

    Returns:
        int32 ids (N, at most `max_length`).
    """
    is_token = masks.of_ids(ids, tokenizer.padding_id, "right")[:, :max_length]
    ids = ids[:, :max_length]
    ids = tf.where((ids >= 0) & (ids < tokenizer.vocabulary_size), ids, tokenizer.unknown_id)
    if not has_end:
        return ids
    is_last = (tf.range(tf.shape(ids)[1]) == max_length - 1) & is_token
    return tf.where(is_last, tokenizer.end_id, ids)


def lengths_signature(num_tokens, max_length):
    """The signature "lengths": inputs, strings (N,) -> outputs, by `num_tokens`, and longest, int64 (N,) both."""

    def lengths(inputs):
        outputs = num_tokens(inputs)
        return {"outputs": outputs, "longest": tf.fill(tf.shape(outputs), tf.constant(max_length, tf.int64))}

    return traced(STRINGS)(lengths)


def pieces(tokenizer, ids):
    """Ids (N, T) as the tokens' strings, padding behind them as ""; ids that the tokenizer does not know as unknown."""
    known = tf.where(ids < tokenizer.vocabulary_size, ids, tokenizer.unknown_id)
    is_token = masks.of_ids(ids, tokenizer.padding_id, "right")
    return tf.where(is_token, tokenizer.ids_to_pieces(known), "")
