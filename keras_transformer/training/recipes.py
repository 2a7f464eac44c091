"""How to train a translator: everything but the data and the machine, in one object."""

import dataclasses

from keras_transformer import arguments
from keras_transformer.models.presets import preset
from keras_transformer.training.optimization import Optimization


@dataclasses.dataclass(frozen=True, kw_only=True)
class TranslationRecipe(Optimization):
    """A model's shape, and how it is trained and decoded. `dataclasses.replace` changes parts of it.

    Attributes (besides those of `Optimization`):
        preset: the shape of the `Transformer`, by name.
        model: constructor arguments of `Transformer` that override those of the preset.
        vocabulary_size: subwords of both languages together.
        subwords: "unigram" or "bpe".
        byte_fallback: characters that the vocabulary lacks are tokenized as bytes (`SubwordTokenizer.from_texts`).
        max_length: pairs with more tokens on a side are left out.
        tokens_per_batch: of a micro-batch: of `ParallelText.batches`, on each side.
        micro_batches: batches that make one step of the optimizer (gradient accumulation).
        epochs: at most, or `None`.
        evaluation_steps: the evaluation interval; by default an epoch.
        label_smoothing: of the loss.
        consistency: R-Drop's alpha; 0 for none.
        bpe_dropout: the probability of skipping a merge of a "bpe" vocabulary; 0 for none.
        bidirectional_epochs: so many epochs at the start are trained in both directions.
        monitor: "loss" or "bleu", of the validation set, chooses the weights to keep.
        bleu_tokenize: sacrebleu's tokenizer for it: "13a", or "none" for text that is tokenized already.
        beam_size: of the translator's beam search; 1 for greedy search.
        length_penalty: of the translator's beam search.

    Raises:
        ValueError: for values out of range and combinations that exclude each other.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", sections 5 and 6.1.

    Example:
        >>> from keras_transformer.training import RECIPES, TranslationRecipe
        >>> TranslationRecipe(preset="small", epochs=40, warmup_steps=4000).label_smoothing
        0.1
        >>> RECIPES["wmt14-big"].average_last
        20
    """

    preset: str = "tiny"
    model: dict = dataclasses.field(default_factory=dict)
    vocabulary_size: int = 8000
    subwords: str = "unigram"
    byte_fallback: bool = False
    max_length: int = 128
    tokens_per_batch: int = 2048
    micro_batches: int = 1
    epochs: int | None = 20
    evaluation_steps: int | None = None
    label_smoothing: float = 0.1
    consistency: float = 0.0
    bpe_dropout: float = 0.0
    bidirectional_epochs: int = 0
    monitor: str = "loss"
    bleu_tokenize: str = "13a"
    beam_size: int = 4
    length_penalty: float = 0.6

    def __post_init__(self) -> None:
        super().__post_init__()
        preset(self.preset)
        arguments.one_of("subwords", self.subwords, ("unigram", "bpe"))
        arguments.one_of("monitor", self.monitor, ("loss", "bleu"))
        self.check(
            arguments.positive_integer,
            *("vocabulary_size", "max_length", "tokens_per_batch", "micro_batches", "beam_size"),
        )
        self.check(arguments.optional_positive_integer, "epochs", "evaluation_steps")
        arguments.non_negative_integer("bidirectional_epochs", self.bidirectional_epochs)
        for name in ("consistency", "length_penalty"):
            arguments.non_negative_number(name, getattr(self, name))
        for name in ("label_smoothing", "bpe_dropout"):
            arguments.rate(name, getattr(self, name))
        if self.bpe_dropout and self.subwords != "bpe":
            raise ValueError(f"Expected subwords='bpe' for bpe_dropout. Received: subwords={self.subwords!r}")
        if self.bpe_dropout and self.byte_fallback:
            raise ValueError(
                f"Expected no byte_fallback with bpe_dropout, which takes characters alone. "
                f"Received: bpe_dropout={self.bpe_dropout}"
            )
        if self.tokens_per_batch < self.max_length:
            raise ValueError(
                f"Expected tokens_per_batch to hold a sequence of max_length={self.max_length}. "
                f"Received: tokens_per_batch={self.tokens_per_batch}"
            )


# The paper's training on WMT 2014 English-German (sections 5.1 to 5.4, 6.1): 37,000 BPE subwords, batches of about
# 25,000 source and 25,000 target tokens, 100,000 and 300,000 steps, checkpoints every ten minutes of which the last 5
# and 20 are averaged. On eight P100 ten minutes were 1,500 steps of base (0.4 s each) and 600 of big (1 s each).
_WMT14 = {
    "vocabulary_size": 37_000,
    "subwords": "bpe",
    "max_length": 256,
    "tokens_per_batch": 25_000,
    "epochs": None,
    "schedule": "noam",
    "learning_rate": None,
    "warmup_steps": 4000,
    "label_smoothing": 0.1,
    "beam_size": 4,
    "length_penalty": 0.6,
}

RECIPES = {
    "default": TranslationRecipe(),
    "wmt14-base": TranslationRecipe(preset="base", steps=100_000, evaluation_steps=1500, average_last=5, **_WMT14),
    "wmt14-big": TranslationRecipe(preset="big", steps=300_000, evaluation_steps=600, average_last=20, **_WMT14),
}
