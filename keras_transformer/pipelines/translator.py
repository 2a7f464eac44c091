import itertools
import warnings

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.decoding import greedy_decode
from keras_transformer.pipelines.pipeline import Pipeline, deserialize_parts, serialize_part

_SORTED_TEXTS = 32  # batches whose texts are sorted by length together


@keras.saving.register_keras_serializable(package="keras_transformer")
class Translator(Pipeline):
    """Strings in one language to strings in another: tokenizer, `Transformer`, greedy decoding in the graph.

    Args:
        transformer: a `keras_transformer.models.Transformer`.
        tokenizer: of the source, and of the target unless `target_tokenizer` is given.
        target_tokenizer: of the target.
        max_extra_length: a translation, its end id included, has at most this many tokens more than its source
            without; the paper's 50.
        max_source_length: longer sources are cut to so many tokens, the end id included.
        name: the model's name.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,). A text without tokens (empty, blanks) gives the empty string.

    Raises:
        ValueError: for inputs that are not a list or vector of strings, sizes below 1, and a tokenizer whose
            vocabulary is larger than the transformer's.
    """

    def __init__(
        self,
        transformer,
        tokenizer,
        target_tokenizer=None,
        max_extra_length=50,
        max_source_length=512,
        name=None,
    ):
        super().__init__(name=name)
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.target_tokenizer = target_tokenizer
        self.max_extra_length = arguments.positive_integer("max_extra_length", max_extra_length)
        self.max_source_length = arguments.positive_integer("max_source_length", max_source_length)
        _check_vocabulary(tokenizer, transformer.source_embedding)
        _check_vocabulary(self._target_tokenizer, transformer.target_embedding)

    @property
    def _target_tokenizer(self):
        return self.target_tokenizer or self.tokenizer

    @property
    def model(self):
        return self.transformer

    @property
    def tokenizers(self):
        return [self.tokenizer] + ([self.target_tokenizer] if self.target_tokenizer else [])

    def call(self, inputs):
        source_ids = self.tokenizer(inputs, add_end=True, max_length=self.max_source_length)
        return self._target_tokenizer.detokenize(self._from_ids(source_ids))

    def _from_ids(self, source_ids):
        """Source ids (N, S), each row with its end id, to target ids (N, T)."""
        tokenizer = self.tokenizer
        is_content = (source_ids != tokenizer.padding_id) & (source_ids != tokenizer.end_id)
        lengths = tf.reduce_sum(tf.cast(is_content, tf.int32), axis=1)
        return greedy_decode(
            self.transformer,
            source_ids,
            tf.where(lengths > 0, lengths + self.max_extra_length, 0),
            begin_id=self._target_tokenizer.begin_id,
            end_id=self._target_tokenizer.end_id,
            padding_id=self._target_tokenizer.padding_id,
        )

    def compute_output_spec(self, inputs, **kwargs):
        return keras.KerasTensor(inputs.shape, dtype="string")

    def translate(self, texts, batch_size=32):
        """Translates an iterable of `str`, however long, in constant memory.

        Texts of about equal length go into one batch; the order is kept.

        Args:
            texts: an iterable of `str`, a file of lines for example.
            batch_size: sentences that are translated at once.

        Yields:
            One `str` for each text. A warning says how many sources of a batch were cut.

        Raises:
            ValueError: for a batch size below 1, and a single string.
        """
        arguments.positive_integer("batch_size", batch_size)
        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {texts!r}")
        texts = iter(texts)
        while window := list(itertools.islice(texts, batch_size * _SORTED_TEXTS)):
            yield from self._translate_window(window, batch_size)

    def _translate_window(self, texts, batch_size):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        translations = [""] * len(texts)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            self._warn_of_cuts([texts[i] for i in batch])
            outputs = self([texts[i] for i in batch]).numpy()
            for i, translation in zip(batch, outputs):
                translations[i] = translation.decode("utf-8")
        return translations

    def _warn_of_cuts(self, texts):
        lengths = self.tokenizer.tokenize(texts, add_end=True).row_lengths()
        num_cut = int(tf.reduce_sum(tf.cast(lengths > self.max_source_length, tf.int32)))
        if num_cut:
            warnings.warn(
                f"{num_cut} of {len(texts)} texts have more than max_source_length="
                f"{self.max_source_length} tokens; their ends are not translated",
                stacklevel=4,
            )

    def attention(self, text):
        """How one translation came about: the cross-attention of every layer and head.

        Args:
            text: a `str`.

        Returns:
            (source pieces, target pieces, weights): the tokens as lists of `str`, the end id as "</s>" or "", and
            a float32 array (layers, H, T, S) of attention weights, each row summing to 1.

        Raises:
            ValueError: for a text without tokens, which has no translation to look at.
        """
        source_ids = self.tokenizer([text], add_end=True, max_length=self.max_source_length)
        if int(source_ids[0, 0]) == self.tokenizer.end_id:
            raise ValueError(f"Expected a text with tokens. Received: {text!r}")
        target_ids = self._from_ids(source_ids)
        target_ids = target_ids[:, : int(tf.math.count_nonzero(target_ids))]
        begin = tf.fill([1, 1], self._target_tokenizer.begin_id)
        _, scores = self.transformer.decode(
            tf.concat([begin, target_ids[:, :-1]], axis=1),
            self.transformer.encode(source_ids),
            return_attention_scores=True,
        )
        return (
            _pieces(self.tokenizer, source_ids),
            _pieces(self._target_tokenizer, target_ids),
            tf.concat(scores, axis=0).numpy(),
        )

    def export_call(self, strings):
        # Not `call` itself: a restored function converts lists only where the signature is fixed.
        return tf.function(lambda inputs: self.call(inputs), input_signature=[strings])

    def get_config(self):
        return {
            "name": self.name,
            "transformer": serialize_part(self.transformer),
            "tokenizer": serialize_part(self.tokenizer),
            "target_tokenizer": serialize_part(self.target_tokenizer),
            "max_extra_length": self.max_extra_length,
            "max_source_length": self.max_source_length,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = ("transformer", "tokenizer", "target_tokenizer")
        return cls(**deserialize_parts(config, parts))


def _check_vocabulary(tokenizer, embedding):
    if tokenizer.vocabulary_size > embedding.vocabulary_size:
        raise ValueError(
            "Expected a transformer with a vector for each token. Received: "
            f"{tokenizer.vocabulary_size} tokens, vocabulary_size={embedding.vocabulary_size}"
        )


def _pieces(tokenizer, ids):
    return [piece.decode("utf-8", "replace") for piece in tokenizer.ids_to_pieces(ids[0]).numpy()]
