import collections
import itertools
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.lines import read_lines
from keras_transformer.text.special_tokens import ids_of
from keras_transformer.text.string_index import StringIndex, hash_of
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.types import Config, PathLike, Tensor

_NUM_SPECIAL = 4
_TEXTS_AT_ONCE = 1000
_NO_WORD = "⁇".encode()


@keras.saving.register_keras_serializable(package="keras_transformer")
class WordTokenizer(Tokenizer):
    """Lower-cased words, with hash buckets for those outside the vocabulary.

    A word is a run of letters, a run of digits, or any other character by itself. The ids are 4 special ones, one for
    each word of the vocabulary, and `num_hash_buckets` that all other words share, chosen by a hash of the word. It
    needs no tensorflow_text.

    Args:
        vocabulary: the words in the order of their ids, a list of `str`.
        num_hash_buckets: number of ids for words outside the vocabulary.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: whether to add the begin id. By default it is not added.
        add_end: whether to add the end id. By default it is not added.
        max_length: truncates longer rows to this number of ids, begin and end ids included.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column.

    Raises:
        ValueError: if a word occurs twice, or `num_hash_buckets` is not positive.

    Example:
        >>> from keras_transformer.text import WordTokenizer
        >>> tokenizer = WordTokenizer.from_texts(["A red dog.", "A dog"], vocabulary_size=100, num_hash_buckets=9)
        >>> tokenizer.vocabulary
        ['a', 'dog', '.', 'red']
        >>> tokenizer(["a DOG", "a"], add_end=True).numpy().tolist()
        [[4, 5, 3], [4, 3, 0]]
        >>> tokenizer.detokenize(tokenizer(["A red cat"])).numpy()[0].decode()
        'a red ⁇'

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3: lower-cased words, hashed where they are rare.
    """

    def __init__(self, vocabulary: Iterable[str], num_hash_buckets: int = 1000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.num_hash_buckets = arguments.positive_integer("num_hash_buckets", num_hash_buckets)
        ids_of(self.vocabulary, [])  # raises for a word that occurs twice
        self._index = StringIndex(self.vocabulary)

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], vocabulary_size: int, num_hash_buckets: int = 1000, **kwargs: Any
    ) -> "WordTokenizer":
        """Makes a vocabulary of the most frequent words.

        Args:
            texts: the corpus, an iterable of `str`.
            vocabulary_size: number of ids, special ids and hash buckets included. A small corpus yields fewer.
            num_hash_buckets: number of ids for all other words.
            **kwargs: passed to the constructor.

        Raises:
            ValueError: if the hash buckets leave no room for a word, or the corpus has no words.
        """
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {texts!r}")
        room = arguments.positive_integer("vocabulary_size", vocabulary_size) - _NUM_SPECIAL - num_hash_buckets
        if room < 1:
            raise ValueError(
                f"Expected a vocabulary_size above {_NUM_SPECIAL} + num_hash_buckets. "
                f"Received: vocabulary_size={vocabulary_size}, num_hash_buckets={num_hash_buckets}"
            )
        counts = collections.Counter()
        texts = iter(texts)
        while some := list(itertools.islice(texts, _TEXTS_AT_ONCE)):
            counts.update(_words(tf.constant(some, tf.string)).values.numpy().tolist())
        if not counts:
            raise ValueError("Expected texts with words. Received none")
        # Equally frequent words in alphabetical order: the ids do not depend on the order of the corpus.
        frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:room]
        return cls([word.decode("utf-8") for word, _ in frequent], num_hash_buckets, **kwargs)

    @classmethod
    def from_files(cls, paths: PathLike | Iterable[PathLike], vocabulary_size: int, **kwargs: Any) -> "WordTokenizer":
        """As `from_texts`, on the lines of text files, plain or `.gz`."""
        return cls.from_texts(read_lines(paths), vocabulary_size, **kwargs)

    @property
    def vocabulary_size(self) -> int:
        return _NUM_SPECIAL + len(self.vocabulary) + self.num_hash_buckets

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The word of each id, "⁇" for hash buckets and the unknown id, empty for other special ids."""
        special = [b"", _NO_WORD, b"", b""]
        words = [word.encode("utf-8") for word in self.vocabulary]
        return tf.gather(tf.constant(special + words + [_NO_WORD]), tf.minimum(ids, _NUM_SPECIAL + len(words)))

    def _encode(self, texts):
        words = _words(texts)
        bucket = tf.cast(hash_of(words.values) % self.num_hash_buckets, tf.int32)
        place = self._index(words.values)
        return words.with_values(_NUM_SPECIAL + tf.where(place >= 0, place, len(self.vocabulary) + bucket))

    def _decode(self, ids):
        return tf.strings.reduce_join(ids.with_values(self.ids_to_pieces(ids.values)), axis=1, separator=" ")

    def get_config(self) -> Config:
        return {**super().get_config(), "vocabulary": self.vocabulary, "num_hash_buckets": self.num_hash_buckets}


def _words(texts):
    """Splits strings (N,) into ragged lower-cased words."""
    texts = tf.strings.regex_replace(texts, r"\x00", " ")  # behind which `tf.strings.lower` would see nothing
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"[\pZ\pC\s]+", " ")
    return tf.strings.split(tf.strings.regex_replace(texts, r"([\pL\pM]+|\pN+|[^ \pL\pM\pN])", r"\1 "))
