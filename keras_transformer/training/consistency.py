from keras import ops

from keras_transformer.types import Tensor


def consistency_losses(logits: Tensor, other_logits: Tensor) -> Tensor:
    """How far two predictions of the same tokens, each under its own dropout, lie apart (R-Drop).

    (KL(p || q) + KL(q || p)) / 2, in float32, in nats.

    Args:
        logits: (B, T, V).
        other_logits: (B, T, V).

    Returns:
        float32 (B, T).

    References:
        Liang et al., 2021, "R-Drop: Regularized Dropout for Neural Networks", equation 2.
    """
    log_p, log_q = (ops.log_softmax(ops.cast(x, "float32"), axis=-1) for x in (logits, other_logits))
    return 0.5 * ops.sum((ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q), axis=-1)
