import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.ops import token_ids
from keras_transformer.types import Config, Tensor

_REDUCTIONS = ("sum_over_batch_size", "sum", "none")


@keras.saving.register_keras_serializable(package="keras_transformer")
class LabelSmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of sparse token ids under label smoothing, over the tokens that are not padding.

    The wanted distribution is (1 - eps) on the label plus eps / V on each of the V ids. No matrix of it is made:
    loss = logsumexp(z) - (1 - eps) z[label] - eps mean(z), in float32.

    Args:
        label_smoothing: eps; the paper's 0.1.
        padding_id: labels with this id do not count; their logits may be anything, NaN and infinity too.
        reduction: "sum_over_batch_size" (the mean over tokens that count), "sum" or "none".
        name: the loss' name.

    Call arguments:
        y_true: integer ids (B, T).
        y_pred: logits (B, T, V).
        sample_weight: `None`, or weights that broadcast to (B, T).

    Returns:
        A float32 scalar; with reduction "none" (B, T), zero where padded. A batch of padding only gives 0.

    Raises:
        ValueError: for a smoothing outside [0, 1), an unknown reduction, sample weights of more than two axes, and for
            labels and logits of different lengths; in eager calls for labels outside [0, V), which in graphs raise
            `tf.errors.InvalidArgumentError` or give NaN, as the device can.

    References:
        Szegedy et al., 2016, "Rethinking the Inception Architecture for Computer Vision", section 7; Vaswani et
        al., 2017, "Attention Is All You Need", section 5.4.

    Example:
        >>> loss = keras_transformer.training.LabelSmoothedCrossEntropy(0.1)
        >>> round(float(loss(np.array([[1, 0]]), np.zeros((1, 2, 4)))), 4)  # log 4
        1.3863
    """

    def __init__(
        self,
        label_smoothing: float = 0.1,
        padding_id: int = 0,
        reduction: str = "sum_over_batch_size",
        name: str = "label_smoothed_cross_entropy",
    ):
        arguments.one_of("reduction", reduction, _REDUCTIONS)
        of_keras = "mean_with_sample_weight" if reduction == "sum_over_batch_size" else reduction
        super().__init__(name=name, reduction=of_keras)
        self._reduction = reduction
        self.label_smoothing = arguments.rate("label_smoothing", label_smoothing)
        self.padding_id = padding_id

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        # The mean is Keras' own, which also knows of several devices, but over tokens that are not padding.
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        check_shapes(y_true, y_pred)
        weights = self.weights(y_true, sample_weight)
        # What does not count may have any logits: 0 times NaN would be NaN.
        y_true = ops.where(weights == 0, self.padding_id, ops.cast(y_true, "int32"))
        return super().__call__(y_true, y_pred, sample_weight=weights)

    def weights(self, y_true: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """How much each token counts: (B, T), float32, 0 where padded."""
        return token_weights(y_true, self.padding_id, sample_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return token_losses(y_true, y_pred, self.label_smoothing, self.padding_id)

    def get_config(self) -> Config:
        return {
            "label_smoothing": self.label_smoothing,
            "padding_id": self.padding_id,
            "reduction": self._reduction,
            "name": self.name,
        }


def check_shapes(labels: Tensor, logits: Tensor) -> None:
    """Raises `ValueError` unless labels (B, T) and logits (B, T, V) fit, as far as their shapes are known."""
    of_labels, of_logits = tuple(labels.shape), tuple(logits.shape)
    fit = len(of_logits) == len(of_labels) + 1 and all(
        a is None or b is None or a == b for a, b in zip(of_labels, of_logits)
    )
    if not fit:
        raise ValueError(
            f"Expected y_true (B, T) and y_pred (B, T, V). Received: y_true of shape {of_labels}, y_pred of {of_logits}"
        )


def token_losses(labels: Tensor, logits: Tensor, label_smoothing: float = 0.0, padding_id: int | None = None) -> Tensor:
    """The cross-entropy of each token: (B, T), (B, T, V) -> (B, T), float32.

    That of the label `padding_id` is 0, whatever its logits. Another label outside [0, V) raises `ValueError` in eager
    calls. When a graph runs, it raises where the device can; elsewhere its loss is NaN.
    """
    check_shapes(labels, logits)
    labels = ops.cast(labels, "int32")
    vocabulary_size = logits.shape[-1]
    is_padding = ops.zeros_like(labels, "bool") if padding_id is None else ops.equal(labels, padding_id)
    labels = ops.where(is_padding, 0, labels)
    token_ids.check(labels, vocabulary_size, "labels")

    @ops.custom_gradient
    def losses_of(logits):
        wide = ops.cast(logits, "float32")
        largest = ops.max(wide, axis=-1, keepdims=True)
        exponentials = ops.exp(wide - largest)
        total = ops.sum(exponentials, axis=-1, keepdims=True)
        of_label = ops.take_along_axis(wide, labels[..., None], axis=-1)
        losses = ops.log(total) + largest - (1.0 - label_smoothing) * of_label
        if label_smoothing:
            losses = losses - label_smoothing * ops.mean(wide, axis=-1, keepdims=True)

        def gradient(*arguments, upstream=None):
            # softmax - wanted distribution; the label's column is set, not found in a second matrix (B, T, V).
            upstream = ops.reshape(arguments[0] if upstream is None else upstream, (*ops.shape(labels), 1))
            counts = upstream != 0
            smoothing = label_smoothing / vocabulary_size
            gradients = exponentials * (upstream / total) - smoothing * upstream
            # All V columns are chosen from only where a row has NaN or infinity.
            gradients = ops.cond(
                ops.all(ops.isfinite(total)), lambda: gradients, lambda: ops.where(counts, gradients, 0.0)
            )
            probability = ops.exp(of_label - largest) / total
            of_labels = ops.where(counts, (probability - (1.0 - label_smoothing + smoothing)) * upstream, 0.0)
            rows = ops.reshape(labels, (-1, 1))
            gradients = ops.scatter_update(
                ops.reshape(ops.cast(gradients, logits.dtype), (-1, vocabulary_size)),
                ops.concatenate([ops.arange(ops.shape(rows)[0], dtype="int32")[:, None], rows], axis=-1),
                ops.reshape(ops.cast(of_labels, logits.dtype), (-1,)),
            )
            return ops.reshape(gradients, ops.shape(logits))

        return ops.squeeze(losses, axis=-1), gradient

    known = ops.logical_and(labels >= 0, labels < vocabulary_size)
    losses = ops.where(known, losses_of(logits), float("nan"))
    return ops.where(is_padding, 0.0, losses)


def token_weights(labels: Tensor, padding_id: int, sample_weight: Tensor | None = None) -> Tensor:
    """1 where a label counts and 0 where it is padding, times `sample_weight`: (B, T), float32."""
    weights = ops.cast(ops.not_equal(ops.cast(labels, "int32"), padding_id), "float32")
    if sample_weight is None:
        return weights
    sample_weight = ops.cast(sample_weight, "float32")
    if len(sample_weight.shape) == 1:
        sample_weight = sample_weight[:, None]
    if len(sample_weight.shape) > 2:
        raise ValueError(f"Expected sample_weight of shape (B,) or (B, T). Received: {sample_weight.shape}")
    return weights * sample_weight
