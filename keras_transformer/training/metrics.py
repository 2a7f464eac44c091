import keras
from keras import ops

from keras_transformer.training.losses import check_shapes, token_losses, token_weights
from keras_transformer.types import Config, DType, Tensor


class _TokenMean(keras.metrics.Metric):
    """The mean of one value for each token that is not padding."""

    def __init__(self, padding_id=0, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.padding_id = padding_id
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """(B, T), float32."""
        raise NotImplementedError

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None):
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_shapes(y_true, y_pred)
        weights = token_weights(y_true, self.padding_id, sample_weight)
        # What does not count may have any value: 0 times NaN would be NaN.
        values = ops.where(weights == 0, 0.0, self.values(y_true, y_pred))
        self.total.assign_add(ops.sum(values * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Tensor:
        return ops.divide_no_nan(self.total, self.count)

    def get_config(self) -> Config:
        return {**super().get_config(), "padding_id": self.padding_id}


@keras.saving.register_keras_serializable(package="keras_transformer")
class TokenAccuracy(_TokenMean):
    """The fraction of labels, padding aside, that have the highest logit.

    Args:
        padding_id: labels with this id do not count.
        name: the metric's name.
        dtype: of its state.

    Raises:
        ValueError: in `update_state`, for labels and logits of different lengths.

    Example:
        >>> metric = keras_transformer.training.TokenAccuracy()
        >>> metric.update_state(np.array([[1, 0]]), np.log([[[0.25, 0.75], [0.5, 0.5]]]))
        >>> round(float(metric.result()), 4)
        1.0
    """

    def __init__(self, padding_id: int = 0, name: str = "token_accuracy", dtype: DType | None = None):
        super().__init__(padding_id, name, dtype)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return ops.cast(ops.equal(ops.argmax(y_pred, axis=-1), ops.cast(y_true, "int32")), "float32")


@keras.saving.register_keras_serializable(package="keras_transformer")
class Perplexity(_TokenMean):
    """exp of the mean cross-entropy in nats of the labels, without smoothing, padding aside.

    Args:
        padding_id: labels with this id do not count.
        name: the metric's name.
        dtype: of its state.

    Raises:
        ValueError: in `update_state`, for labels and logits of different lengths.

    Example:
        >>> metric = keras_transformer.training.Perplexity()
        >>> metric.update_state(np.array([[1, 0]]), np.log([[[0.25, 0.75], [0.5, 0.5]]]))
        >>> round(float(metric.result()), 4)
        1.3333
    """

    def __init__(self, padding_id: int = 0, name: str = "perplexity", dtype: DType | None = None):
        super().__init__(padding_id, name, dtype)

    def values(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return token_losses(y_true, y_pred, padding_id=self.padding_id)

    def result(self) -> Tensor:
        return ops.exp(super().result())
