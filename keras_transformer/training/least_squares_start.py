"""Embeddings to begin with that are computed, not trained: their sums come as near as can be to a teacher's vectors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_transformer.models.sum_start import begin_with
from keras_transformer.training.distillation import TeacherVectors
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.training.tokenized_texts import TokenizedTexts

if TYPE_CHECKING:
    from keras_transformer.text import Tokenizer

_RIDGE = 0.2  # texts: what an embedding is held back by, beside the texts that have its token
_TEXTS_AT_ONCE = 4096
_BLOCK = 1024


def start_from_least_squares(
    encoder: keras.Model, tokenizer: "Tokenizer", tasks: Sequence[SentenceTask], max_length: int = 128
) -> None:
    """Gives an encoder the embeddings whose sums over a text are nearest to the teacher's vector of it.

    A linear least-squares problem with one solution, which takes minutes where a training needs hours to move the
    embeddings of rare words. The teacher's vectors are first cut to their principal directions, as many as the
    encoder's vectors hold, the strongest first; the projections of the encoder and of the objective begin with these.
    Memory: 4 bytes times the square of the number of embeddings.

    Args:
        encoder: a `SentenceEncoder` or a `DeepAveragingNetwork` with `token_weights`, so that it begins as a sum.
        tokenizer: of its ids.
        tasks: the first of them that has `TeacherVectors` counts, and all of its rows.
        max_length: longer texts are truncated to so many tokens.

    Raises:
        ValueError: without such a task, and for other encoders.

    References:
        Hoerl and Kennard, 1970, "Ridge Regression". Static embeddings out of a sentence encoder are also what Model2Vec
        makes, from the vectors of single tokens in place of those of texts.

    Example:
        >>> from keras_transformer.training.least_squares_start import start_from_least_squares
        >>> tokenizer = keras_transformer.text.WordTokenizer(["red", "blue", "dog"])
        >>> encoder = keras_transformer.models.DeepAveragingNetwork(7, 5, 1, 2, output_dim=2, token_weights=True)
        >>> task = keras_transformer.training.SentenceTask(
        ...     "teacher",
        ...     [("red",), ("blue",)],
        ...     keras_transformer.training.TeacherVectors(),
        ...     targets=np.array([[1.0, 0.0], [0.6, 0.8]]),
        ... )
        >>> start_from_least_squares(encoder, tokenizer, [task])
        >>> red, blue = encoder(np.array([[4], [5]])).numpy()
        >>> bool(red @ blue > 0.4)
        True
    """
    task = next((task for task in tasks if isinstance(task.objective, TeacherVectors)), None)
    if task is None:
        raise ValueError(f"Expected a task with TeacherVectors. Received: {[task.name for task in tasks]}")
    if getattr(encoder, "token_weights", None) is None:
        raise ValueError(f"Expected an encoder with token_weights=True. Received: {encoder.name!r} without them")
    width = encoder.output_shape[-1]
    wanted = np.asarray(task.targets)
    directions = _principal_directions(wanted, min(encoder.token_embedding.hidden_dim, width))
    solution = _solve(encoder, TokenizedTexts(tokenizer, task.texts, max_length), task, wanted, directions)
    task.objective([keras.KerasTensor((None, width))], keras.KerasTensor((None, wanted.shape[1])))
    if task.objective.projection is None:
        encoder.start_as_sum(solution, directions)
        return
    encoder.start_as_sum(solution, np.eye(len(directions), width, dtype="float32"))
    begin_with(task.objective.projection.kernel, directions)


def _principal_directions(vectors, count):
    """(`count`, width of the vectors), orthonormal, the strongest first."""
    moments = np.zeros((vectors.shape[1],) * 2, "float32")
    for first in range(0, len(vectors), _TEXTS_AT_ONCE):
        part = np.asarray(vectors[first : first + _TEXTS_AT_ONCE], "float32")
        moments += part.T @ part
    return np.linalg.eigh(moments)[1][:, ::-1].T[:count]


def _solve(encoder, texts, task, wanted, directions):
    """The embeddings: (number of rows that the encoder sums, directions)."""
    size = encoder.num_summed
    gram = np.zeros(size * size, "float32")
    products = np.zeros((size, len(directions)), "float32")
    order = texts.by_length(task.texts_of(np.arange(task.num_rows))[:, 0])
    for first in range(0, len(order), _TEXTS_AT_ONCE):
        rows = order[first : first + _TEXTS_AT_ONCE]
        ids = np.asarray(encoder.summed_ids(texts.padded(task.texts_of(rows)[:, 0])))
        vectors = np.asarray(wanted[rows], "float32")
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        _add(gram, products, ids, vectors @ directions.T)
    gram = gram.reshape(size, size)
    gram[np.diag_indices(size)] += _RIDGE
    _solve_in_place(gram, products)
    return products


def _add(gram, products, ids, vectors):
    """Adds what texts contribute; ids are (B, T), -1 for none, and each counts 1 / sqrt(ids of its text)."""
    is_id = ids >= 0
    shares = 1.0 / np.maximum(is_id.sum(axis=1), 1).astype("float32")
    both = is_id[:, :, None] & is_id[:, None, :]
    cells = ids[:, :, None].astype("int64") * products.shape[0] + ids[:, None, :]
    np.add.at(gram, cells[both], np.broadcast_to(shares[:, None, None], both.shape)[both])
    text, place = np.nonzero(is_id)
    order = np.argsort(ids[text, place], kind="stable")
    found, starts = np.unique(ids[text, place][order], return_index=True)
    weighted = (vectors * np.sqrt(shares)[:, None])[text[order]]
    if len(found):
        products[found] += np.add.reduceat(weighted, starts, axis=0)


def _solve_in_place(matrix, right):
    """Puts the solution of matrix @ x = right in the place of `right`, and factors into the symmetric `matrix`.

    Cholesky by blocks, for BLAS in float32: `np.linalg.solve` would compute in float64, with three times the memory.
    """
    starts = range(0, len(matrix), _BLOCK)
    inverses = []
    for first in starts:
        end = first + _BLOCK
        inverse = np.linalg.inv(np.linalg.cholesky(matrix[first:end, first:end])).astype(matrix.dtype)
        inverses.append(inverse)
        matrix[end:, first:end] = matrix[end:, first:end] @ inverse.T
        for begin in range(end, len(matrix), _BLOCK):
            columns = slice(begin, begin + _BLOCK)
            matrix[begin:, columns] -= matrix[begin:, first:end] @ matrix[columns, first:end].T
        right[first:end] = inverse @ right[first:end]
        right[end:] -= matrix[end:, first:end] @ right[first:end]
    for first, inverse in zip(reversed(starts), reversed(inverses)):
        end = first + _BLOCK
        right[first:end] = inverse.T @ (right[first:end] - matrix[end:, first:end].T @ right[end:])
