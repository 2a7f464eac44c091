import collections
import itertools

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.lines import read_lines
from keras_transformer.text.string_index import StringIndex, hash_of
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.vocabulary import ids_of

_NUM_SPECIAL = 4
_TEXTS_AT_ONCE = 1000
_NO_WORD = "⁇".encode()


@keras.saving.register_keras_serializable(package="keras_transformer")
class WordTokenizer(Tokenizer):
    """Lower-cased words: runs of letters, runs of digits, and each other character alone; the rest is hashed.

    Ids: 4 special ones, one for each word of the vocabulary, and `num_hash_buckets` that all other words share, each
    word always in the same. Core TensorFlow only.

    Args:
        vocabulary: the words, a list of `str`.
        num_hash_buckets: ids for words that are not in it.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front.
        add_end: put the end id behind.
        max_length: keep at most so many ids, the begin and end ids among them.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column wide.

    Raises:
        ValueError: for words that come twice, and less than one bucket.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3: lower-cased words, hashed where they are rare.
    """

    def __init__(self, vocabulary, num_hash_buckets=1000, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary = list(vocabulary)
        self.num_hash_buckets = arguments.positive_integer("num_hash_buckets", num_hash_buckets)
        ids_of(self.vocabulary, [])  # which refuses a word that comes twice
        self._index = StringIndex(self.vocabulary)

    @classmethod
    def from_texts(cls, texts, vocabulary_size, num_hash_buckets=1000, **kwargs):
        """With the most frequent words of an iterable of `str`.

        Args:
            texts: the corpus.
            vocabulary_size: number of ids, the special ones and the buckets included. A corpus of fewer words gets
                fewer.
            num_hash_buckets: ids for all other words.
            **kwargs: of the constructor.

        Raises:
            ValueError: for a vocabulary that the buckets fill, and a corpus without words.
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
        # Ties in the order of the alphabet, so that the same corpus in another order gives the same ids.
        frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:room]
        return cls([word.decode("utf-8") for word, _ in frequent], num_hash_buckets, **kwargs)

    @classmethod
    def from_files(cls, paths, vocabulary_size, **kwargs):
        """As `from_texts`, on the lines of text files (plain or .gz)."""
        return cls.from_texts(read_lines(paths), vocabulary_size, **kwargs)

    @property
    def vocabulary_size(self):
        return _NUM_SPECIAL + len(self.vocabulary) + self.num_hash_buckets

    def ids_to_pieces(self, ids):
        """The words, "⁇" for buckets and the unknown id, empty strings for other special ids, in the shape of `ids`."""
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

    def get_config(self):
        return {**super().get_config(), "vocabulary": self.vocabulary, "num_hash_buckets": self.num_hash_buckets}


def _words(texts):
    """Strings (N,) as ragged words."""
    texts = tf.strings.regex_replace(texts, r"\x00", " ")  # behind which `tf.strings.lower` would see nothing
    texts = tf.strings.lower(texts, encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"[\pZ\pC\s]+", " ")
    return tf.strings.split(tf.strings.regex_replace(texts, r"([\pL\pM]+|\pN+|[^ \pL\pM\pN])", r"\1 "))
