import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.layers import EncoderBlock, Repad, Unpad
from keras_transformer.testing import backends
from tests import reference

B, T, D, F, H = 2, 5, 6, 11, 3
X = np.random.default_rng(5).normal(size=(B, T, D)).astype("float32")


def numpy_block(layer, x, mask):
    """The block from section 3.1 of the paper, post-norm or pre-norm, for one sequence."""
    attention = reference.attention_weights_by_name(layer.self_attention)
    kernel_1, bias_1, kernel_2, bias_2 = layer.feed_forward.get_weights()
    norm_1 = lambda y: reference.layer_norm(y, *layer.self_attention_add_norm.norm.get_weights())  # noqa: E731
    norm_2 = lambda y: reference.layer_norm(y, *layer.feed_forward_add_norm.norm.get_weights())  # noqa: E731
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


# Padding behind, before and between real positions, nowhere, and nothing else.
MASK = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
BATCH = np.random.default_rng(6).normal(size=(len(MASK), T, D)).astype("float32")
OPTIONS = {
    "plain": {},
    "causal": {"use_causal_mask": True},
    "attention mask": {"attention_mask": np.abs(np.arange(T)[:, None] - np.arange(T)) < 3},
    "attention bias": {"attention_bias": np.random.default_rng(7).normal(size=(1, H, T, T)).astype("float32")},
}


def unpadded_call(layer, x, mask, **options):
    unpadded, layout = Unpad()(x, padding_mask=mask)
    return Repad()(layer(unpadded, layout=layout, **options), layout)


def random_block(**config):
    layer = EncoderBlock(H, F, dropout=0.0, **config)
    layer(X)
    reference.randomize(layer)
    return layer


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("rows", [slice(None), slice(2, 3), slice(3, 4), slice(0, 0)])
def test_unpadded_equals_padded(options, norm_first, rows):
    layer, x, mask = random_block(norm_first=norm_first), BATCH[rows], MASK[rows]
    padded = np.asarray(layer(x, padding_mask=mask, **options))
    unpadded = np.asarray(unpadded_call(layer, x, mask, **options))
    np.testing.assert_allclose(unpadded, np.where(mask[..., None], padded, 0.0), atol=1e-5)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_unpadded_equals_padded_in_bfloat16(options):
    layer = random_block(dtype="bfloat16")
    padded = ops.convert_to_numpy(ops.cast(layer(BATCH, padding_mask=MASK, **options), "float32"))
    unpadded = ops.convert_to_numpy(ops.cast(unpadded_call(layer, BATCH, MASK, **options), "float32"))
    np.testing.assert_allclose(unpadded, np.where(MASK[..., None], padded, 0.0), atol=0.1)


def test_packed_scores_are_those_of_the_batch():
    layer = random_block()
    unpadded, layout = Unpad()(BATCH, padding_mask=MASK)
    outputs, scores = layer(unpadded, layout=layout, return_attention_scores=True)
    assert outputs.shape == (MASK.sum(), D) and scores.shape == (len(MASK), H, T, T)
    wanted = layer(BATCH, padding_mask=MASK, return_attention_scores=True)[1]
    queries = np.broadcast_to(MASK[:, None, :, None], scores.shape)
    np.testing.assert_allclose(np.asarray(scores)[queries], np.asarray(wanted)[queries], atol=1e-5)


def test_packed_gradients_are_those_of_padded():
    layer, direction = random_block(), np.random.default_rng(8).normal(size=BATCH.shape).astype("float32")

    class Whole(keras.layers.Layer):
        def __init__(self, unpadded):
            super().__init__()
            self.layer, self.unpadded = layer, unpadded
            self.built = self.supports_masking = True
            self.inputs = self.add_weight(shape=BATCH.shape, initializer="zeros", name="inputs")
            self.inputs.assign(BATCH)

        def call(self, mask):
            if self.unpadded:
                return unpadded_call(self.layer, self.inputs.value, mask)
            return ops.where(mask[..., None], self.layer(self.inputs.value, padding_mask=mask), 0.0)

    found = [
        backends.gradients(Whole(unpadded), {"mask": MASK}, {}, lambda outputs: ops.sum(outputs * direction))
        for unpadded in (False, True)
    ]
    padded, unpadded = (list(gradients.values()) for gradients in found)
    assert len(unpadded) == 13 and all(np.abs(gradient).max() > 0 for gradient in unpadded)
    for gradient, wanted in zip(unpadded, padded):
        np.testing.assert_allclose(gradient, wanted, atol=2e-5)


@pytest.mark.parametrize("garbage", [np.nan, np.inf])
def test_padding_of_what_is_unpadded_may_hold_anything(garbage):
    layer, spoiled = random_block(), np.where(MASK[..., None], BATCH, np.float32(garbage))
    np.testing.assert_array_equal(unpadded_call(layer, spoiled, MASK), unpadded_call(layer, BATCH, MASK))
    nothing = unpadded_call(layer, spoiled[3:], MASK[3:])
    np.testing.assert_array_equal(nothing, np.zeros((1, T, D)))


def test_the_mask_of_unpadded_tokens_is_that_of_unpad():
    tokens, layout = Unpad()(BATCH)
    with pytest.raises(ValueError, match=r"Expected the mask of unpadded tokens as Unpad.* Received: padding_mask"):
        random_block()(tokens, layout=layout, padding_mask=MASK)


def test_distributed_over_time():
    layer = random_block()
    x = np.random.default_rng(9).normal(size=(B, 4, T, D)).astype("float32")
    mask = np.broadcast_to(np.arange(T) < 3, (B, 4, T))
    wanted = np.stack([layer(x[:, i], padding_mask=mask[:, i]) for i in range(4)], axis=1)
    for steps in (4, None):
        inputs, masked = keras.Input((steps, T, D)), keras.Input((steps, T), dtype="bool")
        outputs = keras.layers.TimeDistributed(layer)(inputs, mask=masked)
        assert outputs.shape == (None, steps, T, D)
        np.testing.assert_allclose(keras.Model([inputs, masked], outputs)([x, mask]), wanted, atol=1e-5)


def test_a_packing_needs_packed_inputs():
    layout = Unpad()(BATCH, padding_mask=MASK)[1]
    with pytest.raises(ValueError, match="rank 2"):
        random_block()(BATCH, layout=layout)
    with pytest.raises(ValueError, match="rank 3"):
        random_block()(BATCH[0])
