import base64
import re

import keras
import tensorflow as tf

from keras_transformer.text.sentencepiece_model import load_processor, sentencepiece_tokenizer, without_paths
from keras_transformer.text.string_index import StringIndex
from keras_transformer.text.tokenizer import Tokenizer, with_ends
from keras_transformer.text.vocabulary import ids_of

_LANGUAGE = "(?s)^(>>.*?<<)(.*)"
_SEPARATOR = "\U0010ffff"  # no character


@keras.saving.register_keras_serializable(package="keras_transformer")
class MarianTokenizer(Tokenizer):
    """One side of a Marian model: SentencePiece subwords, numbered by a vocabulary that both sides may share.

    The ids are those of Hugging Face's `MarianTokenizer`. A language code in front of a text (">>fra<<") is a token
    of its own, which tells a multilingual model what to translate into. A piece that the vocabulary lacks is the
    unknown id; read back, that is left out. Decoding begins with the padding id.

    Args:
        model: a serialised SentencePiece model: `bytes`, or the same in base64 as `str`.
        vocabulary: the pieces by id, a list of `str`.
        padding_token: its place in the vocabulary is the padding id, and the begin id.
        unknown_token: likewise.
        end_token: likewise.
        special_in_text: whether these three have their own ids where a text spells them, as in transformers. Marian
            itself takes them apart as any other text.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front.
        add_end: put the end id behind.
        max_length: keep at most so many ids, the begin and end ids among them.

    Returns:
        int32 ids (N, longest), padded with `padding_id`; at least one column wide.

    Raises:
        ValueError: for a model that is none, pieces that come twice, and special tokens that are not among them.
        ImportError: where tensorflow_text is not installed.

    References:
        Tiedemann and Thottingal, 2020, "OPUS-MT"; Junczys-Dowmunt et al., 2018, "Marian".
    """

    def __init__(
        self,
        model,
        vocabulary,
        padding_token="<pad>",
        unknown_token="<unk>",
        end_token="</s>",
        special_in_text=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.model = base64.b64decode(model) if isinstance(model, str) else bytes(model)
        self.vocabulary = list(vocabulary)
        self.padding_token, self.unknown_token, self.end_token = padding_token, unknown_token, end_token
        self.padding_id, self.unknown_id, self.end_id = ids_of(
            self.vocabulary, [padding_token, unknown_token, end_token]
        )
        self.begin_id = self.padding_id
        self.special_in_text = special_in_text
        load_processor(self.model)  # which knows a damaged one
        self.model = without_paths(self.model)
        self._index = StringIndex(self.vocabulary)
        with tf.init_scope():
            self.sentencepiece = sentencepiece_tokenizer(self.model, tf.string)

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    def ids_to_pieces(self, ids):
        """The pieces as they stand in the vocabulary: ids of any shape to strings."""
        return tf.gather(tf.constant(self.vocabulary), ids)

    def _encode(self, texts):
        if not self.special_in_text:
            return self._encode_ordinary(texts)
        special = {
            self.padding_token: self.padding_id,
            self.unknown_token: self.unknown_id,
            self.end_token: self.end_id,
        }
        pattern = "|".join(re.escape(token) for token in sorted(special, key=len, reverse=True))
        texts = tf.strings.regex_replace(texts, _SEPARATOR, "\ufffd")
        texts = tf.strings.regex_replace(texts, f"({pattern})", rf"{_SEPARATOR}\1{_SEPARATOR}")
        parts = tf.strings.split(texts, _SEPARATOR)
        special_id = tf.fill(tf.shape(parts.values), -1)
        for token, token_id in special.items():
            special_id = tf.where(parts.values == token, token_id, special_id)
        # What stands between special tokens is a text of its own.
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
        # Pieces that only the other side's model has are copied as they stand.
        return tf.strings.strip(tf.strings.regex_replace(texts, "▁", " "))

    def get_config(self):
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
    """Ragged ids (N, number of tokens) with those of `first` (N,) that are not -1 in front."""
    ids = with_ends(ids, first)
    return tf.ragged.boolean_mask(ids, ids >= 0)
