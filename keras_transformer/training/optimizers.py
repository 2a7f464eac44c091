"""Keras' optimizers, with the same state and values, in fewer and faster operations."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_transformer")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, with one kernel for each variable on TensorFlow instead of a dozen operations.

    With several devices, and on other backends, Keras' own operations run.

    References:
        Kingma and Ba, 2015, "Adam: A Method for Stochastic Optimization", section 2: the formula with epsilon hat.
    """

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or not _has_kernel(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        state = self._momentums[index], self._velocities[index]
        _adam_kernel(self, gradient, variable, learning_rate, state, (self.beta_1, self.beta_2))


@keras.saving.register_keras_serializable(package="keras_transformer")
class Muon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` without weight decay by default, and with the paper's iterations in bfloat16 if wanted.

    The update of a matrix is its momentum made orthogonal; embeddings and vectors get Adam's. With `rms_rate` (0.2) a
    learning rate that suits Adam suits both.

    Args:
        learning_rate: a number or a schedule.
        orthogonal_dtype: of the Newton-Schulz iterations; "bfloat16" is faster where there are instructions for it.
        **kwargs: of `keras.optimizers.Muon`; `weight_decay` and `adam_weight_decay` are `None` unless given.

    References:
        Jordan et al., 2024, "Muon: An optimizer for hidden layers in neural networks"; Liu et al., 2025, "Muon is
        Scalable for LLM Training", section 2.2: the scale of the update.
    """

    def __init__(self, learning_rate=1e-3, orthogonal_dtype="float32", **kwargs):
        super().__init__(learning_rate, **{"weight_decay": None, "adam_weight_decay": None, **kwargs})
        self.orthogonal_dtype = orthogonal_dtype

    def zeropower_via_newtonschulz5(self, x, steps):
        norm = ops.sqrt(ops.sum(ops.square(x))) + 1e-7
        update = super().zeropower_via_newtonschulz5(ops.cast(x / norm, self.orthogonal_dtype), steps)
        return ops.cast(update, x.dtype)

    def _adamw_update_step(self, gradient, variable, learning_rate, m, v):
        if not _has_kernel(variable):
            super()._adamw_update_step(gradient, variable, learning_rate, m, v)
            return
        _adam_kernel(self, gradient, variable, learning_rate, (m, v), (self.adam_beta_1, self.adam_beta_2))

    def get_config(self):
        return {**super().get_config(), "orthogonal_dtype": self.orthogonal_dtype}


def _has_kernel(variable):
    if keras.config.backend() != "tensorflow" or variable.dtype not in ("float32", "float16"):
        return False
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync == 1


def _adam_kernel(optimizer, gradient, variable, learning_rate, state, betas):
    import tensorflow as tf

    dtype = variable.dtype
    step = tf.cast(optimizer.iterations.value + 1, dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=state[0].handle,
        v=state[1].handle,
        beta1_power=tf.cast(betas[0], dtype) ** step,
        beta2_power=tf.cast(betas[1], dtype) ** step,
        lr=tf.cast(learning_rate, dtype),
        beta1=betas[0],
        beta2=betas[1],
        epsilon=optimizer.epsilon,
        grad=tf.cast(gradient, dtype),
    )
