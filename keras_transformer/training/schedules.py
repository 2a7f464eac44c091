import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.types import Config, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class InverseSquareRootSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to a peak, then decay with the inverse square root of the step.

    rate(s) = peak * min(s / warmup, sqrt(warmup / s)), s counted from 1 as in the paper (Keras counts from 0).

    Args:
        peak_learning_rate: the rate at step `warmup_steps`.
        warmup_steps: steps of linear growth.

    Raises:
        ValueError: for a rate of 0 or less, and steps below 1.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 5.3, with the peak as a free choice.

    Example:
        >>> schedule = keras_transformer.training.InverseSquareRootSchedule(0.8, warmup_steps=4)
        >>> [round(float(schedule(step)), 4) for step in (0, 3, 15)]
        [0.2, 0.8, 0.4]
    """

    def __init__(self, peak_learning_rate: float, warmup_steps: int = 4000):
        self.peak_learning_rate = arguments.positive_number("peak_learning_rate", peak_learning_rate)
        self.warmup_steps = arguments.positive_integer("warmup_steps", warmup_steps)

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32") + 1.0
        growth = step / self.warmup_steps
        decay = ops.sqrt(self.warmup_steps / step)
        return self.peak_learning_rate * ops.minimum(growth, decay)

    def get_config(self) -> Config:
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "warmup_steps": self.warmup_steps,
        }


@keras.saving.register_keras_serializable(package="keras_transformer")
class NoamSchedule(InverseSquareRootSchedule):
    """The paper's schedule: D^-0.5 * min(s^-0.5, s * warmup^-1.5), s from 1.

    It is the inverse square root schedule with the peak (D * warmup)^-0.5.

    Args:
        hidden_dim: width D of the model.
        warmup_steps: steps of linear growth; the paper's 4000.

    Raises:
        ValueError: for sizes below 1.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 5.3, equation 3.

    Example:
        >>> schedule = keras_transformer.training.NoamSchedule(512, warmup_steps=4000)
        >>> round(float(schedule(3999)), 7)  # the peak, 512^-0.5 * 4000^-0.5
        0.0006988
    """

    def __init__(self, hidden_dim: int, warmup_steps: int = 4000):
        self.hidden_dim = arguments.positive_integer("hidden_dim", hidden_dim)
        arguments.positive_integer("warmup_steps", warmup_steps)
        super().__init__((hidden_dim * warmup_steps) ** -0.5, warmup_steps)

    def get_config(self) -> Config:
        return {"hidden_dim": self.hidden_dim, "warmup_steps": self.warmup_steps}


@keras.saving.register_keras_serializable(package="keras_transformer")
class LinearDecaySchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up to a peak, then linear decay to 0 at the last step of a training of known length.

    rate(s) = peak * min(s / warmup, (steps - s) / (steps - warmup)), s counted from 1, never below 0.

    Args:
        peak_learning_rate: the rate at step `warmup_steps`.
        warmup_steps: steps of linear growth.
        steps: steps of the whole training.

    Raises:
        ValueError: for a rate of 0 or less, steps below 1, and a warm-up that is not shorter than the training.

    Example:
        >>> schedule = keras_transformer.training.LinearDecaySchedule(0.4, warmup_steps=4, steps=12)
        >>> [round(float(schedule(step)), 4) for step in (0, 3, 7, 11)]
        [0.1, 0.4, 0.2, 0.0]
    """

    def __init__(self, peak_learning_rate: float, warmup_steps: int, steps: int):
        self.peak_learning_rate = arguments.positive_number("peak_learning_rate", peak_learning_rate)
        self.warmup_steps = arguments.positive_integer("warmup_steps", warmup_steps)
        self.steps = arguments.positive_integer("steps", steps)
        if warmup_steps >= steps:
            raise ValueError(f"Expected fewer warmup_steps than steps={steps}. Received: warmup_steps={warmup_steps}")

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, "float32") + 1.0
        growth = step / self.warmup_steps
        decay = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.peak_learning_rate * ops.maximum(ops.minimum(growth, decay), 0.0)

    def get_config(self) -> Config:
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "warmup_steps": self.warmup_steps,
            "steps": self.steps,
        }
