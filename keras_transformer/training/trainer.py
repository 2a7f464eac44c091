"""What all trainings have in common, on one device or several, with TensorFlow."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_transformer.training.gradient_step import GradientStep
from keras_transformer.types import Tensor


class Trainer:
    """Base of what a `TrainingRun` drives: a model, its optimizer, and the devices they are on.

    Every worker gets the same batches, and each device takes its share of them. A subclass says in `steps` how the
    gradients of a batch come about; a `GradientStep` does the rest.

    Args:
        model: a `keras.Model`.
        optimizer: its Keras optimizer.
        heads: layers outside of the model that are trained too; two of them may share sub-layers.
        strategy: a `tf.distribute.Strategy`, in whose scope the model was made; by default the current one.
        clip_norm: scales gradients with a larger global norm down to it.
        jit_compile: compile with XLA; for one device.

    Raises:
        ValueError: for a `clip_norm` of 0 or less, and XLA on several devices.

    Example:
        >>> Trainer = keras_transformer.training.Trainer
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> trainer = Trainer(model, keras.optimizers.SGD(0.1))
        >>> trainer.is_chief, trainer.num_devices, len(trainer.step.optimizer.variables)
        (True, 1, 2)
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        heads: Sequence[keras.layers.Layer] = (),
        strategy: tf.distribute.Strategy | None = None,
        clip_norm: float | None = None,
        jit_compile: bool = False,
    ):
        self.model = model
        self.optimizer = optimizer
        self.heads = list(heads)
        self.strategy = strategy or tf.distribute.get_strategy()
        self.num_devices = self.strategy.num_replicas_in_sync
        if jit_compile and self.num_devices > 1:
            raise ValueError(f"Expected one device for jit_compile. Received: {self.num_devices}")
        self.jit_compile = jit_compile
        self.step = GradientStep(optimizer, self.trainable(self.heads), self.strategy, clip_norm)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes files: the first worker, or the only one."""
        return self.strategy.extended.should_checkpoint

    @property
    def variables(self) -> list[keras.Variable]:
        """All that training changes, each once, in a fixed order: weights, states of dropout, optimizer."""
        of_heads = [variable for head in self.heads for variable in head.variables]
        return _each_once([*self.model.variables, *of_heads, *self.optimizer.variables])

    def trainable(self, heads: Sequence[keras.layers.Layer] = ()) -> list[keras.Variable]:
        """The weights of the model, then those of `heads`, each once."""
        of_heads = [weight for head in heads for weight in head.trainable_variables]
        return _each_once([*self.model.trainable_variables, *of_heads])

    def steps(self, batches: Iterable, first: int = 0) -> Iterator[tuple[float, float]]:
        """Trains on the batches of an epoch, one step after another.

        Args:
            batches: the same on every worker.
            first: number of steps to leave out, those already taken.

        Yields:
            (mean loss, its weight in the mean of several steps) after each step, over all devices.
        """
        raise NotImplementedError

    def get_state(self) -> Any:
        """What a run that goes on later needs beside `variables`, in what JSON can hold."""
        return None

    def set_state(self, state: Any) -> None:
        """The reverse of `get_state`."""

    def any_worker(self, flag: bool) -> bool:
        """Whether `flag` is true on at least one worker; all of them must ask at the same time."""
        if self.strategy.cluster_resolver is None:
            return bool(flag)
        flags = self.strategy.experimental_distribute_values_from_function(lambda _: tf.constant(float(bool(flag))))
        return float(self.strategy.reduce(tf.distribute.ReduceOp.SUM, flags, axis=None)) > 0

    @contextlib.contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Within it, model and heads have the optimizer's moving averages (its `use_ema`), if it keeps any."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not optimizer.use_ema:
            yield
            return
        variables = self.trainable(self.heads)  # in the order that the optimizer was built for
        weights = [variable.numpy() for variable in variables]
        try:
            with self.strategy.scope():
                optimizer.finalize_variable_values(variables)
            yield
        finally:
            for variable, value in zip(variables, weights):
                variable.assign(value)

    def share(self, rows: Tensor) -> Tensor:
        """The rows of this device, within `strategy.run`: each R-th one, R being the number of devices."""
        if self.num_devices == 1:
            return rows
        return rows[tf.distribute.get_replica_context().replica_id_in_sync_group :: self.num_devices]

    def compiled(self, function: Callable, *signature: Any) -> Callable:
        """`function` on all devices, as a graph; it returns what the first device of this process does."""

        def on_all_devices(*args):
            results = self.strategy.run(function, args)
            _forget_gradients(tf.compat.v1.get_default_graph())
            return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], results)

        return tf.function(on_all_devices, input_signature=signature, jit_compile=self.jit_compile, autograph=False)


def _forget_gradients(graph):
    """Takes the custom gradients in `graph`, the optimizer's among them, out of TensorFlow's registry.

    There each of them, which nothing asks for after this, would keep the graph for ever: 100 MB a training.
    """
    from tensorflow.python.framework import ops

    for operation in graph.get_operations():
        if operation.type == "IdentityN":
            ops.gradient_registry._registry.pop(operation.node_def.attr["_gradient_op_type"].s.decode(), None)


def _each_once(variables):
    return list({id(variable): variable for variable in variables}.values())
