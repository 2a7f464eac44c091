"""An encoder's vectors of single tokens, as an encoder of its own: no data, no training, a vector a token."""

import re
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer import arguments
from keras_transformer.models import StaticEmbedding

if TYPE_CHECKING:
    from keras_transformer.pipelines import TextEmbedder
    from keras_transformer.text import Tokenizer

# What stands for no text, or for any: [unused3] of WordPiece, <s> and <0x0A> of SentencePiece, buckets of words.
_SPECIAL = re.compile(r"\[[^\[\]]+\]|<[^<>]+>|⁇|")


def distill_to_static(
    embedder: "TextEmbedder", output_dim: int = 256, smoothing: float = 1e-4, batch_size: int = 1024
) -> "TextEmbedder":
    """Makes a `StaticEmbedding` of an encoder: each token's vector is what the encoder gives for it alone.

    Known as Model2Vec. The vectors are cut to their principal components, and weighed by the smooth inverse frequency
    a / (a + p) of their tokens. Frequencies are guessed from ranks by Zipf's law: the vocabulary is taken to be in
    order of falling frequency, as those of BERT and our own are. Takes as long as the encoder needs for a text of one
    token each; `start_from_least_squares` takes texts, and gives more.

    Args:
        embedder: a `TextEmbedder`, whose tokenizer the new one has too.
        output_dim: width of the vectors, at most that of the encoder's.
        smoothing: the frequency a at which a weight is one half.
        batch_size: tokens that are encoded at once.

    Returns:
        A `TextEmbedder`, whose texts may be of any length up to 2^20 tokens.

    Raises:
        ValueError: for another pipeline than a `TextEmbedder`, and an `output_dim` that the encoder's vectors or the
            number of tokens do not allow.

    References:
        Tulkens and van Dongen, 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings"; Arora et al., 2017, "A
        Simple but Tough-to-Beat Baseline for Sentence Embeddings", section 3. Relative to Model2Vec: a token's vector
        is the encoder's own, with its own pooling, and the vocabulary is the tokenizer's.

    Example:
        >>> encoder = keras_transformer.models.DeepAveragingNetwork(260, 0, 1, 8, output_dim=8)
        >>> teacher = keras_transformer.TextEmbedder(encoder, keras_transformer.text.ByteTokenizer())
        >>> student = keras_transformer.training.distill_to_static(teacher, output_dim=4)
        >>> student.embed(["red dog", ""]).shape
        (2, 4)
    """
    from keras_transformer.pipelines import TextEmbedder

    if not isinstance(embedder, TextEmbedder):
        raise ValueError(
            f"Expected a TextEmbedder, whose encoder takes ids of tokens. Received: {type(embedder).__name__}"
        )
    arguments.positive_number("smoothing", smoothing)
    tokenizer = embedder.tokenizer
    ids = _ids_of_text(tokenizer)
    width = min(embedder.output_dim, len(ids) - 1)
    if arguments.positive_integer("output_dim", output_dim) > width:
        raise ValueError(f"Expected an output_dim of at most {width}. Received: output_dim={output_dim}")
    vectors = _principal_components(_vectors_of_tokens(embedder, ids, batch_size), output_dim)
    frequencies = 1.0 / np.arange(1, len(ids) + 1)
    frequencies /= frequencies.sum()
    table = np.zeros((tokenizer.vocabulary_size, output_dim))
    table[ids] = vectors * (smoothing / (smoothing + frequencies))[:, None]
    # A text's vector has length 1 in any case; so the table's numbers are of the size of others'.
    table /= np.linalg.norm(table[ids], axis=1).mean()
    encoder = StaticEmbedding(tokenizer.vocabulary_size, output_dim, padding_id=tokenizer.padding_id)
    encoder.set_vectors(table)
    return TextEmbedder(encoder, tokenizer.from_config(tokenizer.get_config()), max_length=2**20)


def _ids_of_text(tokenizer: "Tokenizer") -> np.ndarray:
    """The ids whose tokens stand for text, in order."""
    ids = np.arange(tokenizer.vocabulary_size)
    pieces = tokenizer.ids_to_pieces(ids.astype("int32")).numpy()
    is_text = [not _SPECIAL.fullmatch(piece.decode("utf-8", "replace")) for piece in pieces]
    special = [tokenizer.padding_id, tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id]
    found = np.setdiff1d(ids[is_text], special)
    if len(found) < 2:
        raise ValueError(f"Expected a tokenizer with at least two tokens. Received: {len(found)}")
    return found


def _vectors_of_tokens(embedder, ids, batch_size):
    """(N, width of the encoder's vectors) of texts of one token each."""
    tokenizer = embedder.tokenizer
    rows = ids[:, None]
    if tokenizer.adds_ends:
        begin, end = [np.full_like(rows, special) for special in (tokenizer.begin_id, tokenizer.end_id)]
        rows = np.concatenate([begin, rows, end], axis=1)
    vectors = embedder.encoder.predict(rows.astype("int32"), batch_size=batch_size, verbose=0)
    return np.asarray(vectors, "float64")


def _principal_components(vectors, count):
    """(N, `count`), the strongest first."""
    centred = vectors - vectors.mean(axis=0)
    directions = np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :count]
    return centred @ directions
