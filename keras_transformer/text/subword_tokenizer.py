import base64
import io
import os
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.lines import read_lines
from keras_transformer.text.bpe_dropout import BpeDropout
from keras_transformer.text.sentencepiece_model import load_processor, sentencepiece_tokenizer, without_paths
from keras_transformer.text.tokenizer import BEGIN_ID, END_ID, PADDING_ID, UNKNOWN_ID, Tokenizer
from keras_transformer.types import Config, PathLike, Tensor

# Characters of a training text: longer ones are split. SentencePiece searches repetitions across the whole line, in
# time quadratic in the length of a line that repeats itself.
_LONGEST_TRAINED = 1000
# With byte fallback: of all characters of a corpus, so many have an id. SentencePiece's default.
_COVERED = 0.9995


@keras.saving.register_keras_serializable(package="keras_transformer")
class SubwordTokenizer(Tokenizer):
    """SentencePiece subwords: trained by the sentencepiece library, run by tensorflow_text inside the graph.

    The vocabulary is part of the layer's config, and so of `.keras` files and SavedModels; the paths of the training
    files, which SentencePiece stores in a model, are removed. Text is normalized as by SentencePiece's default: NFKC,
    runs of whitespace as one space. Characters that the vocabulary lacks become the unknown id, which `detokenize`
    shows as " ⁇ ", or, in a vocabulary with byte fallback, the ids of their bytes, and come back as they were.

    Args:
        model: a serialized SentencePiece model, as `bytes` or as base64 in a `str`. Its ids 0 to 3 must be padding,
            unknown, begin and end.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        texts: strings (N,).
        add_begin: whether to add the begin id. By default it is not added.
        add_end: whether to add the end id. By default it is not added.
        max_length: truncates longer rows to this number of ids, begin and end ids included.

    Returns:
        int32 ids (N, longest), padded with 0; at least one column.

    Raises:
        ValueError: if `model` is not a SentencePiece model, or has other special ids.
        ImportError: if tensorflow_text is not installed; `ByteTokenizer` works without it.

    Example:
        >>> from keras_transformer.text import SubwordTokenizer
        >>> tokenizer = SubwordTokenizer.from_texts(["a red dog runs", "a dog"] * 9, vocabulary_size=20)
        >>> ids = tokenizer(["a dog", "red"], add_end=True)
        >>> tokenizer.ids_to_pieces(ids[0]).numpy()[-1]
        b'</s>'
        >>> tokenizer.detokenize(ids).numpy().tolist()
        [b'a dog', b'red']

    References:
        Kudo and Richardson, 2018, "SentencePiece"; Kudo, 2018, "Subword Regularization" (unigram); Sennrich et
        al., 2016, "Neural Machine Translation of Rare Words with Subword Units" (bpe).
    """

    def __init__(self, model: bytes | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.model = base64.b64decode(model) if isinstance(model, str) else bytes(model)
        _check_special_ids(self.model)
        self.model = without_paths(self.model)
        with tf.init_scope():
            self.sentencepiece = sentencepiece_tokenizer(self.model, tf.int32)
            self._vocabulary_size = int(self.sentencepiece.vocab_size())
        self._bpe_dropout = None  # made by `sample`

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        vocabulary_size: int,
        model_type: str = "unigram",
        split_digits: bool = False,
        lower_case: bool = False,
        byte_fallback: bool = False,
        **kwargs: Any,
    ) -> "SubwordTokenizer":
        """Trains a vocabulary.

        Args:
            texts: the corpus, an iterable of sentences. Long texts are split at spaces, which no subword spans.
            vocabulary_size: number of ids, the four special ones included. A small corpus yields fewer.
            model_type: "unigram" or "bpe".
            split_digits: whether each digit is a token of its own.
            lower_case: whether to ignore case, by Unicode case folding, in training and in tokenization.
            byte_fallback: whether 256 of the ids are bytes, for characters without an id: those that are not in the
                corpus, and the rarest ones, 0.05% of its text. For languages of many characters, and where names and
                code must come through unchanged.
            **kwargs: passed to the constructor.

        Raises:
            ValueError: if the vocabulary is too small for the characters of the corpus, the type is unknown, or the
                corpus has no text.
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
                sentence_iterator=_recorded_failures(_in_parts(texts), failures),
                model_writer=model,
                vocab_size=vocabulary_size,
                model_type=model_type,
                split_digits=split_digits,
                normalization_rule_name="nmt_nfkc_cf" if lower_case else "nmt_nfkc",
                hard_vocab_limit=False,
                byte_fallback=byte_fallback,
                character_coverage=_COVERED if byte_fallback else 1.0,
                max_sentence_length=1 << 20,
                pad_id=PADDING_ID,
                unk_id=UNKNOWN_ID,
                bos_id=BEGIN_ID,
                eos_id=END_ID,
                num_threads=1,  # with more, the result depends on their timing
                minloglevel=2,
            )
        except (RuntimeError, OSError, ValueError) as error:
            if failures:  # raised by `texts`, and wrapped by the library
                raise failures[0] from None
            raise ValueError(
                f"Expected a corpus for {vocabulary_size} {model_type} subwords. "
                f"Received one that SentencePiece refuses: {error}"
            ) from error
        return cls(model.getvalue(), **kwargs)

    @classmethod
    def from_files(
        cls, paths: PathLike | Iterable[PathLike], vocabulary_size: int, **kwargs: Any
    ) -> "SubwordTokenizer":
        """As `from_texts`, on the lines of text files, plain or `.gz`."""
        return cls.from_texts(read_lines(paths), vocabulary_size, **kwargs)

    @classmethod
    def from_model_file(cls, path: PathLike, **kwargs: Any) -> "SubwordTokenizer":
        """Reads a `.model` file of the sentencepiece library.

        Raises:
            FileNotFoundError: if the file does not exist.
        """
        with open(os.fspath(path), "rb") as file:
            return cls(file.read(), **kwargs)

    @property
    def vocabulary_size(self) -> int:
        return self._vocabulary_size

    def ids_to_pieces(self, ids: Tensor) -> tf.Tensor:
        """The subword of each id, as the vocabulary has it ("▁" is a space), in the shape of `ids`."""
        return self.sentencepiece.id_to_string(ids)

    def sample(self, texts: Sequence[str], dropout: float, seed: int) -> list[list[int]]:
        """Segments texts at random (BPE-dropout), a regularization for training.

        Args:
            texts: a list of `str`.
            dropout: the probability of skipping a merge.
            seed: an integer. The result is a function of the arguments alone.

        Returns:
            The ids of each text, without begin and end ids.

        Raises:
            ValueError: if the vocabulary is not of type "bpe", or `dropout` is outside [0, 1).
        """
        if self._bpe_dropout is None or self._bpe_dropout.dropout != dropout:
            self._bpe_dropout = BpeDropout(self.model, dropout)
        return self._bpe_dropout(texts, seed)

    def _encode(self, texts):
        return self.sentencepiece.tokenize(texts)

    def _decode(self, ids):
        return self.sentencepiece.detokenize(ids)

    def get_config(self) -> Config:
        return {**super().get_config(), "model": base64.b64encode(self.model).decode("ascii")}


def _in_parts(texts):
    """Yields the texts, long ones in parts: split at a space, or anywhere if a part has none."""
    for text in texts:
        start = 0
        while len(text) - start > _LONGEST_TRAINED:
            space = text.rfind(" ", start + 1, start + _LONGEST_TRAINED + 1)
            end = space if space > 0 else start + _LONGEST_TRAINED
            yield text[start:end]
            start = end
        yield text[start:]


def _recorded_failures(texts, failures):
    """Yields the texts; an exception is appended to `failures` and raised again."""
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
