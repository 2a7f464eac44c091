import keras
from keras import ops

from keras_transformer import arguments


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
    """

    def __init__(self, peak_learning_rate, warmup_steps=4000):
        self.peak_learning_rate = arguments.positive_number("peak_learning_rate", peak_learning_rate)
        self.warmup_steps = arguments.positive_integer("warmup_steps", warmup_steps)

    def __call__(self, step):
        step = ops.cast(step, "float32") + 1.0
        growth = step / self.warmup_steps
        decay = ops.sqrt(self.warmup_steps / step)
        return self.peak_learning_rate * ops.minimum(growth, decay)

    def get_config(self):
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
    """

    def __init__(self, hidden_dim, warmup_steps=4000):
        self.hidden_dim = arguments.positive_integer("hidden_dim", hidden_dim)
        arguments.positive_integer("warmup_steps", warmup_steps)
        super().__init__((hidden_dim * warmup_steps) ** -0.5, warmup_steps)

    def get_config(self):
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
    """

    def __init__(self, peak_learning_rate, warmup_steps, steps):
        self.peak_learning_rate = arguments.positive_number("peak_learning_rate", peak_learning_rate)
        self.warmup_steps = arguments.positive_integer("warmup_steps", warmup_steps)
        self.steps = arguments.positive_integer("steps", steps)
        if warmup_steps >= steps:
            raise ValueError(f"Expected fewer warmup_steps than steps={steps}. Received: warmup_steps={warmup_steps}")

    def __call__(self, step):
        step = ops.cast(step, "float32") + 1.0
        growth = step / self.warmup_steps
        decay = (self.steps - step) / (self.steps - self.warmup_steps)
        return self.peak_learning_rate * ops.maximum(ops.minimum(growth, decay), 0.0)

    def get_config(self):
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "warmup_steps": self.warmup_steps,
            "steps": self.steps,
        }
