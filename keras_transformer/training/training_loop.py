import contextlib
import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.training.consistency import consistency_losses


class TrainingLoop:
    """The steps of training a compiled model: on one device or many, of one machine or several.

    What `keras.Model.fit` does, and what it cannot: it runs under `tf.distribute.MultiWorkerMirroredStrategy`
    (keras#20585), it takes up a run at any step, and each step is the same whatever the number of devices and of
    accumulated batches: the gradient is that of the mean over all tokens of all of them, and it is clipped as a whole.

    Every worker gets the same batches and takes each R-th row of them, R being the number of devices.

    Args:
        model: a `keras.Model` compiled with one `keras.losses.Loss` and an optimizer, both made like the model within
            the scope of the strategy. A loss with a method `weights(y_true, sample_weight)`, as
            `LabelSmoothedCrossEntropy` has, is averaged over tokens by these weights, another over the elements of what
            its `call` returns, times the sample weights. The metrics of `compile` are not computed.
        strategy: a `tf.distribute.Strategy`; by default the current one.
        accumulated_batches: batches that make one step; memory is that of one.
        clip_norm: scales gradients with a larger global norm down to it.
        consistency: the alpha of R-Drop: each batch goes through the model twice, and the mean loss of the two gets
            alpha / 2 times their divergence (the paper adds the two losses, and alpha times the divergence). For
            models whose output is logits (B, T, V).
        jit_compile: compile with XLA; for one device.

    Raises:
        ValueError: for a model that is not compiled with one loss, numbers out of range, XLA on several devices.

    References:
        Liang et al., 2021, "R-Drop: Regularized Dropout for Neural Networks".
    """

    def __init__(self, model, strategy=None, accumulated_batches=1, clip_norm=None, consistency=0.0, jit_compile=False):
        self.model = model
        self.strategy = strategy or tf.distribute.get_strategy()
        self.accumulated_batches = arguments.positive_integer("accumulated_batches", accumulated_batches)
        self.clip_norm = None if clip_norm is None else arguments.positive_number("clip_norm", clip_norm)
        self.consistency = consistency and arguments.positive_number("consistency", consistency)
        self.loss = getattr(model, "loss", None)
        if not isinstance(self.loss, keras.losses.Loss):
            raise ValueError(f"Expected a model compiled with one keras.losses.Loss. Received: loss={self.loss!r}")
        self.optimizer = model.optimizer
        self.num_devices = self.strategy.num_replicas_in_sync
        if jit_compile and self.num_devices > 1:
            raise ValueError(f"Expected one device for jit_compile. Received: {self.num_devices}")
        self.jit_compile = jit_compile
        with self.strategy.scope():
            self.optimizer.build(model.trainable_variables)
            self._sums = self._make_sums() if self.accumulated_batches > 1 else None
        self._functions = None

    @property
    def is_chief(self):
        """Whether this process writes files: the first worker, or the only one."""
        return self.strategy.extended.should_checkpoint

    @property
    def variables(self):
        """All that training changes, in a fixed order: weights, states of dropout, optimizer."""
        return [*self.model.variables, *self.optimizer.variables]

    def steps(self, batches, first=0):
        """Trains on the batches of an epoch, one step after another.

        Args:
            batches: a `tf.data.Dataset` of (x, y) or (x, y, sample_weight), the same on every worker.
            first: number of steps to leave out, those already taken.

        Yields:
            (mean loss, number of tokens) after each step, as floats, over all devices.
        """
        spec = batches.element_spec
        if self._functions is None:
            self._functions = self._compiled(spec)
        batches = iter(batches.skip(first * self.accumulated_batches))
        while group := list(itertools.islice(batches, self.accumulated_batches)):
            total, count = self._step(group)
            total, count = float(total), float(count)
            yield (total / count if count else 0.0), count

    def any_worker(self, flag):
        """Whether `flag` is true on at least one worker; all of them must ask at the same time."""
        if self.strategy.cluster_resolver is None:
            return bool(flag)
        flags = self.strategy.experimental_distribute_values_from_function(lambda _: tf.constant(float(bool(flag))))
        return float(self.strategy.reduce(tf.distribute.ReduceOp.SUM, flags, axis=None)) > 0

    def averaged_weights(self):
        """Within it, the model has the optimizer's moving averages (its `use_ema`), if it keeps any."""
        return averaged_weights(self.model, self.optimizer, self.strategy)

    def _step(self, group):
        one_batch, add, finish = self._functions
        if self.accumulated_batches == 1:
            return one_batch(group[0])
        for batch in group:
            add(batch)
        return finish()

    def _compiled(self, spec):
        """The functions of a step: (one batch and apply; one batch more; apply)."""

        def compiled(function, *signature):
            def on_all_devices(*args):
                results = self.strategy.run(function, args)
                return tf.nest.map_structure(lambda value: self.strategy.experimental_local_results(value)[0], results)

            return tf.function(on_all_devices, input_signature=signature, jit_compile=self.jit_compile, autograph=False)

        return (
            compiled(lambda batch: self._apply(*self._gradients(batch)), spec),
            compiled(lambda batch: self._add_up(*self._gradients(batch)), spec),
            compiled(lambda: self._apply(*self._take_sums())),
        )

    def _gradients(self, batch):
        """Of the device's share of a batch: gradients of the sum of its losses, that sum, the number of tokens."""
        if self.num_devices > 1:
            device = tf.distribute.get_replica_context().replica_id_in_sync_group
            batch = tf.nest.map_structure(lambda rows: rows[device :: self.num_devices], batch)
        if self.consistency:
            batch = tf.nest.map_structure(lambda rows: tf.concat([rows, rows], axis=0), batch)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            predictions = self.model(x, training=True)
            losses, weights = self._losses(y, predictions, sample_weight)
            count = tf.reduce_sum(weights)
            loss = tf.math.divide_no_nan(tf.reduce_sum(losses * weights), count)
            objective = tf.add_n([loss, *(tf.cast(penalty, tf.float32) for penalty in self.model.losses)])
            # A mean, for the range of float16.
            objective = self.optimizer.scale_loss(objective)
        gradients = tape.gradient(objective, variables)
        for variable, gradient in zip(variables, gradients):
            if gradient is None:
                raise ValueError(f"Expected a loss that depends on every trainable weight. Received: {variable.path}")
        gradients = [tf.cast(tf.convert_to_tensor(gradient), tf.float32) * count for gradient in gradients]
        if self.consistency:
            gradients, count = [gradient / 2 for gradient in gradients], count / 2
        return gradients, loss * count, count

    def _losses(self, y, predictions, sample_weight):
        if hasattr(self.loss, "weights"):
            losses, weights = self.loss.call(y, predictions), self.loss.weights(y, sample_weight)
        else:
            losses = self.loss.call(tf.cast(y, tf.float32), tf.cast(predictions, tf.float32))
            weights = tf.ones_like(losses)
            if sample_weight is not None:
                weights *= tf.reshape(
                    tf.cast(sample_weight, weights.dtype),
                    tf.concat(
                        [tf.shape(sample_weight), tf.ones([tf.rank(weights) - tf.rank(sample_weight)], tf.int32)], 0
                    ),
                )
        if self.consistency:
            divergence = consistency_losses(*tf.split(predictions, 2))
            losses += self.consistency / 2 * tf.concat([divergence, divergence], axis=0)
        # Where nothing counts, an undefined loss does not either.
        return tf.where(weights != 0, losses, 0.0), weights

    def _apply(self, gradients, total, count):
        """One step of the optimizer with the sums of all devices; returns (sum of losses, number of tokens)."""
        total, count = self._all_reduce([total, count])
        gradients = [tf.math.divide_no_nan(gradient, count) for gradient in gradients]
        scale = getattr(self.optimizer, "dynamic_scale", None)
        if self.clip_norm or scale is not None:
            # The whole gradient, for its norm, and for the devices to agree whether float16 overflowed. The optimizer
            # will sum over the devices once more.
            gradients = [gradient / self.num_devices for gradient in self._all_reduce(gradients)]
        if self.clip_norm:
            norm = self.clip_norm / self.num_devices * (1.0 if scale is None else scale)
            gradients, _ = tf.clip_by_global_norm(gradients, norm)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return total, count

    def _all_reduce(self, values):
        if self.num_devices == 1:
            return values
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def _make_sums(self):
        """Sums of this step so far, on each device: gradients, losses, tokens."""
        shapes = [variable.shape for variable in self.model.trainable_variables] + [(), ()]
        return [
            tf.Variable(
                np.zeros(shape, "float32"),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
            for shape in shapes
        ]

    def _add_up(self, gradients, total, count):
        for variable, value in zip(self._sums, [*gradients, total, count]):
            variable.assign_add(value)

    def _take_sums(self):
        *gradients, total, count = [variable.read_value() for variable in self._sums]
        with tf.control_dependencies([*gradients, total, count]):
            for variable in self._sums:
                variable.assign(tf.zeros_like(variable))
        return gradients, total, count


@contextlib.contextmanager
def averaged_weights(model, optimizer, strategy=None):
    """Within it, a model has its optimizer's moving averages (its `use_ema`), if it keeps any."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if not optimizer.use_ema:
        yield
        return
    weights = [variable.numpy() for variable in model.trainable_variables]
    try:
        with (strategy or tf.distribute.get_strategy()).scope():
            optimizer.finalize_variable_values(model.trainable_variables)
        yield
    finally:
        for variable, value in zip(model.trainable_variables, weights):
            variable.assign(value)
