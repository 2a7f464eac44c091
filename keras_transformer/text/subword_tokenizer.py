import base64
import io
import os

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.lines import read_lines
from keras_transformer.text.bpe_dropout import BpeDropout
from keras_transformer.text.sentencepiece_model import load_processor, sentencepiece_tokenizer, without_paths
from keras_transformer.text.tokenizer import (
    BEGIN_ID,
    END_ID,
    PADDING_ID,
    UNKNOWN_ID,
    Tokenizer,
)

# Characters of a corpus that are trained on together. SentencePiece looks at every repetition within a line, blanks
# included, which takes time quadratic in the length of a line that repeats itself.
_TRAINED_TOGETHER = 1000


@keras.saving.register_keras_serializable(package="keras_transformer")
class SubwordTokenizer(Tokenizer):
    """SentencePiece subwords: trained by the sentencepiece library, run by tensorflow_text inside the graph.

    The vocabulary is part of the layer's config, and so of `.keras` files and SavedModels; the names of the files that
    it was trained on, which SentencePiece puts into a model, are left out. Text is normalised as SentencePiece does by
    default (NFKC, runs of blanks as one); a character that the vocabulary lacks becomes the unknown id, which reads
    back as " ⁇ ".

    Args:
        model: a serialised SentencePiece model: `bytes`, or the same in base64 as `str`. Its ids 0 to 3 must be
            padding, unknown, begin and end.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: put the begin id in front.
        add_end: put the end id behind.
        max_length: keep at most so many ids, the begin and end ids among them.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column wide.

    Raises:
        ValueError: for a model that is none, or numbers its special ids otherwise.
        ImportError: where tensorflow_text is not installed; `ByteTokenizer` works without it.

    References:
        Kudo and Richardson, 2018, "SentencePiece"; Kudo, 2018, "Subword Regularization" (unigram); Sennrich et
        al., 2016, "Neural Machine Translation of Rare Words with Subword Units" (bpe).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = base64.b64decode(model) if isinstance(model, str) else bytes(model)
        _check_special_ids(self.model)
        self.model = without_paths(self.model)
        with tf.init_scope():
            self.sentencepiece = sentencepiece_tokenizer(self.model, tf.int32)
            self._vocabulary_size = int(self.sentencepiece.vocab_size())
        self._bpe_dropout = None  # made when it is needed

    @classmethod
    def from_texts(cls, texts, vocabulary_size, model_type="unigram", split_digits=False, lower_case=False, **kwargs):
        """Trains a vocabulary on an iterable of `str`.

        Args:
            texts: the corpus, one sentence at a time. Long ones are cut at blanks, over which no subword goes anyway.
            vocabulary_size: number of ids, the four special ones included. A corpus too small for so many gets
                fewer.
            model_type: "unigram" or "bpe".
            split_digits: make each digit a token of its own.
            lower_case: fold the case of all texts, those that are tokenized later too (Unicode case folding).
            **kwargs: of the constructor.

        Raises:
            ValueError: for a vocabulary too small for the corpus' characters, an unknown type, and a corpus
                without text.
        """
        import sentencepiece

        if isinstance(texts, (str, bytes)):
            raise ValueError(f"Expected an iterable of strings. Received a single one: {texts!r}")
        arguments.positive_integer("vocabulary_size", vocabulary_size)
        arguments.one_of("model_type", model_type, ("unigram", "bpe"))
        model = io.BytesIO()
        failures = []
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=_remembering_failures(_in_parts(texts), failures),
                model_writer=model,
                vocab_size=vocabulary_size,
                model_type=model_type,
                split_digits=split_digits,
                normalization_rule_name="nmt_nfkc_cf" if lower_case else "nmt_nfkc",
                hard_vocab_limit=False,
                # Every character of the corpus is in the vocabulary.
                character_coverage=1.0,
                max_sentence_length=1 << 20,
                pad_id=PADDING_ID,
                unk_id=UNKNOWN_ID,
                bos_id=BEGIN_ID,
                eos_id=END_ID,
                # More threads would make the result depend on their timing.
                num_threads=1,
                minloglevel=2,
            )
        except (RuntimeError, OSError, ValueError) as error:
            if failures:  # of the texts themselves, which the library would wrap
                raise failures[0] from None
            raise ValueError(
                f"Expected a corpus for {vocabulary_size} {model_type} subwords. "
                f"Received one that SentencePiece refuses: {error}"
            ) from error
        return cls(model.getvalue(), **kwargs)

    @classmethod
    def from_files(cls, paths, vocabulary_size, **kwargs):
        """As `from_texts`, on the lines of text files (plain or .gz)."""
        return cls.from_texts(read_lines(paths), vocabulary_size, **kwargs)

    @classmethod
    def from_model_file(cls, path, **kwargs):
        """From a `.model` file of the sentencepiece library.

        Raises:
            FileNotFoundError: if there is no such file.
        """
        with open(os.fspath(path), "rb") as file:
            return cls(file.read(), **kwargs)

    @property
    def vocabulary_size(self):
        return self._vocabulary_size

    def ids_to_pieces(self, ids):
        """The subwords as they stand in the vocabulary ("▁" marks a blank): ids of any shape to strings."""
        return self.sentencepiece.id_to_string(ids)

    def sample(self, texts, dropout, seed):
        """Other segmentations of the same texts, drawn at random: a regularisation for training.

        Args:
            texts: list of `str`.
            dropout: of `BpeDropout`.
            seed: integer. The result depends on nothing else.

        Returns:
            A list of lists of ids, without begin and end ids.

        Raises:
            ValueError: for a vocabulary that is not of type "bpe", and a dropout outside [0, 1).
        """
        if self._bpe_dropout is None or self._bpe_dropout.dropout != dropout:
            self._bpe_dropout = BpeDropout(self.model, dropout)
        return self._bpe_dropout(texts, seed)

    def _encode(self, texts):
        return self.sentencepiece.tokenize(texts)

    def _decode(self, ids):
        return self.sentencepiece.detokenize(ids)

    def get_config(self):
        return {**super().get_config(), "model": base64.b64encode(self.model).decode("ascii")}


def _in_parts(texts):
    """Yields the texts, those with many characters in parts: cut at a blank, or anywhere if a part has none."""
    for text in texts:
        start = 0
        while len(text) - start > _TRAINED_TOGETHER:
            blank = text.rfind(" ", start + 1, start + _TRAINED_TOGETHER + 1)
            end = blank if blank > 0 else start + _TRAINED_TOGETHER
            yield text[start:end]
            start = end
        yield text[start:]


def _remembering_failures(texts, failures):
    """Yields the texts; an exception on the way is put into `failures` before it goes on."""
    try:
        yield from texts
    except Exception as error:
        failures.append(error)
        raise


def _check_special_ids(model):
    """Raises `ValueError` unless `model` is a SentencePiece model with our special ids."""
    processor = load_processor(model)
    received = (processor.pad_id(), processor.unk_id(), processor.bos_id(), processor.eos_id())
    if received != (PADDING_ID, UNKNOWN_ID, BEGIN_ID, END_ID):
        raise ValueError(
            "Expected a SentencePiece model with the ids padding=0, unknown=1, begin=2, end=3. "
            f"Received: padding={received[0]}, unknown={received[1]}, begin={received[2]}, "
            f"end={received[3]}"
        )
