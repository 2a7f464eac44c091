import keras
from keras import ops

from keras_transformer.training.losses import token_losses, token_weights


class _TokenMean(keras.metrics.Metric):
    """The mean of one value for each token that is not padding."""

    def __init__(self, padding_id=0, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.padding_id = padding_id
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def values(self, y_true, y_pred):
        """(B, T), float32."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        weights = token_weights(y_true, self.padding_id, sample_weight)
        self.total.assign_add(ops.sum(self.values(y_true, y_pred) * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self):
        return ops.divide_no_nan(self.total, self.count)

    def get_config(self):
        return {**super().get_config(), "padding_id": self.padding_id}


@keras.saving.register_keras_serializable(package="keras_transformer")
class TokenAccuracy(_TokenMean):
    """The share of labels, padding aside, that have the highest logit.

    Args:
        padding_id: labels with this id do not count.
        name: the metric's name.
        dtype: of its state.
    """

    def __init__(self, padding_id=0, name="token_accuracy", dtype=None):
        super().__init__(padding_id, name, dtype)

    def values(self, y_true, y_pred):
        return ops.cast(ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int32")), "float32")


@keras.saving.register_keras_serializable(package="keras_transformer")
class Perplexity(_TokenMean):
    """exp of the mean cross-entropy in nats of the labels, without smoothing, padding aside.

    Args:
        padding_id: labels with this id do not count.
        name: the metric's name.
        dtype: of its state.
    """

    def __init__(self, padding_id=0, name="perplexity", dtype=None):
        super().__init__(padding_id, name, dtype)

    def values(self, y_true, y_pred):
        return token_losses(y_true, y_pred)

    def result(self):
        return ops.exp(super().result())
