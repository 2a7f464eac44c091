"""One step of an optimizer, on every device alike, as part of training with TensorFlow."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.types import Tensor


class GradientStep:
    """One step of an optimizer: scales the loss, sums over micro-batches and devices, clips, applies.

    Each device brings gradients of its part of a sum of losses, and the weight of that part (its number of tokens, for
    example). The step is that of the weighted mean: the sum of all gradients over the sum of all weights. Its global
    norm is clipped as a whole, whatever the number of devices and micro-batches, and in units of the unscaled loss.

    Args:
        optimizer: a Keras optimizer; with a `keras.optimizers.LossScaleOptimizer`, as float16 needs it, a step
            in which a gradient overflows on any device is skipped on all of them.
        variables: all weights that it trains.
        strategy: a `tf.distribute.Strategy`; by default the current one.
        clip_norm: scales gradients with a larger global norm down to it.

    `scale_loss`, `apply`, `add` and `finish` are called on each device, within `strategy.run`.

    Example:
        >>> weight = keras.Variable([3.0, 4.0])
        >>> step = keras_transformer.training.GradientStep(keras.optimizers.SGD(1.0), [weight], clip_norm=0.5)
        >>> total, tokens = step.apply([weight], [2 * weight.value], total=25.0, weight=1.0)
        >>> weight.numpy().round(4)
        array([2.7, 3.6], dtype=float32)
    """

    def __init__(
        self,
        optimizer: keras.optimizers.Optimizer,
        variables: Sequence[keras.Variable],
        strategy: tf.distribute.Strategy | None = None,
        clip_norm: float | None = None,
    ):
        self.optimizer = optimizer
        self.strategy = strategy or tf.distribute.get_strategy()
        self.num_devices = self.strategy.num_replicas_in_sync
        self.clip_norm = None if clip_norm is None else arguments.positive_number("clip_norm", clip_norm)
        self._trained = list(variables)
        self._sums = None
        with self.strategy.scope():
            optimizer.build(self._trained)

    def scale_loss(self, loss: Tensor) -> Tensor:
        """The loss to differentiate. Take it of a mean, for the range of float16."""
        return self.optimizer.scale_loss(loss)

    def all_reduce(self, values: Any) -> Any:
        """The sums over all devices of a tensor or a list of them."""
        if self.num_devices == 1:
            return values
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def apply(
        self, variables: Sequence[Tensor], gradients: Sequence[Tensor], total: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Changes `variables`, all of the trained ones or some.

        Args:
            variables: the weights to change.
            gradients: of a scaled numerator of the loss, one for each of `variables`.
            total: this device's part of the numerator, not scaled; a sum of losses, for example.
            weight: this device's part of the denominator, by which the sum over all devices is divided.

        Returns:
            `total` and `weight` over all devices.
        """
        total, weight = self.all_reduce([total, weight])
        gradients = [tf.math.divide_no_nan(gradient, weight) for gradient in self._dense(variables, gradients)]
        scale = getattr(self.optimizer, "dynamic_scale", None)
        if self.clip_norm or scale is not None:
            # The whole gradient, for its norm, and for the devices to agree whether float16 overflowed. The optimizer
            # will sum over the devices once more.
            gradients = [gradient / self.num_devices for gradient in self.all_reduce(gradients)]
        if self.clip_norm:
            norm = self.clip_norm / self.num_devices * (1.0 if scale is None else scale)
            gradients, _ = tf.clip_by_global_norm(gradients, norm)
        self.optimizer.apply(gradients, variables)
        return total, weight

    def accumulate(self) -> None:
        """Makes room for the sums of `add`, if there is none; to be called outside of `strategy.run`."""
        if self._sums is not None:
            return
        with self.strategy.scope():
            sums = [
                tf.Variable(
                    np.zeros(shape, "float32"),
                    trainable=False,
                    synchronization=tf.VariableSynchronization.ON_READ,
                    aggregation=tf.VariableAggregation.SUM,
                )
                for shape in [*(variable.shape for variable in self._trained), (), ()]
            ]
        self._sums = {id(variable): one for variable, one in zip(self._trained, sums)}
        self._sums["total"], self._sums["weight"] = sums[-2:]

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """A scope around the `add`s and `finish` of a step: if one fails, its sums do not enter the next step."""
        try:
            yield
        except BaseException:
            for one in self._sums.values():
                one.assign(tf.zeros_like(one))
            raise

    def add(self, variables: Sequence[Tensor], gradients: Sequence[Tensor], total: Tensor, weight: Tensor) -> None:
        """Adds a micro-batch to the step that `finish` takes; arguments as of `apply`."""
        values = [*self._dense(variables, gradients), total, weight]
        for one, value in zip(self._sums_of(variables), values, strict=True):
            one.assign_add(value)

    def finish(self, variables: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """As `apply`, of what was added since the last step."""
        sums = self._sums_of(variables)
        *gradients, total, weight = values = [one.read_value() for one in sums]
        with tf.control_dependencies(values):
            for one in sums:
                one.assign(tf.zeros_like(one))
        return self.apply(variables, gradients, total, weight)

    def _sums_of(self, variables):
        return [*(self._sums[id(variable)] for variable in variables), self._sums["total"], self._sums["weight"]]

    @staticmethod
    def _dense(variables, gradients):
        """The gradients as float32 tensors."""
        for variable, gradient in zip(variables, gradients, strict=True):
            if gradient is None:
                raise ValueError(f"Expected a loss that depends on every trainable weight. Received: {variable.path}")
        return [tf.cast(tf.convert_to_tensor(gradient), tf.float32) for gradient in gradients]


def summed_by_variable(variables: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor]:
    """One gradient of each variable, in the order in which they first come: what two parts share has two."""
    sums = {}
    for variable, gradient in zip(variables, gradients, strict=True):
        before = sums.get(id(variable))
        if before is not None and gradient is not None:
            gradient = tf.convert_to_tensor(before) + tf.convert_to_tensor(gradient)
        sums[id(variable)] = before if gradient is None else gradient
    return list(sums.values())
