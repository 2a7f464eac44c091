import dataclasses

from keras_transformer import arguments
from keras_transformer.models.presets import preset
from keras_transformer.training.optimization import Optimization


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingRecipe(Optimization):
    """A sentence encoder's shape, and how it is trained. `dataclasses.replace` changes parts of it.

    Attributes (besides those of `Optimization`):
        encoder: "transformer" (`SentenceEncoder`) or "averaging" (`DeepAveragingNetwork`).
        preset: the shape of a `SentenceEncoder`, by name.
        model: constructor arguments of the encoder that override those of the preset.
        vocabulary_size: of the subwords, or of the words of an averaging encoder.
        subwords: "unigram" or "bpe".
        lower_case: subwords do not tell capitals from small letters, as in the paper. An averaging encoder's words
            never do.
        max_length: longer texts are cut to so many tokens.
        tokens_at_once: the most tokens, padding included, that go through the encoder together; a larger batch goes
            in pieces.
        steps_per_round: steps between validations.

    Raises:
        ValueError: for values out of range and combinations that exclude each other.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.
    """

    encoder: str = "transformer"
    preset: str = "small"
    model: dict = dataclasses.field(default_factory=dict)
    vocabulary_size: int = 16000
    subwords: str = "unigram"
    lower_case: bool = True
    max_length: int = 128
    tokens_at_once: int = 16384
    learning_rate: float | None = 5e-4
    steps: int | None = 10000
    steps_per_round: int = 500

    def __post_init__(self):
        super().__post_init__()
        preset(self.preset)
        arguments.one_of("encoder", self.encoder, ("transformer", "averaging"))
        arguments.one_of("subwords", self.subwords, ("unigram", "bpe"))
        self.check(arguments.positive_integer, "vocabulary_size", "max_length", "tokens_at_once", "steps_per_round")
        if self.steps is None:
            raise ValueError("Expected a number of steps. Received: steps=None")
        if self.tokens_at_once < self.max_length:
            raise ValueError(
                f"Expected tokens_at_once to hold a text of max_length={self.max_length}. "
                f"Received: tokens_at_once={self.tokens_at_once}"
            )
