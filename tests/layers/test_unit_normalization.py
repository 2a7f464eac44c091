import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_transformer.layers import UnitNormalization
from keras_transformer.ops import masks


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_by_hand(policy):
    vectors = UnitNormalization(dtype=policy)(ops.convert_to_tensor([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]]))
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-6)


def test_unknown_width():
    with pytest.raises(ValueError, match="UnitNormalization expected inputs with a known last dimension"):
        UnitNormalization().build((None, None))


def test_padding_may_hold_anything():
    x = tf.constant([[[3.0, 4.0], [np.inf, np.nan]]])
    masks.attach(x, tf.constant([[True, False]]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(UnitNormalization()(x)[:, 0, 0])
    # The derivative of x / sqrt(x^2 + y^2) by x and y.
    np.testing.assert_allclose(tape.gradient(loss, x), [[[16 / 125, -12 / 125], [0, 0]]], atol=1e-6)
