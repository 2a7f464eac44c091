"""What the pipelines share: strings in, called in Python, saved as `.keras`, exported for the hub."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.atomic import replacing
from keras_transformer.export import frozen_weights, write_saved_model
from keras_transformer.export.saved_model import check_new
from keras_transformer.layers.composite import sublayers
from keras_transformer.pipelines.precision import in_dtype, with_int8_embeddings
from keras_transformer.pipelines.signatures import STRINGS, ExportFunctions, Requests
from keras_transformer.pipelines.terminal_line import terminal_line
from keras_transformer.quantization import QuantizesToInt8, fused_kernels, int8_matmul
from keras_transformer.text import Tokenizer
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Tensor, Texts

WARMUP_TEXTS = ("A dog runs.", "Two men in blue shirts play the guitar in front of a large crowd on a sunny day.")
_WARMUP_BATCH = 8  # a server that batches refuses requests of more rows than its batches have


class Pipeline(QuantizesToInt8, keras.Model):
    """A `keras.Model` from strings to results: tokenizers and a model of token ids.

    A subclass implements `call` on a string tensor (N,), `model`, `tokenizers`, `export_functions` and
    `warmup_requests`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.built = True
        self._graphs, self._traced_variables = {}, None

    def __call__(self, inputs: Texts, **kwargs: Any) -> Tensor:
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
            # Without AutoGraph, which rewrites our Python for seconds and finds nothing: we call `ops.cond`.
            self._graphs[key] = tf.function(function, input_signature=signature, autograph=False)
        return self._graphs[key]

    def save(self, filepath: PathLike, **kwargs: Any) -> None:
        """As Keras' own, but atomically, and without the optimizers that trained the models inside."""
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
    def model(self) -> keras.Model:
        """The model of token ids."""
        raise NotImplementedError

    @property
    def tokenizers(self) -> list[Tokenizer]:
        """The tokenizers, each once."""
        raise NotImplementedError

    def export_functions(self, trainable: bool) -> ExportFunctions:
        """What a SavedModel offers.

        Args:
            trainable: whether the root can be called in training mode too.

        Returns:
            (what the root has, {attribute: traced function}, "__call__" among them;
            {name: concrete function of a signature}).
        """
        raise NotImplementedError

    def calibrate(self, texts: Tensor) -> None:
        """Sends strings (N,) eagerly through all that an export computes."""
        self.call(texts)

    def warmup_requests(self, texts: Sequence[str]) -> Requests:
        """A request for each signature of the export: {name: {input: tensor}}.

        Args:
            texts: a list of `str`.
        """
        raise NotImplementedError

    def export(
        self,
        path: PathLike,
        frozen: bool = False,
        dtype: str | None = None,
        warmup_texts: Sequence[str] = WARMUP_TEXTS,
        calibration_texts: Sequence[str] | None = None,
        int8_embeddings: bool = False,
        format: str = "saved_model",
        lengths: Sequence[int] | None = None,
    ) -> None:
        """Writes a SavedModel in the reusable format of TF Hub, with signatures for TF Serving; or a file of LiteRT.

        `hub.load(path)(["..."])` gives what this object gives, in a process without this package. The class lists the
        signatures: all of them take any number N of rows, and give as many, so that a server may batch the
        requests of several clients.

        Equal weights give equal files, but for the unique id in fingerprint.pb, where each process exports once. The
        folder is written atomically. On a terminal, standard error tells what an "int8" export is doing.

        Args:
            path: folder to make; `keras_transformer.export.next_version(folder)` numbers it as servers want it.
            frozen: for inference only: the weights become constants of the graph, less than 2 GiB of them.
            dtype: by default computations are in the model's own dtypes, those of mixed precision if it was trained
                so. "float32" is for servers of any kind. "bfloat16", for a frozen export, also halves the weights; it
                is faster on processors with bfloat16 instructions, slower on others, and changes results a little.
                "int8", for a frozen export, makes matrices a quarter as large and translates batches fastest, without
                XLA; activations are quantized dynamically, each token's by its own largest value. It runs on x86
                processors only, as the frozen export of a model that is quantized already does. What comes out is
                float32 in any case.
            warmup_texts: a list of `str`. A server that loads the model first sends them to every signature, the
                first one alone and then all, 8 at a time (`assets.extra/tf_serving_warmup_requests`); with `()` it
                does not.
            calibration_texts: a list of `str`, for "int8": some hundred representative texts. Activations are then
                quantized statically, by the largest values that these texts cause, which is faster; larger values
                are clipped.
            int8_embeddings: of an encoder: its tables of embeddings, often half of its weights, are kept in int8 with a
                scale for each row, a quarter as large, on processors of any kind; the vectors change by less than in
                bfloat16. The tables cannot be trained on, the other weights can.
            format: "saved_model"; or "litert", of a `TextEmbedder` or a `Translator`: `path` is a file that ends in
                .tflite, for inference on phones and in browsers, with the tokenizer in it. An embedder's takes strings
                through MediaPipe's TextEmbedder or `LiteRtEmbedder`, a translator's through `LiteRtTranslator` or a
                loop of one's own. Its `dtype` is "float32", "float16" or "int8", for processors of
                any kind; it is frozen, and has none of the other options. docs/litert.md says what can be exported.
            lengths: of "litert" of a `TextEmbedder`: several lengths of texts in one file, (16, 32, 64, 128) say, a
                signature for each. A text takes the time of the shortest that it fits; MediaPipe takes no such file.

        Raises:
            FileExistsError: if `path` exists.
            ValueError: for another format or dtype, "bfloat16" or "int8" of an export that is not frozen, "int8" where
                TensorFlow has no int8 matrix multiplication, any dtype of a quantized model, weights that are too
                large to freeze, texts that are no strings, and `calibration_texts` that are all blank or with another
                dtype; for `int8_embeddings` of a translator, which multiplies by its table, and with "bfloat16" or
                "int8"; for "litert" of a question answerer, of an embedder whose tokenizer keeps case or is neither
                SentencePiece nor WordPiece, of a translator whose tokenizer is no SentencePiece, of a path that does
                not end in .tflite, and with options that it lacks.
        """
        if arguments.one_of("format", format, ("saved_model", "litert")) == "litert":
            if int8_embeddings or calibration_texts is not None or warmup_texts is not WARMUP_TEXTS:
                others = "int8_embeddings, calibration_texts and warmup_texts"
                raise ValueError(f"Expected none of {others} with format='litert'. Received one")
            self.export_litert(path, dtype, lengths)
            return
        if lengths is not None:
            raise ValueError(f"Expected format='litert' with lengths. Received: format={format!r}")
        _check_dtype(dtype, frozen, calibration_texts)
        if int8_embeddings:
            self._check_int8_embeddings(dtype)
        check_new(path)  # before time is spent on the rest
        requests = self._batched_warmup_requests(warmup_texts)
        with terminal_line() as show:
            pipeline = in_dtype(self, dtype, calibration_texts or (), show) if dtype else self
            if int8_embeddings:
                pipeline = with_int8_embeddings(pipeline)
            if not frozen:
                pipeline._write(path, *pipeline.export_functions(trainable=True), requests)
                return
            with frozen_weights(pipeline.variables), fused_kernels(pipeline.model):
                functions, signatures = pipeline.export_functions(trainable=False)
            write_saved_model(path, functions, signatures, other_state=pipeline.tokenizers, warmup_requests=requests)

    def export_litert(self, path: PathLike, dtype: str | None = None, lengths: Sequence[int] | None = None) -> None:
        """What `export` does for "litert"; `ValueError` where the pipeline has no such format."""
        raise ValueError(
            f"Expected a TextEmbedder or a Translator with format='litert'. Received: a {type(self).__name__}"
        )

    def _check_int8_embeddings(self, dtype):
        """`ValueError` where the tables of embeddings cannot be in int8 by themselves."""
        raise ValueError(f"Expected an encoder with int8_embeddings. Received: a {type(self).__name__}")

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

    def _batched_warmup_requests(self, texts):
        """The requests of the first text alone and of all, as (name, {input: tensor})."""
        as_strings(texts)
        batches = [texts[start : start + _WARMUP_BATCH] for start in range(0, len(texts), _WARMUP_BATCH)]
        if len(texts) > 1:
            batches.insert(0, texts[:1])
        return [(name, inputs) for batch in batches for name, inputs in self.warmup_requests(batch).items()]


def _check_dtype(dtype, frozen, calibration_texts):
    arguments.one_of("dtype", dtype, (None, "float32", "bfloat16", "int8"))
    if dtype in ("bfloat16", "int8") and not frozen:
        raise ValueError(f"Expected frozen=True with dtype={dtype!r}. Received: frozen={frozen}")
    if dtype == "int8" and not int8_matmul.is_available():
        raise ValueError("Expected a TensorFlow for x86 processors with dtype='int8'. Received: one for others")
    if calibration_texts is None:
        return
    if dtype != "int8":
        raise ValueError(f"Expected dtype='int8' with calibration_texts. Received: dtype={dtype!r}")
    if not any(text.strip() for text in as_strings(calibration_texts).numpy()):
        raise ValueError(f"Expected calibration_texts that are not all blank. Received: {len(calibration_texts)} texts")


@contextlib.contextmanager
def _fixed_seeds(variables: Sequence[keras.Variable]) -> Iterator[None]:
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
