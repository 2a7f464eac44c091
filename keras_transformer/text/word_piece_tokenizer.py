import re

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.vocabulary import ids_of

_CONTINUATION = "##"
# Ideographs that stand alone, as BERT's own code lists them.
_IDEOGRAPHS = (
    r"\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B920}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}"
)
_PUNCTUATION = r"!-/:-@\[-`{-~\pP"
# Regular expressions elsewhere know these by "alphabetic, mark, digit, connector, joiner".
_WORD_CHARACTERS = (
    r"\pL\p{Nl}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}"
    r"\pM\p{Nd}\p{Pc}\x{200C}\x{200D}"
)
_BLANKS = r"\t-\r\x{85}\pZ"
_FORMS = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}
_STEPS = (*_FORMS, "clean_text", "split_ideographs", "strip_accents", "strip_marks", "lower_case")
# What is put around the words of each.
_PRE_TOKENIZERS = {
    "bert": f"([{_PUNCTUATION}])",
    "words": f"([{_WORD_CHARACTERS}]+|[^{_WORD_CHARACTERS}{_BLANKS}]+)",
    "whitespace": None,
}
# Stand for special tokens while a text is taken apart; in the text itself such characters do not count.
_FIRST_MARK = 0xE000
_OTHER_PRIVATE = "\uf8ff"
# In the place of tokens that are no subwords: no text should have these.
_FIRST_UNUSED = 0xF0000


@keras.saving.register_keras_serializable(package="keras_transformer")
class WordPieceTokenizer(Tokenizer):
    """BERT's subwords, the longest first, inside the graph; the ids are those of Hugging Face's `BertTokenizer`.

    By default control characters go, blanks of all kinds part words, each punctuation mark and ideograph is a word. A
    word that cannot be put together from the vocabulary, or of more than 100 characters, is the unknown id. Special
    tokens in the text ("[MASK]") have their own ids. The begin and end ids stand around each text, an empty one too.

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
        normalization: the steps that a text goes through, instead of those that the three flags name: a list of "nfc",
            "nfd", "nfkc" and "nfkd"; "clean_text" (without control characters); "split_ideographs"; "strip_accents"
            (without non-spacing marks, which "nfd" parts from their letters); "strip_marks" (without marks of any
            kind); "lower_case".
        pre_tokenizer: "bert" for words parted by blanks and punctuation marks, each of which is a word; "words" for
            runs of letters, digits and marks, and runs of what is neither these nor blank; "whitespace" for words
            parted by blanks alone.
        max_word_length: words of more characters are the unknown id.
        normalized_tokens: those special tokens that are looked for in the normalized text, not in the text itself.
        added_tokens: those special tokens that are no subwords, of which no word is put together.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front, as by default.
        add_end: put the end id behind, as by default.
        max_length: keep at most so many ids, the begin and end ids among them.

    Returns:
        int32 ids (N, longest), padded with `padding_id`; at least one column wide.

    Raises:
        ValueError: for subwords that come twice, special tokens that are not among them, unknown steps, an unknown
            pre-tokenizer, and a `max_word_length` below 1.
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
        normalization=None,
        pre_tokenizer="bert",
        max_word_length=100,
        normalized_tokens=(),
        added_tokens=(),
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
        self.normalization = None if normalization is None else list(normalization)
        self.pre_tokenizer = arguments.one_of("pre_tokenizer", pre_tokenizer, _PRE_TOKENIZERS)
        self.max_word_length = arguments.positive_integer("max_word_length", max_word_length)
        self.normalized_tokens, self.added_tokens = list(normalized_tokens), list(added_tokens)
        self._steps = self._steps_of_flags() if normalization is None else self.normalization
        for step in self._steps:
            arguments.one_of("normalization", step, _STEPS)
        special = [padding_token, unknown_token, begin_token, end_token, *self.other_tokens]
        if unknown := {*self.normalized_tokens, *self.added_tokens} - set(special):
            raise ValueError(
                f"Expected normalized_tokens and added_tokens among the special tokens. Received: {sorted(unknown)}"
            )
        ids = ids_of(self.vocabulary, special)
        self.padding_id, self.unknown_id, self.begin_id, self.end_id = ids[:4]
        # {special token: (the character that stands for it, its id)}
        self._marks = {token: (chr(_FIRST_MARK + i), ids[i]) for i, token in enumerate(special)}
        self._separator = chr(_FIRST_MARK + len(special))
        with tf.init_scope():
            added = set(self.added_tokens) - {unknown_token}
            pieces = [chr(_FIRST_UNUSED + i) if piece in added else piece for i, piece in enumerate(self.vocabulary)]
            self._word_pieces = _fast_word_piece(pieces, unknown_token, self.max_word_length)
            spelled = self._normalize(tf.constant(self.normalized_tokens, tf.string)).numpy()
        # {how a text spells a special token: the character that stands for it}
        self._in_text = {token: mark for token, (mark, _) in self._marks.items() if token not in self.normalized_tokens}
        self._in_normalized = {
            spelling.decode("utf-8"): self._marks[token][0]
            for token, spelling in zip(self.normalized_tokens, spelled)
            if spelling
        }

    @property
    def vocabulary_size(self):
        return len(self.vocabulary)

    def ids_to_pieces(self, ids):
        """The subwords as they stand in the vocabulary: ids of any shape to strings."""
        return tf.gather(tf.constant(self.vocabulary), ids)

    def _encode(self, texts):
        words = tf.strings.split(self._normalized(texts))
        flat = words.values
        is_long = tf.strings.length(flat, unit="UTF8_CHAR") > self.max_word_length
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
        marks = "".join(mark for mark, _ in self._marks.values()) + self._separator
        # Nor does a zero byte, behind which `tf.strings.lower` would see nothing.
        texts = tf.strings.regex_replace(texts, rf"[{marks}\x00]", _OTHER_PRIVATE)
        texts = self._normalize(self._marked(texts, self._in_text))
        texts = self._marked(texts, self._in_normalized)
        pattern = _PRE_TOKENIZERS[self.pre_tokenizer]
        texts = tf.strings.regex_replace(texts, pattern, r" \1 ") if pattern else texts
        return tf.strings.regex_replace(texts, f"[{_BLANKS}]", " ")

    def _marked(self, texts, tokens):
        """Texts (N,) in which the characters stand for special tokens, of which the first and longest counts."""
        if not tokens:
            return texts
        pattern = "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))
        separator = self._separator
        texts = tf.strings.regex_replace(texts, f"({pattern})", rf"{separator}\1{separator}")
        for token, mark in tokens.items():
            texts = tf.strings.regex_replace(texts, separator + re.escape(token) + separator, f" {mark} ")
        return texts

    def _normalize(self, texts):
        import tensorflow_text

        for step in self._steps:
            if step in _FORMS:
                texts = tensorflow_text.normalize_utf8(texts, _FORMS[step])
            elif step == "clean_text":
                marks = "".join(mark for mark, _ in self._marks.values())
                texts = tf.strings.regex_replace(texts, r"[\t\n\r\pZ]", " ")
                texts = tf.strings.regex_replace(texts, rf"[^\PC{marks}]|\x{{FFFD}}", "")
            elif step == "split_ideographs":
                texts = tf.strings.regex_replace(texts, f"([{_IDEOGRAPHS}])", r" \1 ")
            elif step == "strip_accents":
                texts = tf.strings.regex_replace(texts, r"\p{Mn}", "")
            elif step == "strip_marks":
                texts = tf.strings.regex_replace(texts, r"\pM", "")
            elif step == "lower_case":
                # ICU would make a final sigma of one at the end of a word.
                texts = tf.strings.lower(tf.strings.regex_replace(texts, "Σ", "σ"), encoding="utf-8")
        return texts

    def _steps_of_flags(self):
        strips = self.lower_case if self.strip_accents is None else self.strip_accents
        steps = {
            "clean_text": True,
            "split_ideographs": self.split_ideographs,
            "nfd": strips,
            "strip_accents": strips,
            "lower_case": self.lower_case,
        }
        return [step for step, is_taken in steps.items() if is_taken]

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
            "normalization": self.normalization,
            "pre_tokenizer": self.pre_tokenizer,
            "max_word_length": self.max_word_length,
            "normalized_tokens": self.normalized_tokens,
            "added_tokens": self.added_tokens,
        }


def _fast_word_piece(vocabulary, unknown_token, max_word_length):
    import tensorflow_text

    return tensorflow_text.FastWordpieceTokenizer(
        vocabulary,
        suffix_indicator=_CONTINUATION,
        max_bytes_per_word=4 * max_word_length,  # of UTF-8; the limit itself counts characters
        token_out_type=tf.int32,
        unknown_token=unknown_token,
        no_pretokenization=True,
    )
