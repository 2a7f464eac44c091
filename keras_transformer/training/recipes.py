"""How to train a translator: everything but the data and the machine, in one object."""

import dataclasses

from keras_transformer import arguments
from keras_transformer.models.presets import preset
from keras_transformer.training.optimizers import Adam, Muon
from keras_transformer.training.schedules import InverseSquareRootSchedule, LinearDecaySchedule, NoamSchedule


@dataclasses.dataclass(frozen=True)
class TranslationRecipe:
    """A model's shape, and how it is trained and decoded. `dataclasses.replace` changes parts of it.

    Attributes:
        preset: the shape of the `Transformer`, by name.
        model: constructor arguments of `Transformer` that override those of the preset.
        vocabulary_size: subwords of both languages together.
        subwords: "unigram" or "bpe".
        max_length: pairs with more tokens on a side are left out.
        tokens_per_batch: of `ParallelText.batches`, on each side.
        accumulated_batches: batches that make one step of the optimizer.
        epochs: at most, or `None`.
        steps: at most, or `None`. The linear schedule needs it.
        steps_per_round: steps between validations; by default an epoch.
        optimizer: "adam" (0.9, 0.98, 1e-9), or "muon" for the matrices and adam for the rest.
        schedule: "inverse_sqrt", "linear" (down to 0 at `steps`) or "noam" (the paper's, which knows its peak).
        learning_rate: the peak of the schedule; `None` for "noam".
        warmup_steps: of the schedule.
        label_smoothing: of the loss.
        consistency: R-Drop's alpha; 0 for none.
        bpe_dropout: the probability with which a merge of a "bpe" vocabulary is left out; 0 for none.
        bidirectional_epochs: so many epochs at the start are trained in both directions.
        clip_norm: the largest norm of the gradient, or `None`.
        ema: decay of the moving average of the weights that is validated and saved; 0 for none.
        average_last: the mean of the weights after so many last rounds is validated and saved, or `None`.
        monitor: "loss" or "bleu", of the validation set, chooses the round to keep.
        bleu_tokenize: sacrebleu's tokenizer for it: "13a", or "none" for text that is tokenized already.
        patience: rounds without a better one after which to stop, or `None`.
        beam_size: of the translator's beam search; 1 for greedy search.
        length_penalty: of the translator's beam search.

    Raises:
        ValueError: for values out of range and combinations that exclude each other.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", sections 5 and 6.1.
    """

    preset: str = "tiny"
    model: dict = dataclasses.field(default_factory=dict)
    vocabulary_size: int = 8000
    subwords: str = "unigram"
    max_length: int = 128
    tokens_per_batch: int = 2048
    accumulated_batches: int = 1
    epochs: int | None = 20
    steps: int | None = None
    steps_per_round: int | None = None
    optimizer: str = "adam"
    schedule: str = "inverse_sqrt"
    learning_rate: float | None = 2e-3
    warmup_steps: int = 1000
    label_smoothing: float = 0.1
    consistency: float = 0.0
    bpe_dropout: float = 0.0
    bidirectional_epochs: int = 0
    clip_norm: float | None = None
    ema: float = 0.0
    average_last: int | None = None
    monitor: str = "loss"
    bleu_tokenize: str = "13a"
    patience: int | None = None
    beam_size: int = 4
    length_penalty: float = 0.6

    def __post_init__(self):
        preset(self.preset)
        arguments.one_of("subwords", self.subwords, ("unigram", "bpe"))
        arguments.one_of("optimizer", self.optimizer, ("adam", "muon"))
        arguments.one_of("schedule", self.schedule, ("inverse_sqrt", "linear", "noam"))
        arguments.one_of("monitor", self.monitor, ("loss", "bleu"))
        for name in (
            "vocabulary_size", "max_length", "tokens_per_batch", "accumulated_batches", "warmup_steps", "beam_size",
        ):  # fmt: skip
            object.__setattr__(self, name, arguments.positive_integer(name, getattr(self, name)))
        arguments.non_negative_integer("bidirectional_epochs", self.bidirectional_epochs)
        for name in ("consistency", "length_penalty"):
            arguments.non_negative_number(name, getattr(self, name))
        for name in ("epochs", "steps", "steps_per_round", "average_last", "patience"):
            object.__setattr__(self, name, arguments.optional_positive_integer(name, getattr(self, name)))
        for name in ("label_smoothing", "bpe_dropout", "ema"):
            arguments.rate(name, getattr(self, name))
        if self.clip_norm is not None:
            arguments.positive_number("clip_norm", self.clip_norm)
        if (self.learning_rate is None) != (self.schedule == "noam"):
            raise ValueError(
                "Expected a learning_rate for every schedule but noam, which has its own. "
                f"Received: schedule={self.schedule!r}, learning_rate={self.learning_rate}"
            )
        if self.learning_rate is not None:
            arguments.positive_number("learning_rate", self.learning_rate)
        if self.schedule == "linear" and (self.steps is None or self.steps <= self.warmup_steps):
            raise ValueError(
                "Expected steps, more than warmup_steps, for the linear schedule. "
                f"Received: steps={self.steps}, warmup_steps={self.warmup_steps}"
            )
        if self.ema and self.average_last:
            raise ValueError(
                "Expected ema or average_last, since one of them is saved. "
                f"Received: ema={self.ema}, average_last={self.average_last}"
            )
        if self.bpe_dropout and self.subwords != "bpe":
            raise ValueError(f"Expected subwords='bpe' for bpe_dropout. Received: subwords={self.subwords!r}")
        if self.tokens_per_batch < self.max_length:
            raise ValueError(
                f"Expected tokens_per_batch to hold a sequence of max_length={self.max_length}. "
                f"Received: tokens_per_batch={self.tokens_per_batch}"
            )

    def make_optimizer(self, hidden_dim, compute_dtype="float32"):
        """The optimizer on the recipe's schedule, for a model of this width and compute dtype."""
        if self.schedule == "noam":
            rate = NoamSchedule(hidden_dim, self.warmup_steps)
        elif self.schedule == "linear":
            rate = LinearDecaySchedule(self.learning_rate, self.warmup_steps, self.steps)
        else:
            rate = InverseSquareRootSchedule(self.learning_rate, self.warmup_steps)
        average = {"use_ema": True, "ema_momentum": self.ema} if self.ema else {}
        if self.optimizer == "muon":
            dtype = "bfloat16" if compute_dtype == "bfloat16" else "float32"
            return Muon(rate, dtype, adam_beta_1=0.9, adam_beta_2=0.98, epsilon=1e-9, **average)
        return Adam(rate, beta_1=0.9, beta_2=0.98, epsilon=1e-9, **average)


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
    "wmt14-base": TranslationRecipe(preset="base", steps=100_000, steps_per_round=1500, average_last=5, **_WMT14),
    "wmt14-big": TranslationRecipe(preset="big", steps=300_000, steps_per_round=600, average_last=20, **_WMT14),
}
