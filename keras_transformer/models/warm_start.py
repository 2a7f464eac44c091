import keras
import numpy as np

# Where the weights of `FeedForward` have its hidden units.
_HIDDEN_AXES = {"intermediate_dense/kernel": 1, "intermediate_dense/bias": 0, "output_dense/kernel": 0}


def warm_start(wide: keras.Model, narrow: keras.Model) -> None:
    """Gives `wide` weights with which it computes what `narrow` does.

    The hidden units of the feed-forward networks that `narrow` lacks keep their random weights on the way in, and get
    zeros on the way out, so that training can make use of them.

    Args:
        wide: a model of this package, whose weights are set.
        narrow: one of the same configuration but for a smaller `intermediate_dim`, or the same. Only shapes are
            compared, not heads and activations.

    Raises:
        ValueError: for models whose weights differ in more, and for a narrower `wide`.

    References:
        Chen et al., 2016, "Net2Net: Accelerating Learning via Knowledge Transfer", whose new units are copies of others
            that share their outgoing weights.

    Example:
        >>> sizes = {"vocabulary_size": 9, "num_layers": 1, "hidden_dim": 4, "num_heads": 2, "output_dim": 3}
        >>> narrow = keras_transformer.models.SentenceEncoder(intermediate_dim=8, **sizes)
        >>> wide = keras_transformer.models.SentenceEncoder(intermediate_dim=16, **sizes)
        >>> keras_transformer.models.warm_start(wide, narrow)
        >>> ids = np.array([[4, 5, 0]])
        >>> np.testing.assert_allclose(wide(ids), narrow(ids), atol=1e-6)
    """
    if len(wide.weights) != len(narrow.weights):
        raise ValueError(f"Expected as many weights. Received: {len(wide.weights)} for {len(narrow.weights)}")
    wide.set_weights([_widened(to, of) for to, of in zip(wide.weights, narrow.weights)])


def _widened(to, of):
    """The value of the weight `of`, with more hidden units if `to` has them."""
    value = keras.ops.convert_to_numpy(of)
    if to.shape == value.shape:
        return value
    axis = _HIDDEN_AXES.get("/".join(to.path.split("/")[-2:]))
    rest = keras.ops.convert_to_numpy(to)
    if axis is None or to.shape[axis] < value.shape[axis]:
        raise ValueError(f"Expected {to.path} of shape {value.shape}, or with more hidden units. Received: {to.shape}")
    rest = np.split(rest, [value.shape[axis]], axis)[1]
    return np.concatenate([value, np.zeros_like(rest) if to.path.endswith("output_dense/kernel") else rest], axis)
