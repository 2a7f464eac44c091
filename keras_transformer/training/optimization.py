"""What every recipe says about how weights are changed."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_transformer import arguments
from keras_transformer.types import Config

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimization:
    """The part of a recipe that says how weights are changed.

    Attributes:
        optimizer: "adam" (0.9, 0.98, 1e-9), or "muon": orthogonal updates of the matrices, at a scale that suits Adam's
            learning rates, and Adam's for the rest.
        schedule: "inverse_sqrt", "linear" (down to 0 at `steps`) or "noam" (the paper's, which knows its peak).
        learning_rate: the peak of the schedule; `None` for "noam".
        warmup_steps: of the schedule.
        steps: at most, or `None`. The linear schedule needs it.
        clip_norm: the largest norm of the gradient, or `None`.
        ema: decay of the moving average of the weights that is validated and saved; 0 for none.
        average_last: the mean of the weights after so many last evaluation intervals is validated and saved, or `None`.
        patience: evaluations without a better one after which to stop, or `None`.

    Raises:
        ValueError: for values out of range and combinations that exclude each other.

    References:
        Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al., 2025, "Muon is
        Scalable for LLM Training", section 2.2 (the scale).

    Example:
        >>> from keras_transformer.training.optimization import Optimization
        >>> optimizer = Optimization(learning_rate=0.1, warmup_steps=10).make_optimizer(hidden_dim=64)
        >>> round(float(optimizer.learning_rate), 4)  # of the first step
        0.01
    """

    optimizer: str = "adam"
    schedule: str = "inverse_sqrt"
    learning_rate: float | None = 2e-3
    warmup_steps: int = 1000
    steps: int | None = None
    clip_norm: float | None = None
    ema: float = 0.0
    average_last: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        arguments.one_of("optimizer", self.optimizer, ("adam", "muon"))
        arguments.one_of("schedule", self.schedule, ("inverse_sqrt", "linear", "noam"))
        self.check(arguments.positive_integer, "warmup_steps")
        self.check(arguments.optional_positive_integer, "steps", "average_last", "patience")
        arguments.rate("ema", self.ema)
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

    def check(self, check: Callable, *names: str) -> None:
        """Puts what one of the checks of `keras_transformer.arguments` returns in the place of the values."""
        for name in names:
            object.__setattr__(self, name, check(name, getattr(self, name)))

    def lasting_fields(self, *others: str) -> Config:
        """What must be the same when a training is resumed: all fields but those that say when it ends, and `others`.

        What was made of `model` is told by the model's own config.
        """
        ends = {"patience", "model", *others} | (set() if self.schedule == "linear" else {"steps"})
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in ends}

    def make_optimizer(self, hidden_dim: int) -> "keras.optimizers.Optimizer":
        """The optimizer on the recipe's schedule, for a model of this width."""
        import keras  # the command line's --help shows recipes, and does without

        from keras_transformer.training.schedules import InverseSquareRootSchedule, LinearDecaySchedule, NoamSchedule

        if self.schedule == "noam":
            rate = NoamSchedule(hidden_dim, self.warmup_steps)
        elif self.schedule == "linear":
            rate = LinearDecaySchedule(self.learning_rate, self.warmup_steps, self.steps)
        else:
            rate = InverseSquareRootSchedule(self.learning_rate, self.warmup_steps)
        average = {"use_ema": True, "ema_momentum": self.ema} if self.ema else {}
        if self.optimizer == "muon":
            betas = {"adam_beta_1": 0.9, "adam_beta_2": 0.98}
            no_decay = {"weight_decay": None, "adam_weight_decay": None}
            return keras.optimizers.Muon(rate, epsilon=1e-9, **betas, **no_decay, **average)
        return keras.optimizers.Adam(rate, beta_1=0.9, beta_2=0.98, epsilon=1e-9, **average)
