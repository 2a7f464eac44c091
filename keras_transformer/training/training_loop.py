import itertools
from collections.abc import Iterator

import keras
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.training.consistency import consistency_losses
from keras_transformer.training.trainer import Trainer


class TrainingLoop(Trainer):
    """The steps of training a compiled model: on one device or many, of one machine or several.

    What `keras.Model.fit` does, and what it cannot: it runs under `tf.distribute.MultiWorkerMirroredStrategy`
    (keras#20585), it resumes at any step, and each step is the same whatever the number of devices and of
    micro-batches: the gradient is that of the mean over all tokens of all of them, and it is clipped as a whole.

    Args:
        model: a `keras.Model` compiled with one `keras.losses.Loss` and an optimizer, both made like the model within
            the scope of the strategy. A loss with a method `weights(y_true, sample_weight)`, as
            `LabelSmoothedCrossEntropy` has, is averaged over tokens by these weights, another over the elements of what
            its `call` returns, times the sample weights. The metrics of `compile` are not computed.
        strategy: a `tf.distribute.Strategy`; by default the current one.
        micro_batches: batches that make one step (gradient accumulation); memory is that of one.
        clip_norm: scales gradients with a larger global norm down to it.
        consistency: the alpha of R-Drop: each batch goes through the model twice, and the mean loss of the two gets
            alpha / 2 times their divergence (the paper adds the two losses, and alpha times the divergence). For
            models whose output is logits (B, T, V).
        jit_compile: compile with XLA; for one device.

    Raises:
        ValueError: for a model that is not compiled with one loss, numbers out of range, XLA on several devices.

    References:
        Liang et al., 2021, "R-Drop: Regularized Dropout for Neural Networks".

    Example:
        >>> import tensorflow as tf
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
        >>> batches = tf.data.Dataset.from_tensors((np.ones((4, 1)), np.ones((4, 1)))).repeat(2)
        >>> loop = keras_transformer.training.TrainingLoop(model)
        >>> [round(loss, 4) for loss, count in loop.steps(batches)]
        [1.0, 0.36]
    """

    def __init__(
        self,
        model: keras.Model,
        strategy: tf.distribute.Strategy | None = None,
        micro_batches: int = 1,
        clip_norm: float | None = None,
        consistency: float = 0.0,
        jit_compile: bool = False,
    ):
        self.loss = getattr(model, "loss", None)
        if not isinstance(self.loss, keras.losses.Loss):
            raise ValueError(f"Expected a model compiled with one keras.losses.Loss. Received: loss={self.loss!r}")
        self.micro_batches = arguments.positive_integer("micro_batches", micro_batches)
        self.consistency = consistency and arguments.positive_number("consistency", consistency)
        super().__init__(model, model.optimizer, (), strategy, clip_norm, jit_compile)
        if self.micro_batches > 1:
            self.step.accumulate()
        self._functions = None

    def steps(self, batches: tf.data.Dataset, first: int = 0) -> Iterator[tuple[float, float]]:
        """Trains on the batches of an epoch, one step after another.

        Args:
            batches: a `tf.data.Dataset` of (x, y) or (x, y, sample_weight), the same on every worker.
            first: number of steps to leave out, those already taken.

        Yields:
            (mean loss, number of tokens) after each step, over all devices.
        """
        if self._functions is None:
            self._functions = self._compiled_steps(batches.element_spec)
        one_batch, add, finish = self._functions
        batches = iter(batches.skip(first * self.micro_batches))
        while group := list(itertools.islice(batches, self.micro_batches)):
            if self.micro_batches == 1:
                total, count = one_batch(group[0])
            else:
                with self.step.whole():
                    for batch in group:
                        add(batch)
                    total, count = finish()
            total, count = float(total), float(count)
            yield (total / count if count else 0.0), count

    def _compiled_steps(self, spec):
        """The functions of a step: (one batch and apply; one micro-batch more; apply)."""
        variables = self.model.trainable_variables
        return (
            self.compiled(lambda batch: self.step.apply(variables, *self._gradients(batch)), spec),
            self.compiled(lambda batch: self.step.add(variables, *self._gradients(batch)), spec),
            self.compiled(lambda: self.step.finish(variables)),
        )

    def _gradients(self, batch):
        """Of the device's share of a batch: gradients of the sum of its losses, that sum, the number of tokens."""
        batch = tf.nest.map_structure(self.share, batch)
        if self.consistency:
            batch = tf.nest.map_structure(lambda rows: tf.concat([rows, rows], axis=0), batch)
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        with tf.GradientTape() as tape:
            predictions = self.model(x, training=True)
            losses, weights = self._losses(y, predictions, sample_weight)
            count = tf.reduce_sum(weights)
            loss = tf.math.divide_no_nan(tf.reduce_sum(losses * weights), count)
            objective = tf.add_n([loss, *(tf.cast(penalty, tf.float32) for penalty in self.model.losses)])
            objective = self.step.scale_loss(objective)
        gradients = tape.gradient(objective, self.model.trainable_variables)
        if self.consistency:  # each token was there twice
            count = count / 2
        gradients = [
            None if gradient is None else tf.cast(tf.convert_to_tensor(gradient), tf.float32) * count
            for gradient in gradients
        ]
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
