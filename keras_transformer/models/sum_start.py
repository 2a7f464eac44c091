"""How an encoder of sentences begins as a weighted sum of given vectors of its tokens."""

import keras
import numpy as np

from keras_transformer.layers import TokenEmbedding, TokenWeights
from keras_transformer.types import Tensor


def start_tokens(embedding: TokenEmbedding, weights: TokenWeights, vectors: Tensor) -> float:
    """Puts directions of vectors (V, K) into the embeddings, and their lengths into the token weights, of mean 1.

    A token whose vector is zero keeps its embedding, and gets the smallest weight of the others.

    Returns:
        What the vectors were multiplied by.

    Raises:
        ValueError: for vectors that are not finite, all zero, or wider than the embeddings.

    Example:
        >>> from keras_transformer.models import sum_start
        >>> encoder = keras_transformer.models.SentenceEncoder(5, 1, 4, 4, 1, 2, token_weights=True)
        >>> embedding, weights = encoder.token_embedding, encoder.token_weights
        >>> vectors = np.array([[0.0, 0.0]] * 3 + [[3.0, 0.0], [0.0, 1.0]])
        >>> sum_start.start_tokens(embedding, weights, vectors)
        0.5
        >>> np.asarray(embedding.embedding.embeddings)[3:].tolist(), np.asarray(weights.factors).tolist()
        ([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]], [0.5, 0.5, 0.5, 1.5, 0.5])
    """
    vectors = np.asarray(vectors, "float32")
    lengths = np.linalg.norm(vectors, axis=1)
    known = lengths > 0
    if vectors.shape[1] > embedding.hidden_dim or not np.isfinite(lengths).all() or not known.any():
        raise ValueError(
            f"Expected finite vectors of at most {embedding.hidden_dim} numbers, not all of them zero. "
            f"Received: shape {vectors.shape}, {known.sum():,} with a length above zero"
        )
    scale = 1.0 / lengths[known].mean()
    directions = np.zeros((len(vectors), embedding.hidden_dim), "float32")
    directions[known, : vectors.shape[1]] = vectors[known] / lengths[known, None]
    table = embedding.embedding.embeddings
    table.assign(np.where(known[:, None], directions, np.array(table)))
    weights.factors.assign(np.where(known, lengths, lengths[known].min()) * scale)
    return float(scale)


def begin_with(weight: keras.Variable, rows: Tensor) -> None:
    """Puts rows in the place of a matrix's first ones, with zeros where they are narrower.

    Example:
        >>> matrix = keras.Variable(np.ones((3, 2)))
        >>> keras_transformer.models.sum_start.begin_with(matrix, np.array([[5.0]]))
        >>> np.asarray(matrix).tolist()
        [[5.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    """
    values = np.array(weight)
    values[: len(rows)] = 0
    values[: len(rows), : rows.shape[1]] = rows
    weight.assign(values)
