import os

import tensorflow as tf

from keras_transformer.pipelines.exported import LoadedExport
from keras_transformer.pipelines.pair_scoring import ScoresPairs
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Tensor, Texts

_SIGNATURES = ("serving_default", "logits", "lengths")


class ExportedTextPairScorer(ScoresPairs):
    """A SavedModel that `TextPairScorer.export` wrote, called as a `TextPairScorer` is.

    Args:
        path: the folder of the SavedModel, or the loaded one.

    Attributes:
        path: the folder of the SavedModel.
        num_labels: the number of scores of a pair.
        labels: the names of the classes, or `None`.
        max_length: pairs of more tokens are truncated.

    Call arguments:
        inputs: {"first", "second"}: strings (N,) each, a list of `str` or a string tensor; or a tuple of the two.

    Returns:
        (N,), or (N, num_labels) of several classes; float32.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        OSError: for a file that may not be read.
        ValueError: if it is damaged, with the file; if it has not these signatures.

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> encoder = keras_transformer.models.CrossEncoder.from_preset("tiny", 260)
        >>> keras_transformer.TextPairScorer(encoder, ByteTokenizer()).export(tmp_path / "1", warmup_texts=())
        >>> scorer = keras_transformer.pipelines.ExportedTextPairScorer(tmp_path / "1")
        >>> scorer.score([("a dog", "a hound"), ("a dog", "rain")]).shape
        (2,)
    """

    def __init__(self, path: PathLike | LoadedExport):
        self._export = path if isinstance(path, LoadedExport) else LoadedExport(path)
        self.path = os.fspath(self._export.path)
        if not self.fits(self._export):
            raise ValueError(
                f"Expected a SavedModel of pairs, with the signatures {', '.join(_SIGNATURES)} of first and second, in "
                f"{self.path}. Received one with {sorted(self._export.signatures)}"
            )
        empty = {"first": tf.constant([""]), "second": tf.constant([""])}
        signatures = self._export.signatures
        self.num_labels = int(signatures["logits"](**empty)["outputs"].shape[1])
        self.max_length = int(signatures["lengths"](**empty)["longest"][0])
        self.labels = None
        if "classify" in signatures:
            self.labels = [name.decode() for name in signatures["classify"](**empty)["classes"][0].numpy()]

    @property
    def saved_model(self) -> object:
        """What TensorFlow loaded."""
        return self._export.saved_model

    @classmethod
    def fits(cls, export: LoadedExport) -> bool:
        """Whether a loaded SavedModel is of pairs of strings."""
        return all(
            name in export.signatures
            and set(export.signatures[name].structured_input_signature[1]) == {"first", "second"}
            for name in _SIGNATURES
        )

    def __call__(self, inputs: dict[str, Texts] | tuple[Texts, Texts]) -> Tensor:
        first, second = (inputs["first"], inputs["second"]) if isinstance(inputs, dict) else inputs
        return self._call("serving_default", as_strings(first), as_strings(second))

    def num_tokens(self, texts: tuple[Texts, Texts]) -> Tensor:
        """As `TextPairScorer.num_tokens`."""
        return self._call("lengths", *map(as_strings, texts))

    def _score_batch(self, first, second):
        return self._of_batch("serving_default", first, second)

    def _logits_of_batch(self, first, second):
        return self._of_batch("logits", first, second)

    def _of_batch(self, signature, first, second):
        texts = tf.constant(first), tf.constant(second)
        scores = self._call(signature, *texts).numpy().reshape(len(first), self.num_labels)
        return scores, self._call("lengths", *texts).numpy()

    def _call(self, signature, first, second):
        return self._export.signatures[signature](first=first, second=second)["outputs"]
