"""A tokenizer as runtimes have it that know no other than SentencePiece: a model of it, and the rest in the graph."""

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
        model: a serialized SentencePiece model.
        spaces: boolean (P,): which of its pieces begin a word; `None` where its ids are those of the tokenizer, but for
            the begin and end ids.
        lengths: int32 (P,), the characters of each piece; `None` as `spaces`.
    """

    model: bytes
    spaces: np.ndarray | None = None
    lengths: np.ndarray | None = None


def device_tokenizer(tokenizer: Tokenizer, keeps_case: bool = False) -> DeviceTokenizer:
    """A tokenizer for devices that cuts texts as `tokenizer` does.

    Of a `WordPieceTokenizer`, special tokens that a text spells ("[MASK]") are texts as any other.

    Args:
        tokenizer: a `SubwordTokenizer` or a `WordPieceTokenizer`.
        keeps_case: whether texts come to the model as they are; else ASCII letters become lower case before.

    Raises:
        ValueError: for a tokenizer that is neither SentencePiece nor WordPiece with a normalization of single
            characters, or distinguishes ASCII letters by their case where the device does not keep it.
    """
    if isinstance(tokenizer, WordPieceTokenizer):
        if not keeps_case:
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
        if not keeps_case:
            _check_ignores_case(lambda texts: [processor.normalize(text) for text in texts])
        return DeviceTokenizer(_without_control_names(tokenizer.model))
    raise ValueError(
        f"Expected a SubwordTokenizer or a WordPieceTokenizer for this format. Received: {type(tokenizer).__name__}"
    )


def lower_ascii(text: str) -> str:
    """`text` with ASCII letters, and no others, in lower case."""
    return text.translate(_LOWER_CASE)


def token_ids(
    device: DeviceTokenizer, tokenizer: WordPieceTokenizer, ids: tf.Tensor, counts: tf.Tensor, max_length: int
) -> tf.Tensor:
    """The tokens of texts, between the begin and the end id, of their pieces on a device.

    A word that has an unknown part, begins with none of the subwords, or is too long is one unknown token. Shapes do
    not depend on the data, for which runtimes have slower code.

    Args:
        device: made of `tokenizer`.
        tokenizer: whose ids are wanted.
        ids: int32 (N, T), the pieces, and behind them an id of any kind and padding.
        counts: int32 (N,), how many ids are no padding.
        max_length: longer texts are truncated to so many ids; the end id is kept.

    Returns:
        int32 (N, at most T + 1), padded as `tokenizer` pads.
    """
    ids = _known_tokens(device, tokenizer, ids, counts)[:, : max_length - 1]
    is_cut = (tf.range(tf.shape(ids)[1]) == max_length - 2) & (ids != tokenizer.padding_id)
    return tf.pad(tf.where(is_cut, tokenizer.end_id, ids), [[0, 0], [1, 0]], constant_values=tokenizer.begin_id)


def _known_tokens(device, tokenizer, ids, counts):
    """(N, T) pieces to tokens, each text with the end id behind it."""
    places = tf.range(tf.shape(ids)[1])
    is_real, is_last = places < counts[:, None], places == counts[:, None] - 1
    ids = tf.where(is_last, tokenizer.end_id, ids)
    begins = (tf.gather(tf.constant(device.spaces), ids) & is_real) | is_last
    is_piece = is_real & ~is_last
    word = tf.cumsum(tf.cast(begins, tf.int32), axis=1)
    in_same_word = (word[:, :, None] == word[:, None]) & is_piece[:, None]

    def of_word(values):
        return tf.reduce_sum(tf.where(in_same_word, values[:, None], 0), axis=2)

    is_bad = tf.cast((ids == tokenizer.unknown_id) | (ids == len(device.spaces) - 1), tf.int32)
    length = of_word(tf.gather(tf.constant(device.lengths), ids))
    is_unknown = is_piece & ((of_word(is_bad) > 0) | (length > tokenizer.max_word_length))
    is_kept = begins | (is_piece & ~is_unknown)
    kept = tf.where(is_unknown, tokenizer.unknown_id, ids)
    place = tf.cumsum(tf.cast(is_kept, tf.int32), axis=1) - 1
    is_moved = (places[:, None] == place[:, None]) & is_kept[:, None]
    moved = tf.reduce_sum(tf.where(is_moved, kept[:, None], 0), axis=2)
    counts = tf.reduce_sum(tf.cast(is_kept, tf.int32), axis=1)
    return tf.where(places < counts[:, None], moved, tokenizer.padding_id)


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
