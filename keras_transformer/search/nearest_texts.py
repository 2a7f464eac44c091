import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.export import write_saved_model
from keras_transformer.export.saved_model import check_new
from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.pipelines.embedding import QUERY, first_of
from keras_transformer.pipelines.pipeline import WARMUP_TEXTS
from keras_transformer.pipelines.signatures import STRINGS, traced
from keras_transformer.pipelines.slices import in_slices
from keras_transformer.search.semantic_index import SemanticIndex
from keras_transformer.search.unit_vectors import unit_vectors
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Texts

_SCORES_AT_ONCE = 2**24  # 64 MiB


class NearestTexts:
    """Strings to the nearest of some texts, which are inside: one SavedModel is the whole search service.

    The search is exact. The graph holds the embedder, the texts and their vectors; TensorFlow Serving runs it without
    this package and without any flag.

    Args:
        embedder: a `TextEmbedder` or `ExportedEmbedder`.
        texts: M `str`, or a `SemanticIndex` made with this embedder: its texts, vectors and ids are taken.
        top_k: how many are found for each string; all of them where there are fewer.
        frozen: of a `TextEmbedder`: as for `TextEmbedder.export`.
        dtype: as for `TextEmbedder.export`.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A dictionary: "texts", strings (N, K), the most alike first, of equal ones those that come first in `texts`;
        "scores", float32 (N, K), their cosines; "ids", int64 (N, K), their numbers, or their ids in the index.

    Exported signatures, inputs -> outputs:
        - "serving_default": inputs, strings (N,) -> texts, scores and ids, as above.

    Raises:
        TypeError: for another embedder.
        ValueError: for a `top_k` below 1, no texts, an index of another embedder's vectors, and the options of exports.

    Example:
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.search import NearestTexts
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> embedder = keras_transformer.TextEmbedder(encoder, tokenizer)
        >>> nearest = NearestTexts(embedder, ["a dog", "a tree", "two cats"], top_k=2)
        >>> nearest(["a tree"])["texts"][0, 0].numpy()
        b'a tree'
        >>> nearest.export(tmp_path / "nearest" / "1", warmup_texts=())
    """

    def __init__(
        self,
        embedder: Any,
        texts: Sequence[str] | SemanticIndex,
        top_k: int = 10,
        frozen: bool = False,
        dtype: str | None = None,
    ):
        arguments.positive_integer("top_k", top_k)
        if not len(texts):
            raise ValueError("Expected at least one text. Received none")
        self._embedder = _exported(embedder, frozen, dtype)
        ids, texts, vectors = _contents(self._embedder, texts)
        self.top_k = min(top_k, len(ids))
        # Variables, since a graph's constants are limited to 2 GiB.
        self._ids, self._texts, self._vectors = (tf.Variable(x, trainable=False) for x in (ids, texts, vectors))
        self._find = traced(STRINGS)(self._nearest)

    def __call__(self, inputs: Texts) -> dict[str, tf.Tensor]:
        return self._find(as_strings(inputs))

    def export(self, path: PathLike, warmup_texts: Sequence[str] = WARMUP_TEXTS) -> None:
        """Writes a SavedModel for TF Serving, whole or not at all; `hub.load(path)` is called as this object is.

        Args:
            path: folder to make; `keras_transformer.export.next_version(folder)` numbers it as servers want it.
            warmup_texts: what a server is to find before it offers the model; `()` for nothing.

        Raises:
            FileExistsError: if `path` exists.
            OSError: if it cannot be written.
        """
        check_new(path)
        requests = [("serving_default", {"inputs": as_strings(warmup_texts)})] if len(warmup_texts) else []
        call = tf.function(lambda inputs: self._find(inputs), input_signature=[STRINGS], autograph=False)
        saved_model = self._embedder.saved_model
        variables = list({id(v): v for v in getattr(saved_model, "variables", ())}.values())
        write_saved_model(
            path,
            {"__call__": call},
            {"serving_default": self._find},
            weights=[*variables, self._ids, self._texts, self._vectors],
            other_state=[saved_model],
            warmup_requests=requests,
        )

    def _nearest(self, inputs):
        role = first_of(self._embedder.prompts, QUERY)
        embedded = self._embedder.of_role(inputs, role) if role else self._embedder(inputs)
        queries = tf.math.l2_normalize(tf.cast(embedded, tf.float32), axis=1)
        vectors, count = self._vectors.read_value(), self._vectors.shape[0]

        def of_rows(rows):
            scores = tf.matmul(tf.gather(queries, rows), vectors, transpose_b=True)
            return tuple(tf.math.top_k(scores, self.top_k))

        shape = [None, self.top_k]
        specs = tf.TensorSpec(shape, tf.float32), tf.TensorSpec(shape, tf.int32)
        at_once = max(1, _SCORES_AT_ONCE // count)
        lengths = tf.ones([tf.shape(queries)[0]], tf.int32)
        scores, rows = in_slices(of_rows, lengths, specs, max_tokens=at_once, max_rows=at_once)
        texts, ids = (tf.gather(variable.read_value(), rows) for variable in (self._texts, self._ids))
        return {"texts": texts, "scores": scores, "ids": ids}


def _exported(embedder, frozen, dtype):
    """An embedder as a loaded SavedModel, whose functions can be part of another one."""
    if isinstance(embedder, ExportedEmbedder):
        if frozen or dtype is not None:
            raise ValueError(f"Expected an embedder that is no export with frozen and dtype. Received: {embedder.path}")
        return embedder
    if not hasattr(embedder, "export"):
        raise TypeError(f"Expected a TextEmbedder or an ExportedEmbedder. Received: {type(embedder).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        embedder.export(f"{folder}/1", frozen=frozen, dtype=dtype, warmup_texts=())
        return ExportedEmbedder(f"{folder}/1")


def _contents(embedder, texts):
    """The ids, texts and vectors of M texts."""
    if not isinstance(texts, SemanticIndex):
        vectors = unit_vectors(texts, embedder.embed_documents)
        return np.arange(len(texts)), as_strings(texts), vectors
    vectors, texts_of = texts.vectors(), list(texts.texts)
    if vectors.shape[1] != embedder.output_dim:
        raise ValueError(f"Expected an index of vectors of {embedder.output_dim} numbers. Received: {vectors.shape[1]}")
    return texts.ids, as_strings(texts_of), unit_vectors(vectors)
