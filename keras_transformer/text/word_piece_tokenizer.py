import re
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.text.normalization import PRE_TOKENIZERS, STEPS, bert_steps, normalize, separate_words
from keras_transformer.text.special_tokens import ids_of, separated
from keras_transformer.text.tokenizer import Tokenizer, as_strings
from keras_transformer.types import Config, Tensor, Texts

_CONTINUATION = "##"
# These characters stand for special tokens while a text is split into words; where a text itself has one of them, or a
# zero byte, behind which `tf.strings.lower` would see nothing, it is replaced by another private one.
_FIRST_MARK = 0xE000
_OTHER_PRIVATE = "\uf8ff"
# Take the place of added tokens among the subwords: characters that no text should have.
_FIRST_UNUSED = 0xF0000


@keras.saving.register_keras_serializable(package="keras_transformer")
class WordPieceTokenizer(Tokenizer):
    """BERT's WordPiece inside the graph: the longest subwords first, with the ids of Hugging Face's `BertTokenizer`.

    By default control characters are removed, whitespace separates words, and each punctuation mark and each ideograph
    is a word of its own. A word that the vocabulary cannot spell, or that is too long, becomes the unknown id. Special
    tokens that a text spells ("[MASK]") get their own ids. The begin and end ids are added to every text, even an
    empty one.

    Differences from `BertTokenizer`: about 570 characters that Unicode added after version 8 have their present
    category here. A padding token in the text gets the padding id: a `BertEncoder`, for which padding is what comes
    after the end id, attends to it; a `SentenceEncoder` does not.

    Args:
        vocabulary: the subwords in the order of their ids, a list of `str`; "##" marks those that continue a word.
        lower_case: whether to lower-case the text.
        strip_accents: whether "é" becomes "e"; `None` for the same as `lower_case`.
        split_ideographs: whether each Chinese character is a word.
        padding_token: the token whose position in the vocabulary is the padding id.
        unknown_token: the same for the unknown id.
        begin_token: the same for the begin id.
        end_token: the same for the end id.
        other_tokens: further special tokens.
        normalization: the normalization steps in order, instead of those that the three flags name; a list of "nfc",
            "nfd", "nfkc", "nfkd", "clean_text" (removes control characters), "split_ideographs", "strip_accents"
            (removes non-spacing marks, which "nfd" separates from their letters), "strip_marks" (removes all marks)
            and "lower_case".
        pre_tokenizer: what a word is. "bert": whitespace separates words, punctuation marks are words; "words": runs of
            letters, digits and marks, and runs of other characters; "whitespace": whatever whitespace separates.
        max_word_length: longer words, in characters, become the unknown id.
        normalized_tokens: the special tokens that are searched in the normalized text instead of the original one.
        added_tokens: the special tokens that are not subwords: no word is made of them.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: whether to add the begin id. By default it is added.
        add_end: whether to add the end id. By default it is added.
        max_length: truncates longer rows to this number of ids, begin and end ids included.

    Returns:
        int32 ids (N, longest), padded with `padding_id`; at least one column.

    Raises:
        ValueError: if a subword occurs twice, a special token is not in the vocabulary, a normalization step or
            pre-tokenizer is unknown, or `max_word_length` is not positive.
        ImportError: if tensorflow_text is not installed.

    Example:
        >>> from keras_transformer.text import WordPieceTokenizer
        >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "run", "##s"]
        >>> tokenizer = WordPieceTokenizer(vocabulary)
        >>> ids = tokenizer(["A dog runs", "a [MASK]"])
        >>> ids.numpy().tolist()
        [[2, 5, 6, 7, 8, 3], [2, 5, 4, 3, 0, 0]]
        >>> tokenizer.detokenize(ids).numpy().tolist()
        [b'a dog runs', b'a [MASK]']

    References:
        Devlin et al., 2019, "BERT"; Song et al., 2021, "Fast WordPiece Tokenization".
    """

    adds_ends = True

    def __init__(
        self,
        vocabulary: Iterable[str],
        lower_case: bool = True,
        strip_accents: bool | None = None,
        split_ideographs: bool = True,
        padding_token: str = "[PAD]",
        unknown_token: str = "[UNK]",
        begin_token: str = "[CLS]",
        end_token: str = "[SEP]",
        other_tokens: Iterable[str] = ("[MASK]",),
        normalization: Iterable[str] | None = None,
        pre_tokenizer: str = "bert",
        max_word_length: int = 100,
        normalized_tokens: Iterable[str] = (),
        added_tokens: Iterable[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.lower_case = lower_case
        self.strip_accents = strip_accents
        self.split_ideographs = split_ideographs
        self.padding_token, self.unknown_token = padding_token, unknown_token
        self.begin_token, self.end_token = begin_token, end_token
        self.other_tokens = list(other_tokens)
        self.normalization = None if normalization is None else list(normalization)
        self.pre_tokenizer = arguments.one_of("pre_tokenizer", pre_tokenizer, PRE_TOKENIZERS)
        self.max_word_length = arguments.positive_integer("max_word_length", max_word_length)
        self.normalized_tokens, self.added_tokens = list(normalized_tokens), list(added_tokens)
        self._steps = bert_steps(lower_case, strip_accents, split_ideographs)
        if normalization is not None:
            self._steps = [arguments.one_of("normalization", step, STEPS) for step in self.normalization]
        special = [padding_token, unknown_token, begin_token, end_token, *self.other_tokens]
        ids = ids_of(self.vocabulary, special)
        self.padding_id, self.unknown_id, self.begin_id, self.end_id = ids[:4]
        with tf.init_scope():
            self._mark_special_tokens(special, ids)
            self._word_pieces = self._make_word_pieces()

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The subword of each id, as the vocabulary has it, in the shape of `ids`."""
        return tf.gather(tf.constant(self.vocabulary), ids)

    @property
    def steps(self) -> list[str]:
        """The steps of normalization, in order: `normalization`, or those that the flags name."""
        return list(self._steps)

    def normalized_words(self, texts: Texts) -> list[str]:
        """Strings (N,) normalized, with spaces between the words; special tokens in them are taken as any text."""
        words = separate_words(normalize(as_strings(texts), self._steps), self.pre_tokenizer)
        return [text.decode("utf-8") for text in words.numpy()]

    def _mark_special_tokens(self, special, ids):
        """Chooses the character that stands for each special token, and settles where each is searched."""
        if unknown := {*self.normalized_tokens, *self.added_tokens} - set(special):
            raise ValueError(
                f"Expected normalized_tokens and added_tokens among the special tokens. Received: {sorted(unknown)}"
            )
        # {special token: (the character that stands for it, its id)}
        self._marks = {token: (chr(_FIRST_MARK + i), ids[i]) for i, token in enumerate(special)}
        self._all_marks = "".join(mark for mark, _ in self._marks.values())
        self._separator = chr(_FIRST_MARK + len(special))
        # {spelling in the original, or in the normalized text: the character that stands for it}
        self._in_text = {token: mark for token, (mark, _) in self._marks.items() if token not in self.normalized_tokens}
        spelled = self._normalize(tf.constant(self.normalized_tokens, tf.string)).numpy()
        self._in_normalized = {
            spelling.decode("utf-8"): self._marks[token][0]
            for token, spelling in zip(self.normalized_tokens, spelled)
            if spelling
        }

    def _make_word_pieces(self):
        import tensorflow_text

        added = set(self.added_tokens) - {self.unknown_token}
        pieces = [chr(_FIRST_UNUSED + i) if piece in added else piece for i, piece in enumerate(self.vocabulary)]
        return tensorflow_text.FastWordpieceTokenizer(
            pieces,
            suffix_indicator=_CONTINUATION,
            max_bytes_per_word=4 * self.max_word_length,  # of UTF-8; the limit itself counts characters
            token_out_type=tf.int32,
            unknown_token=self.unknown_token,
            no_pretokenization=True,
        )

    def _encode(self, texts):
        words = tf.strings.split(self._words(texts))
        flat = words.values
        is_long = tf.strings.length(flat, unit="UTF8_CHAR") > self.max_word_length
        flat = tf.where(is_long, self._marks[self.unknown_token][0], flat)
        # The vocabulary has no marks: each becomes one unknown id, which is then replaced by the right one.
        ids = self._word_pieces.tokenize(flat)
        special_id = tf.fill(tf.shape(flat), -1)
        for mark, token_id in self._marks.values():
            special_id = tf.where(flat == mark, token_id, special_id)
        special_id = tf.gather(special_id, ids.value_rowids())
        ids = ids.with_values(tf.where(special_id >= 0, special_id, ids.values))
        return words.with_values(ids).merge_dims(1, 2)

    def _words(self, texts):
        """Texts (N,) as words with spaces between them, special tokens as their marks."""
        texts = tf.strings.regex_replace(texts, rf"[{self._all_marks}{self._separator}\x00]", _OTHER_PRIVATE)
        texts = self._marked(texts, self._in_text)
        texts = self._marked(self._normalize(texts), self._in_normalized)
        return separate_words(texts, self.pre_tokenizer)

    def _marked(self, texts, tokens):
        """Texts (N,) with the special tokens of {spelling: mark} replaced by their marks."""
        if not tokens:
            return texts
        separator = self._separator
        texts = separated(texts, tokens, separator)
        for token, mark in tokens.items():
            texts = tf.strings.regex_replace(texts, separator + re.escape(token) + separator, f" {mark} ")
        return texts

    def _normalize(self, texts):
        return normalize(texts, self._steps, kept=self._all_marks)

    def _decode(self, ids):
        pieces = ids.with_values(self.ids_to_pieces(ids.values))
        texts = tf.strings.reduce_join(pieces, axis=1, separator=" ")
        return tf.strings.regex_replace(texts, f" {_CONTINUATION}", "")

    def get_config(self) -> Config:
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
