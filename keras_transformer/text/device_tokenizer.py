"""A tokenizer as runtimes on devices have it: ASCII letters in lower case, then a SentencePiece model."""

import string
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.subword_tokenizer import SubwordTokenizer
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.word_piece_tables import check_has_tables, word_piece_model
from keras_transformer.text.word_piece_tokenizer import WordPieceTokenizer

_LOWER_CASE = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class DeviceTokenizer(NamedTuple):
    """What a device does with a text, and what is left to the graph of a model.

    Attributes:
        model: a serialized SentencePiece model. Before it ASCII letters become lower case.
        spaces: boolean (P,): which of its pieces begin a word; `None` where its ids are those of the tokenizer, but for
            the begin and end ids.
        lengths: int32 (P,), the characters of each piece; `None` as `spaces`.
    """

    model: bytes
    spaces: np.ndarray | None = None
    lengths: np.ndarray | None = None


def device_tokenizer(tokenizer: Tokenizer) -> DeviceTokenizer:
    """A tokenizer for devices that cuts texts as `tokenizer` does.

    Of a `WordPieceTokenizer`, special tokens that a text spells ("[MASK]") are texts as any other.

    Raises:
        ValueError: for a tokenizer that distinguishes ASCII letters by their case, or is neither SentencePiece nor
            WordPiece with a normalization of single characters.
    """
    if isinstance(tokenizer, WordPieceTokenizer):
        _check_ignores_case(tokenizer.normalized_words)
        check_has_tables(tokenizer)
        model = word_piece_model(tokenizer)
        processor = load_processor(model)
        pieces = [processor.id_to_piece(number) for number in range(processor.vocab_size())]
        spaces = np.array([piece.startswith(" ") for piece in pieces])
        spaces[tokenizer.unknown_id] = False
        return DeviceTokenizer(model, spaces, np.array([len(piece.strip(" ")) for piece in pieces], np.int32))
    if isinstance(tokenizer, SubwordTokenizer):
        processor = load_processor(tokenizer.model)
        _check_ignores_case(lambda texts: [processor.normalize(text) for text in texts])
        return DeviceTokenizer(_without_control_names(tokenizer.model))
    raise ValueError(
        f"Expected a SubwordTokenizer or a WordPieceTokenizer for this format. Received: {type(tokenizer).__name__}"
    )


def lower_ascii(text: str) -> str:
    """`text` with ASCII letters, and no others, in lower case."""
    return text.translate(_LOWER_CASE)


def token_ids(tokenizer: DeviceTokenizer, unknown_id: int, max_word_length: int, ids: tf.Tensor) -> tf.Tensor:
    """Ids (T,) of a WordPiece model's pieces to those of the tokenizer (at most T,), without begin and end.

    A word that has an unknown part, begins with none of the subwords, or is too long is one unknown token.

    Args:
        tokenizer: of a `WordPieceTokenizer`.
        unknown_id: of that.
        max_word_length: of that.
        ids: int32.
    """
    spaces, lengths = tf.constant(tokenizer.spaces), tf.constant(tokenizer.lengths)
    space_id = len(tokenizer.spaces) - 1
    begins = tf.gather(spaces, ids)
    is_bad = tf.cast((ids == unknown_id) | (ids == space_id), tf.int32)
    word = tf.maximum(tf.cumsum(tf.cast(begins, tf.int32)) - 1, 0)
    # Sums over words are differences of sums from the beginning: so far, and before the next word.
    starts = tf.reshape(tf.cast(tf.where(begins), tf.int32), [-1])
    limits = tf.concat([starts[1:], tf.shape(ids)], axis=0)

    def of_words(values):
        so_far = tf.concat([[0], tf.cumsum(values)], axis=0)
        return tf.gather(so_far, limits) - tf.gather(so_far, starts)

    is_unknown = (of_words(is_bad) > 0) | (of_words(tf.gather(lengths, ids)) > max_word_length)
    is_unknown = tf.gather(tf.concat([is_unknown, [False]], axis=0), word)
    kept = tf.reshape(tf.where(begins | ~is_unknown), [-1])
    return tf.gather(tf.where(is_unknown, unknown_id, ids), kept)


def _check_ignores_case(normalized):
    """`ValueError` unless `normalized`, of a list of texts, is the same whether ASCII letters are upper case or not."""
    if normalized(list(string.ascii_uppercase)) != normalized(list(string.ascii_lowercase)):
        raise ValueError(
            "Expected a tokenizer that ignores case (lower_case=True) for this format, whose runtime makes ASCII "
            "letters lower case. Received: one that keeps case"
        )


def _without_control_names(model):
    """A SentencePiece model in which no text spells the name of a control piece.

    A runtime looks pieces up by what they spell, unknown ones too.
    """
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    for number, piece in enumerate(proto.pieces):
        if piece.type == piece.CONTROL:
            piece.piece = f" [{number}]"
    spec = proto.trainer_spec
    for role in ("pad", "bos", "eos"):
        number = getattr(spec, f"{role}_id")
        if 0 <= number < len(proto.pieces):
            setattr(spec, f"{role}_piece", proto.pieces[number].piece)
    return proto.SerializeToString(deterministic=True)
