import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from keras import ops

from keras_transformer import arguments
from keras_transformer.export import litert
from keras_transformer.export.litert_metadata import associated_files
from keras_transformer.ops.top_k import take_rows
from keras_transformer.pipelines.litert_export import SETTINGS_FILE
from keras_transformer.pipelines.litert_translator_export import SOURCE, TARGET, search_of
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows
from keras_transformer.text.piece_tokenizer import PieceTokenizer
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Tensor, Texts


class LiteRtTranslator:
    """A file of LiteRT from strings to strings, called as a `Translator` is.

    It runs what `Translator.export(path, format="litert")` wrote, with the tokenizers and the search in the file, in
    LiteRT's own runtime (`ai-edge-litert`, the extra "litert") or, without that, in the older one of TensorFlow. One
    sentence after the other: a file has room for one.

    Args:
        path: of the file.
        num_threads: of the runtime.

    Attributes:
        path: of the file.
        search: one of `keras_transformer.decoding`, that of the translator.
        max_source_length: longer sources are truncated to so many tokens, the end id included.
        max_extra_length: as of the translator.
        max_target_length: the tokens that a translation can have, its end id included, which the file has room for.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,).

    Raises:
        FileNotFoundError: if there is no file.
        ValueError: if it is no model of LiteRT, or another's.

    Example:
        >>> from keras_transformer.text import SubwordTokenizer
        >>> tokenizer = SubwordTokenizer.from_texts(["a red dog", "a cat"] * 9, vocabulary_size=20)
        >>> transformer = keras_transformer.models.Transformer(20, 1, 8, 16, 2)
        >>> translator = keras_transformer.Translator(transformer, tokenizer, max_source_length=20, max_target_length=6)
        >>> translator.export(tmp_path / "translator.tflite", format="litert")
        >>> on_device = keras_transformer.pipelines.LiteRtTranslator(tmp_path / "translator.tflite")
        >>> list(on_device.translate(["a red dog", ""])) == list(translator.translate(["a red dog", ""]))
        True
    """

    def __init__(self, path: PathLike, num_threads: int = 1) -> None:
        self.path = os.fspath(path)
        files = associated_files(self.path)
        if missing := {f"{SOURCE}.model", SETTINGS_FILE} - set(files):
            raise ValueError(f"Expected a file that Translator.export wrote. Received {self.path}: no {min(missing)}")
        settings = json.loads(files[SETTINGS_FILE])
        self.max_source_length, self.max_extra_length = settings["max_source_length"], settings["max_extra_length"]
        self.max_target_length = settings["longest_target"]
        self.search = search_of(settings["search"])
        self._source = PieceTokenizer.from_files(files, SOURCE)
        self._target = PieceTokenizer.from_files(files, TARGET if f"{TARGET}.model" in files else SOURCE)
        interpreter = litert.interpreter(self.path, arguments.positive_integer("num_threads", num_threads))
        self._model, self._graphs = _Model(interpreter, self.search.beam_size), {}

    def __call__(self, inputs: Texts) -> tf.Tensor:
        return tf.constant(list(self.translate(as_strings(inputs).numpy())), tf.string)

    def translate(self, texts: Iterable[str], batch_size: int = 32) -> Iterator[str]:
        """Translates an iterable of `str`, however long, in constant memory, as `Translator.translate` does.

        Args:
            texts: an iterable of `str`, a file of lines for example.
            batch_size: sentences that are read at once.

        Yields:
            One `str` for each text. A warning says which sources were truncated, counted from 1.

        Raises:
            ValueError: for a batch size below 1, and a single string.
        """
        for hypotheses in self._stream(texts, batch_size, num_best=1, return_scores=False):
            yield hypotheses[0][0]

    def translate_n_best(self, texts: Iterable[str], batch_size: int = 32) -> Iterator[list[tuple[str, float]]]:
        """As `translate`, but gives all that the search found: lists of (`str`, score), the best first."""
        yield from self._stream(texts, batch_size)

    def num_source_tokens(self, texts: Texts) -> tf.Tensor:
        """As `Translator.num_source_tokens`."""
        return tf.constant([len(self._ids(text)) for text in as_strings(texts).numpy()], tf.int64)

    def _ids(self, text):
        """UTF-8 as ids, the end id behind them."""
        return [*self._source.encode(text.decode("utf-8", "replace")), self._source.end_id]

    def _stream(self, texts, batch_size, **settings):
        def translate_batch(texts):
            ids = [self._ids(text) for text in texts]
            return [self._hypotheses(row, **settings) for row in ids], [len(row) for row in ids]

        limit = Limit("max_source_length", self.max_source_length, "translated")
        return in_batches(text_rows(texts=texts), batch_size, translate_batch, limit)

    def _search(self, settings):
        """The search as a graph, in which a step of Keras' operations takes a tenth of the time."""
        if settings not in self._graphs:
            side = self._target
            special = side.begin_id, side.end_id, side.padding_id
            specs = [tf.TensorSpec([1, self.max_source_length], tf.int32), tf.TensorSpec([1], tf.int32)]
            self._graphs[settings] = tf.function(
                lambda source_ids, limits: self.search(self._model, source_ids, limits, *special, **dict(settings)),
                input_signature=specs,
                autograph=False,
            )
        return self._graphs[settings]

    def _hypotheses(self, ids, **settings):
        """(text, score) of each hypothesis of a sentence."""
        length = self.max_source_length
        if len(ids) > length:
            ids = [*ids[: length - 1], self._source.end_id]
        longest = min(len(ids) - 1 + self.max_extra_length, self.max_target_length) if len(ids) > 1 else 0
        source_ids = np.full([1, length], self._source.padding_id, np.int32)
        source_ids[0, : len(ids)] = ids
        found = self._search(tuple(settings.items()))(source_ids, np.array([longest], np.int32))
        rows = zip(np.asarray(found.ids)[0].tolist(), np.asarray(found.scores)[0].tolist())
        return [(self._target.decode(row), score) for n, (row, score) in enumerate(rows) if not n or score > -np.inf]


class _Model:
    """A file's functions, as a search drives a model of one sentence, in its graph; the cache stays here, outside."""

    def __init__(self, interpreter, beam_size):
        self._encode, self._step = map(interpreter.get_signature_runner, ("encode", "step"))
        self._interpreter = interpreter  # which the runners do not keep alive
        self._cache_shape = self._step.get_input_details()["keys"]["shape"]
        self._logits_shape = self._step.get_output_details()["logits"]["shape"]
        self._has_ancestors = beam_size > 1
        self._memory = self._keys = self._values = None

    def start_decoding(self, source_ids: Tensor, max_length: Tensor, static_shapes: bool) -> Any:
        ancestors = tf.numpy_function(self._start, [source_ids], tf.bool)
        return _Ancestors(tf.ensure_shape(ancestors, [1, 1, self._cache_shape[3]]))

    def _start(self, source_ids):
        self._memory = self._encode(ids=source_ids)
        self._keys = self._values = np.zeros(self._cache_shape, np.float32)
        return np.zeros([1, 1, self._cache_shape[3]], np.bool_)

    def decode_step(self, token_ids: Tensor, cache: Any, index: Tensor) -> tuple[Tensor, Any]:
        inputs = [token_ids, index, cache.ancestors]
        logits, ancestors = tf.numpy_function(self._next, inputs, [tf.float32, tf.bool])
        logits = tf.ensure_shape(logits, self._logits_shape)
        return logits, _Ancestors(tf.ensure_shape(ancestors, cache.ancestors.shape))

    def _next(self, tokens, position, ancestors):
        inputs = {"tokens": tokens, "position": position, "keys": self._keys, "values": self._values, **self._memory}
        if self._has_ancestors:
            inputs["ancestors"] = ancestors
        outputs = self._step(**inputs)
        self._keys, self._values = outputs["new_keys"], outputs["new_values"]
        return outputs["logits"], outputs.get("new_ancestors", ancestors)


class _Ancestors(NamedTuple):
    """Which places of the cache belong to each hypothesis, boolean (1, B, B * T)."""

    ancestors: Tensor

    def expand_to_beam(self, beam_size: int) -> "_Ancestors":
        return _Ancestors(ops.repeat(self.ancestors, beam_size, axis=1))

    def reorder(self, parents: Tensor) -> "_Ancestors":
        return _Ancestors(take_rows(self.ancestors, ops.cast(parents, "int32")))
