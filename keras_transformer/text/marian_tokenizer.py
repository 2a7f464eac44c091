import base64
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_transformer.text.sentencepiece_model import load_processor, sentencepiece_tokenizer, without_paths
from keras_transformer.text.special_tokens import ids_of, separated
from keras_transformer.text.string_index import StringIndex
from keras_transformer.text.tokenizer import Tokenizer, with_ends
from keras_transformer.types import Config, Tensor

_LANGUAGE = "(?s)^(>>.*?<<)(.*)"
_SEPARATOR = "\U0010ffff"  # not a character


@keras.saving.register_keras_serializable(package="keras_transformer")
class MarianTokenizer(Tokenizer):
    """One language of a Marian model: SentencePiece subwords, with ids from a vocabulary that both languages may share.

    The ids are those of Hugging Face's `MarianTokenizer`. A language code at the start of a text (">>fra<<") is one
    token, which tells a multilingual model the target language. Pieces that the vocabulary lacks become the unknown id,
    which `detokenize` skips. Decoding begins with the padding id.

    Args:
        model: a serialized SentencePiece model, as `bytes` or as base64 in a `str`.
        vocabulary: the pieces in the order of their ids, a list of `str`.
        padding_token: the token whose position in the vocabulary is the padding id, and the begin id.
        unknown_token: the same for the unknown id.
        end_token: the same for the end id.
        special_in_text: whether these three tokens get their own ids where a text spells them, as in Hugging Face's.
            Marian itself splits them as any other text.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: whether to add the begin id. By default it is not added.
        add_end: whether to add the end id. By default it is not added.
        max_length: truncates longer rows to this number of ids, begin and end ids included.

    Returns:
        int32 ids (N, longest), padded with `padding_id`; at least one column.

    Raises:
        ValueError: if `model` is not a SentencePiece model, a piece occurs twice, or a special token is not in the
            vocabulary.
        ImportError: if tensorflow_text is not installed.

    Example:
        >>> from keras_transformer.text import MarianTokenizer, SubwordTokenizer
        >>> model = SubwordTokenizer.from_texts(["a dog", "a red dog"] * 9, 16).model
        >>> tokenizer = MarianTokenizer(model, ["</s>", "<unk>", "▁", "a", "▁dog", ">>deu<<", "<pad>"])
        >>> ids = tokenizer([">>deu<< a dog", "a"], add_end=True)
        >>> ids.numpy().tolist()
        [[5, 2, 3, 4, 0], [2, 3, 0, 6, 6]]
        >>> tokenizer.detokenize(ids[1:]).numpy().tolist()
        [b'a']

    References:
        Tiedemann and Thottingal, 2020, "OPUS-MT"; Junczys-Dowmunt et al., 2018, "Marian".
    """

    def __init__(
        self,
        model: bytes | str,
        vocabulary: Iterable[str],
        padding_token: str = "<pad>",
        unknown_token: str = "<unk>",
        end_token: str = "</s>",
        special_in_text: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model = base64.b64decode(model) if isinstance(model, str) else bytes(model)
        self.vocabulary = list(vocabulary)
        self.padding_token, self.unknown_token, self.end_token = padding_token, unknown_token, end_token
        self.padding_id, self.unknown_id, self.end_id = ids_of(
            self.vocabulary, [padding_token, unknown_token, end_token]
        )
        self.begin_id = self.padding_id
        self.special_in_text = special_in_text
        load_processor(self.model)  # raises for a damaged model
        self.model = without_paths(self.model)
        self._index = StringIndex(self.vocabulary)
        with tf.init_scope():
            self.sentencepiece = sentencepiece_tokenizer(self.model, tf.string)

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The piece of each id, as the vocabulary has it, in the shape of `ids`."""
        return tf.gather(tf.constant(self.vocabulary), ids)

    def _encode(self, texts):
        if not self.special_in_text:
            return self._encode_ordinary(texts)
        special = {
            self.padding_token: self.padding_id,
            self.unknown_token: self.unknown_id,
            self.end_token: self.end_id,
        }
        texts = tf.strings.regex_replace(texts, _SEPARATOR, "\ufffd")
        parts = tf.strings.split(separated(texts, special, _SEPARATOR), _SEPARATOR)
        special_id = tf.fill(tf.shape(parts.values), -1)
        for token, token_id in special.items():
            special_id = tf.where(parts.values == token, token_id, special_id)
        # The text between two special tokens is tokenized as a text of its own.
        ids = self._encode_ordinary(tf.where(special_id >= 0, "", parts.values))
        return parts.with_values(_in_front(ids, special_id)).merge_dims(1, 2)

    def _encode_ordinary(self, texts):
        languages = tf.strings.regex_replace(texts, _LANGUAGE, r"\1")
        has_language = tf.strings.regex_full_match(texts, _LANGUAGE)
        pieces = self.sentencepiece.tokenize(tf.strings.regex_replace(texts, _LANGUAGE, r"\2"))
        return _in_front(pieces.with_values(self._id(pieces.values)), tf.where(has_language, self._id(languages), -1))

    def _id(self, pieces):
        place = self._index(pieces)
        return tf.where(place >= 0, place, self.unknown_id)

    def _decode(self, ids):
        ids = tf.ragged.boolean_mask(ids, ids != self.unknown_id)
        texts = self.sentencepiece.detokenize(ids.with_values(self.ids_to_pieces(ids.values)))
        # This model does not know the pieces of the other language's, and copies them with their marks.
        return tf.strings.strip(tf.strings.regex_replace(texts, "▁", " "))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "model": base64.b64encode(self.model).decode("ascii"),
            "vocabulary": self.vocabulary,
            "padding_token": self.padding_token,
            "unknown_token": self.unknown_token,
            "end_token": self.end_token,
            "special_in_text": self.special_in_text,
        }


def _in_front(ids, first):
    """Ragged ids (N, number of tokens) with `first` (N,) in front of the rows where it is not -1."""
    ids = with_ends(ids, first)
    return tf.ragged.boolean_mask(ids, ids >= 0)
