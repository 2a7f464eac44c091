from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.models import CrossEncoder
from keras_transformer.pipelines.encoder_pipeline import TRAINING, EncoderPipeline
from keras_transformer.pipelines.pair_scoring import ScoresPairs
from keras_transformer.pipelines.pipeline import Pipeline
from keras_transformer.pipelines.signatures import ExportFunctions, Requests, check_rows, traced
from keras_transformer.pipelines.slices import in_chunks
from keras_transformer.text import Tokenizer
from keras_transformer.text.text_pairs import NUM_ENDS, TokenizedPairs, tokenize_pairs
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import Config, Tensor, Texts

_FIRST, _SECOND = (tf.TensorSpec([None], tf.string, name=name) for name in ("first", "second"))
_ACTIVATIONS = {"sigmoid": keras.ops.sigmoid, "softmax": keras.ops.softmax, "linear": lambda logits: logits}


@keras.saving.register_keras_serializable(package="keras_transformer")
class TextPairScorer(ScoresPairs, EncoderPipeline):
    """Pairs of strings to scores, or to the probabilities of classes: a cross-encoder.

    One encoder reads both texts, between which its attention goes to and fro: begin, first text, end, second text, end.
    Longer pairs lose the end of the longer text first, as in Hugging Face's tokenizers.

        scorer.score([("How old is she?", "She is ten."), ("How old is she?", "It rains.")])
        scorer.rank("How old is she?", ["It rains.", "She is ten."], top_k=1)

    Args:
        encoder: a `keras_transformer.models.CrossEncoder`.
        tokenizer: of both texts.
        max_length: longer pairs are truncated to so many tokens, three that separate the texts among them.
        activation: what makes scores of logits: "sigmoid", from 0 to 1; "linear", the logits themselves; "softmax",
            probabilities. By default "sigmoid" for one score and "softmax" for classes.
        labels: the names of the classes, in the order of their probabilities; `None` for none.
        name: the model's name.

    Call arguments:
        inputs: {"first", "second"}: strings (N,) each, a list of `str` or a string tensor; or a tuple of the two.
        training: whether dropout is active.

    Returns:
        (N,), or (N, num_labels) of several classes; float32.

    Exported signatures, inputs -> outputs; the exported object itself is called with the dictionary:
        - "serving_default": first, second, strings (N,) -> outputs, float32, as a call gives.
        - "logits": first, second -> outputs, float32 (N, num_labels), before the activation.
        - "lengths": first, second -> outputs, int64 (N,), the tokens of each pair; longest, int64 (N,): what is beyond
          so many is not read.
        - "classify", of classes with names: first, second -> classes, strings (N, num_labels); scores, as the outputs.

    Raises:
        ValueError: for inputs that are not two lists or vectors of as many strings, a `max_length` below 3, an
            unknown activation, and labels that are not as many as the classes.

    References:
        Nogueira and Cho, 2019, "Passage Re-ranking with BERT"; Reimers and Gurevych, 2019, "Sentence-BERT", section 1.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = keras_transformer.models.SentenceEncoder(
        ...     tokenizer.vocabulary_size, num_layers=1, hidden_dim=8, intermediate_dim=16, num_heads=2, output_dim=4
        ... )
        >>> scorer = keras_transformer.TextPairScorer(keras_transformer.models.CrossEncoder(encoder), tokenizer)
        >>> scorer.score([("a dog", "a hound"), ("a dog", "rain")]).shape
        (2,)
        >>> len(scorer.rank("a dog", ["a hound", "rain", "a cat"], top_k=2))
        2
    """

    def __init__(
        self,
        encoder: CrossEncoder,
        tokenizer: Tokenizer,
        max_length: int = 512,
        activation: str | None = None,
        labels: Sequence[str] | None = None,
        name: str | None = None,
    ):
        super().__init__(encoder, tokenizer, max_length, name)
        if max_length < NUM_ENDS:
            raise ValueError(f"Expected a max_length of at least {NUM_ENDS}. Received: max_length={max_length}")
        if labels is not None and not 1 < len(labels) == encoder.num_labels:
            raise ValueError(f"Expected names of {encoder.num_labels} classes, at least 2. Received: {list(labels)}")
        by_default = "sigmoid" if encoder.num_labels == 1 else "softmax"
        self.activation = arguments.one_of("activation", activation or by_default, list(_ACTIVATIONS))
        self.labels = None if labels is None else list(labels)

    @property
    def num_labels(self) -> int:
        """The number of scores of a pair: 1, or that of the classes."""
        return self.encoder.num_labels

    @property
    def output_dim(self) -> int:
        """As `num_labels`."""
        return self.num_labels

    def __call__(self, inputs: Mapping[str, Texts] | tuple[Texts, Texts], **kwargs: Any) -> Tensor:
        first, second = (inputs["first"], inputs["second"]) if isinstance(inputs, Mapping) else inputs
        call = super(Pipeline, self).__call__
        if isinstance(first, keras.KerasTensor):
            return call({"first": first, "second": second}, **kwargs)
        first, second = as_strings(first), as_strings(second)
        if not tf.executing_eagerly():
            return call({"first": first, "second": second}, **kwargs)
        if len(first) != len(second):
            raise ValueError(f"Expected as many first texts as second ones. Received: {len(first)} and {len(second)}")
        graph = self._graph(
            lambda *columns: call(dict(zip(("first", "second"), columns)), **kwargs),
            [_FIRST, _SECOND],
            *sorted(kwargs.items()),
        )
        return graph(first, second)

    def call(self, inputs: Mapping[str, Tensor], training: bool | None = None) -> tf.Tensor:
        pairs = tokenize_pairs(self.tokenizer, inputs["first"], inputs["second"], self.max_length)
        return self._shaped(self._activated(self._logits(pairs, training)))

    def num_tokens(self, texts: tuple[Texts, Texts]) -> tf.Tensor:
        """How many tokens each pair has: int64 (N,), of (first, second) texts (N,) each."""
        return tokenize_pairs(self.tokenizer, *map(as_strings, texts), self.max_length).lengths

    def calibrate(self, texts: Tensor) -> None:
        self.call({"first": texts, "second": tf.reverse(texts, [0])})

    def _score_batch(self, first, second):
        logits, lengths = self._logits_of_batch(first, second)
        return self._activated(logits).numpy(), lengths

    def _logits_of_batch(self, first, second):
        def logits(first, second):
            pairs = tokenize_pairs(self.tokenizer, first, second, self.max_length)
            return self._logits(pairs, False), pairs.lengths

        graph = self._graph(logits, [_FIRST, _SECOND], "logits")
        return [x.numpy() for x in graph(tf.constant(first), tf.constant(second))]

    def _logits(self, pairs, training):
        return self._from_ids(self.tokenizer.pad(pairs.ids), self.tokenizer.pad(pairs.segment_ids), training)

    def _from_ids(self, ids, segment_ids, training=None):
        # The padding of segments is the tokenizer's padding id too: whatever it is, nothing attends to it.
        if training:
            return self.encoder({"ids": ids, "segment_ids": segment_ids}, training=True)
        return self.encoder.logits(ids, segment_ids, unpadding=True)

    def _activated(self, logits):
        return tf.convert_to_tensor(_ACTIVATIONS[self.activation](logits))

    def _shaped(self, scores):
        """Of one score (N, 1) a vector."""
        return scores[:, 0] if self.num_labels == 1 else scores

    def compute_output_spec(self, inputs: Mapping[str, keras.KerasTensor], **kwargs: Any) -> keras.KerasTensor:
        rows = inputs["first"].shape[0]
        return keras.KerasTensor((rows,) if self.num_labels == 1 else (rows, self.num_labels), dtype="float32")

    def get_config(self) -> Config:
        return {**super().get_config(), "activation": self.activation, "labels": self.labels}

    def export_functions(self, trainable: bool) -> ExportFunctions:
        of_ids = self._sliced(lambda ids, segments: self._from_ids(ids, segments, False), 2, trainable)

        @traced(_FIRST, _SECOND)
        def logits(first, second):
            pairs = self._pairs_in_chunks(first, second)
            return of_ids(pairs.ids, pairs.segment_ids)

        score = traced(_FIRST, _SECOND)(lambda *pair: self._shaped(self._activated(logits(*pair))))

        def lengths(first, second):
            outputs = self._pairs_in_chunks(first, second).lengths
            return {"outputs": outputs, "longest": tf.fill(tf.shape(outputs), tf.constant(self.max_length, tf.int64))}

        def classify(first, second):
            scores = score(first, second)
            classes = tf.tile(tf.constant([self.labels]), [tf.shape(scores)[0], 1])
            return {"classes": classes, "scores": scores}

        signatures = {
            "serving_default": traced(_FIRST, _SECOND)(lambda *pair: {"outputs": score(*pair)}),
            "logits": traced(_FIRST, _SECOND)(lambda *pair: {"outputs": logits(*pair)}),
            "lengths": traced(_FIRST, _SECOND)(lengths),
        }
        if self.labels:
            signatures["classify"] = traced(_FIRST, _SECOND)(classify)
        return self._root_of_pairs(score, trainable), signatures

    def _pairs_in_chunks(self, first, second):
        """As `tokenize_pairs`, in memory that does not grow with the number of pairs but by the ids themselves."""

        def of_chunk(rows):
            pairs = tokenize_pairs(self.tokenizer, rows[:, 0], rows[:, 1], self.max_length)
            return pairs.ids.values, pairs.segment_ids.values, pairs.ids.row_lengths(), pairs.lengths

        rows = tf.stack([first, check_rows("second texts", second, first)], axis=1)
        specs = [tf.TensorSpec([None], dtype) for dtype in (tf.int32, tf.int32, tf.int64, tf.int64)]
        ids, segment_ids, row_lengths, lengths = in_chunks(of_chunk, rows, specs)
        columns = (tf.RaggedTensor.from_row_lengths(x, row_lengths, validate=False) for x in (ids, segment_ids))
        return TokenizedPairs(*columns, lengths)

    def _root_of_pairs(self, score, trainable):
        """The functions of the exported root, of the dictionary of both texts; as `_root_functions`."""
        pair = {"first": _FIRST, "second": _SECOND}
        if not trainable:
            call = tf.function(lambda inputs: score(*_columns(inputs)), input_signature=[pair], autograph=False)
            return {"__call__": call}

        def with_dropout(first, second):
            return self.call({"first": first, "second": second}, training=True)

        in_training = traced(_FIRST, _SECOND)(with_dropout)

        @tf.function(input_signature=[pair, TRAINING], autograph=False)
        def call(inputs, training=False):
            columns = _columns(inputs)
            return tf.cond(training, lambda: in_training(*columns), lambda: score(*columns))

        of_training = tf.function(
            lambda inputs: in_training(*_columns(inputs)), input_signature=[pair], autograph=False
        )
        return {"__call__": call, "call_in_training": of_training}

    def warmup_requests(self, texts: Sequence[str]) -> Requests:
        pair = {"first": as_strings(texts), "second": tf.reverse(as_strings(texts), [0])}
        names = ("serving_default", "logits", "lengths", *(["classify"] if self.labels else []))
        return dict.fromkeys(names, pair)


def _columns(inputs):
    return inputs["first"], inputs["second"]
