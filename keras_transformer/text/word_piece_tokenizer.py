import re

import keras
import tensorflow as tf

from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.vocabulary import ids_of

_MAX_WORD_LENGTH = 100
_CONTINUATION = "##"
# Ideographs that stand alone, as BERT's own code lists them.
_IDEOGRAPHS = (
    r"\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B920}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}"
)
_PUNCTUATION = r"!-/:-@\[-`{-~\pP"
# Stand for special tokens while a text is taken apart; in the text itself such characters do not count.
_FIRST_MARK = 0xE000


@keras.saving.register_keras_serializable(package="keras_transformer")
class WordPieceTokenizer(Tokenizer):
    """BERT's subwords, the longest first, inside the graph; the ids are those of Hugging Face's `BertTokenizer`.

    Control characters go, blanks of all kinds part words, each punctuation mark and ideograph is a word. A word that
    cannot be put together from the vocabulary, or of more than 100 characters, is the unknown id. Special tokens in
    the text ("[MASK]") have their own ids. The begin and end ids stand around each text, an empty one too.

    One thing differs: some 570 marks and signs that came into Unicode after version 8 count here as what they are. A
    padding token that stands in the text has the padding id: a `BertEncoder` attends to it, since only what stands
    behind the end id is padding to it; a `SentenceEncoder` does not.

    Args:
        vocabulary: the subwords by id, a list of `str`; "##" marks those that continue a word.
        lower_case: whether words are lower-cased.
        strip_accents: whether "é" becomes "e"; by default as `lower_case`.
        split_ideographs: whether each Chinese character is a word.
        padding_token: its place in the vocabulary is the padding id.
        unknown_token: likewise.
        begin_token: likewise.
        end_token: likewise.
        other_tokens: further ones that are not taken apart where a text has them.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front, as by default.
        add_end: put the end id behind, as by default.
        max_length: keep at most so many ids, the begin and end ids among them.

    Returns:
        int32 ids (N, longest), padded with `padding_id`; at least one column wide.

    Raises:
        ValueError: for subwords that come twice, and special tokens that are not among them.
        ImportError: where tensorflow_text is not installed.

    References:
        Devlin et al., 2019, "BERT"; Song et al., 2021, "Fast WordPiece Tokenization".
    """

    adds_ends = True

    def __init__(
        self,
        vocabulary,
        lower_case=True,
        strip_accents=None,
        split_ideographs=True,
        padding_token="[PAD]",
        unknown_token="[UNK]",
        begin_token="[CLS]",
        end_token="[SEP]",
        other_tokens=("[MASK]",),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.lower_case = lower_case
        self.strip_accents = strip_accents
        self.split_ideographs = split_ideographs
        self.padding_token, self.unknown_token = padding_token, unknown_token
        self.begin_token, self.end_token = begin_token, end_token
        self.other_tokens = list(other_tokens)
        special = [padding_token, unknown_token, begin_token, end_token, *self.other_tokens]
        ids = ids_of(self.vocabulary, special)
        self.padding_id, self.unknown_id, self.begin_id, self.end_id = ids[:4]
        # {special token: (the character that stands for it, its id)}
        self._marks = {token: (chr(_FIRST_MARK + i), ids[i]) for i, token in enumerate(special)}
        with tf.init_scope():
            self._word_pieces = _fast_word_piece(self.vocabulary, unknown_token)

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    def ids_to_pieces(self, ids):
        """The subwords as they stand in the vocabulary: ids of any shape to strings."""
        return tf.gather(tf.constant(self.vocabulary), ids)

    def _encode(self, texts):
        words = tf.strings.split(self._normalized(texts))
        flat = words.values
        is_long = tf.strings.length(flat, unit="UTF8_CHAR") > _MAX_WORD_LENGTH
        flat = tf.where(is_long, self._marks[self.unknown_token][0], flat)
        # No mark is in the vocabulary, so that it becomes one id, the unknown one, until it is put right here.
        ids = self._word_pieces.tokenize(flat)
        right = tf.fill(tf.shape(flat), -1)
        for mark, token_id in self._marks.values():
            right = tf.where(flat == mark, token_id, right)
        right = tf.gather(right, ids.value_rowids())
        ids = ids.with_values(tf.where(right >= 0, right, ids.values))
        return words.with_values(ids).merge_dims(1, 2)

    def _normalized(self, texts):
        """Texts (N,) as words with blanks between them, a special token as the character that stands for it."""
        import tensorflow_text

        marks = "".join(mark for mark, _ in self._marks.values())
        texts = tf.strings.regex_replace(texts, f"[{marks}]", "")
        for token, (mark, _) in self._marks.items():
            texts = tf.strings.regex_replace(texts, re.escape(token), f" {mark} ")
        texts = tf.strings.regex_replace(texts, r"[\t\n\r\pZ]", " ")
        texts = tf.strings.regex_replace(texts, rf"[^\PC{marks}]|\x{{FFFD}}", "")
        if self.split_ideographs:
            texts = tf.strings.regex_replace(texts, f"([{_IDEOGRAPHS}])", r" \1 ")
        if self.lower_case if self.strip_accents is None else self.strip_accents:
            texts = tf.strings.regex_replace(tensorflow_text.normalize_utf8(texts, "NFD"), r"\p{Mn}", "")
        if self.lower_case:
            # ICU would make a final sigma of one at the end of a word.
            texts = tf.strings.lower(tf.strings.regex_replace(texts, "Σ", "σ"), encoding="utf-8")
        return tf.strings.regex_replace(texts, f"([{_PUNCTUATION}])", r" \1 ")

    def _decode(self, ids):
        pieces = ids.with_values(self.ids_to_pieces(ids.values))
        texts = tf.strings.reduce_join(pieces, axis=1, separator=" ")
        return tf.strings.regex_replace(texts, f" {_CONTINUATION}", "")

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "lower_case": self.lower_case,
            "strip_accents": self.strip_accents,
            "split_ideographs": self.split_ideographs,
            "padding_token": self.padding_token,
            "unknown_token": self.unknown_token,
            "begin_token": self.begin_token,
            "end_token": self.end_token,
            "other_tokens": self.other_tokens,
        }


def _fast_word_piece(vocabulary, unknown_token):
    import tensorflow_text

    return tensorflow_text.FastWordpieceTokenizer(
        vocabulary,
        suffix_indicator=_CONTINUATION,
        max_bytes_per_word=4 * _MAX_WORD_LENGTH,  # of UTF-8; the limit itself counts characters
        token_out_type=tf.int32,
        unknown_token=unknown_token,
        no_pretokenization=True,
    )
