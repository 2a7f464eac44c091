import dataclasses
import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING

from keras_transformer import arguments
from keras_transformer.models.presets import preset
from keras_transformer.training.optimization import Optimization
from keras_transformer.types import DType

if TYPE_CHECKING:
    import keras

    from keras_transformer.text import Tokenizer


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingRecipe(Optimization):
    """A sentence encoder's shape, and how it is trained. `dataclasses.replace` changes parts of it.

    Attributes (besides those of `Optimization`):
        encoder: "transformer" (`SentenceEncoder`) or "averaging" (`DeepAveragingNetwork`).
        preset: the shape of a `SentenceEncoder`, by name.
        model: constructor arguments of the encoder that override those of the preset.
        vocabulary_size: of the subwords or words.
        subwords: "unigram" or "bpe"; with `None` a transformer gets "unigram", and an averaging encoder words, as in
            the paper.
        lower_case: subwords do not tell capitals from small letters, as in the paper. Words never do.
        byte_fallback: characters that the subwords lack are tokenized as bytes (`SubwordTokenizer.from_texts`).
        least_squares_start: begin with the embeddings whose sums come nearest to the vectors of a teacher
            (`start_from_least_squares`), and train all but these; it takes `token_weights` and a task with
            `TeacherVectors`.
        max_length: longer texts are truncated to so many tokens.
        micro_batch_tokens: the most tokens, padding included, that go through the encoder of a device together; a
            larger batch is split into micro-batches (gradient caching).
        evaluation_steps: the evaluation interval.

    Raises:
        ValueError: for values out of range and combinations that exclude each other.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.

    Example:
        >>> recipe = keras_transformer.training.EmbeddingRecipe(preset="tiny", steps=2000, warmup_steps=200)
        >>> recipe.encoder, recipe.learning_rate
        ('transformer', 0.0005)
    """

    encoder: str = "transformer"
    preset: str = "small"
    model: dict = dataclasses.field(default_factory=dict)
    vocabulary_size: int = 16000
    subwords: str | None = None
    lower_case: bool = True
    byte_fallback: bool = False
    least_squares_start: bool = False
    max_length: int = 128
    micro_batch_tokens: int = 16384
    learning_rate: float | None = 5e-4
    steps: int | None = 10000
    evaluation_steps: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        preset(self.preset)
        arguments.one_of("encoder", self.encoder, ("transformer", "averaging"))
        arguments.one_of("subwords", self.subwords, ("unigram", "bpe", None))
        if self.encoder == "averaging" and self.byte_fallback:
            raise ValueError("Expected no byte_fallback with encoder='averaging', whose token weights know no bytes")
        self.check(
            arguments.positive_integer, "vocabulary_size", "max_length", "micro_batch_tokens", "evaluation_steps"
        )
        if self.steps is None:
            raise ValueError("Expected a number of steps. Received: steps=None")
        if self.micro_batch_tokens < self.max_length:
            raise ValueError(
                f"Expected micro_batch_tokens to hold a text of max_length={self.max_length}. "
                f"Received: micro_batch_tokens={self.micro_batch_tokens}"
            )

    def make_tokenizer(self, texts: Iterable[str]) -> "Tokenizer":
        """A vocabulary trained on texts: subwords or words."""
        from keras_transformer.text import SubwordTokenizer, WordTokenizer

        if self.encoder == "averaging" and self.subwords is None:
            return WordTokenizer.from_texts(texts, self.vocabulary_size)
        return SubwordTokenizer.from_texts(
            texts,
            self.vocabulary_size,
            model_type=self.subwords or "unigram",
            lower_case=self.lower_case,
            byte_fallback=self.byte_fallback,
        )

    def make_encoder(self, vocabulary_size: int, dtype: DType = None) -> "keras.Model":
        """A new encoder of this shape, from token ids to vectors.

        Raises:
            ValueError: for arguments in `model` that the encoder has not.
        """
        from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder

        encoder_class = DeepAveragingNetwork if self.encoder == "averaging" else SentenceEncoder
        foreign = sorted(set(self.model) - set(inspect.signature(encoder_class).parameters))
        if foreign:
            raise ValueError(f"Expected arguments of the encoder {self.encoder!r}. Received: {', '.join(foreign)}")
        if self.encoder == "averaging":
            return DeepAveragingNetwork(vocabulary_size, dtype=dtype, **self.model)
        # Bytes have the first ids, and are no frequent words.
        bytes_first = {"num_special_ids": 4 + 256} if self.byte_fallback and self.model.get("token_weights") else {}
        return SentenceEncoder.from_preset(self.preset, vocabulary_size, dtype=dtype, **{**bytes_first, **self.model})
