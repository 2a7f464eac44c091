import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock
from tests import reference

B, T, D, F, H = 2, 5, 6, 11, 3
X = np.random.default_rng(5).normal(size=(B, T, D)).astype("float32")


def numpy_block(layer, x, mask):
    """The block from section 3.1 of the paper, post-norm or pre-norm, for one sequence."""
    attention = reference.attention_weights_by_name(layer.self_attention)
    kernel_1, bias_1, kernel_2, bias_2 = layer.feed_forward.get_weights()
    norm_1 = lambda y: reference.layer_norm(y, *layer.self_attention_residual.norm.get_weights())  # noqa: E731
    norm_2 = lambda y: reference.layer_norm(y, *layer.feed_forward_residual.norm.get_weights())  # noqa: E731
    feed_forward = lambda y: np.maximum(y @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2  # noqa: E731
    attend = lambda y: reference.multi_head_attention(y, y, attention, mask)  # noqa: E731
    if layer.norm_first:
        x = x + attend(norm_1(x))
        return x + feed_forward(norm_2(x))
    x = norm_1(x + attend(x))
    return norm_2(x + feed_forward(x))


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_equals_numpy(norm_first, causal):
    layer = EncoderBlock(H, F, norm_first=norm_first)
    layer(X)
    reference.randomize(layer)
    outputs = layer(X, use_causal_mask=causal)
    mask = np.tril(np.ones((T, T), bool)) if causal else None
    for b in range(B):
        np.testing.assert_allclose(outputs[b], numpy_block(layer, X[b].astype("float64"), mask), atol=2e-5)


def test_returns_scores():
    layer = EncoderBlock(H, F)
    outputs, scores = layer(X, return_attention_scores=True)
    np.testing.assert_array_equal(outputs, layer(X))
    assert scores.shape == (B, H, T, T)
    np.testing.assert_allclose(np.sum(scores, axis=-1), 1.0, atol=1e-6)


def test_parameter_count():
    layer = EncoderBlock(8, 2048)
    layer.build((None, None, 512))
    # Four 512 x 512 and two 512 x 2048 matrices with biases, two normalisations.
    assert layer.count_params() == 4 * (512 * 512 + 512) + 2 * 512 * 2048 + 2048 + 512 + 4 * 512


@pytest.mark.parametrize(
    "config", [{"num_heads": 4}, {"intermediate_dim": 0}, {"attention_dropout": 1}, {"key_dim": 0}]
)
def test_bad_arguments(config):
    with pytest.raises(ValueError, match="Received: "):
        EncoderBlock(**{"num_heads": H, "intermediate_dim": F, **config})(X)
