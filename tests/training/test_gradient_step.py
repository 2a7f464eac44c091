import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.training import GradientStep
from keras_transformer.training.gradient_step import summed_by_variable


def weights(*values):
    return [keras.Variable(np.asarray(value, "float32"), name=f"weight{i}") for i, value in enumerate(values)]


def values_of(variables):
    return [variable.numpy().tolist() for variable in variables]


def test_a_step_is_of_the_weighted_mean():
    variables = weights([1.0, 2.0], 3.0)
    step = GradientStep(keras.optimizers.SGD(1.0), variables)
    total, weight = step.apply(variables, [tf.constant([4.0, 0.0]), tf.constant(8.0)], 6.0, 4.0)
    assert (float(total), float(weight)) == (6.0, 4.0)
    assert values_of(variables) == [[0.0, 2.0], 1.0]


def test_nothing_counts_nothing_moves():
    variables = weights(3.0)
    GradientStep(keras.optimizers.SGD(1.0), variables, clip_norm=1.0).apply(variables, [tf.constant(0.0)], 0.0, 0.0)
    assert values_of(variables) == [3.0]


@pytest.mark.parametrize("scale", [None, 1024.0])
def test_the_unscaled_gradient_is_clipped(scale):
    """A gradient of norm 5, clipped to 1, by a learning rate of 0.5; with a scaled loss (float16) just as without."""
    variables = weights([0.0, 0.0])
    optimizer = keras.optimizers.SGD(0.5)
    if scale:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
    step = GradientStep(optimizer, variables, clip_norm=1.0)
    with tf.GradientTape() as tape:
        loss = step.scale_loss(tf.reduce_sum(variables[0] * tf.constant([3.0, 4.0])))
    step.apply(variables, tape.gradient(loss, variables), loss, 1.0)
    np.testing.assert_allclose(variables[0].numpy(), [-0.3, -0.4], rtol=1e-5)


def test_an_overflow_skips_the_step_and_halves_the_scale():
    variables = weights(1.0)
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=1024.0)
    GradientStep(optimizer, variables, clip_norm=1.0).apply(variables, [tf.constant(np.inf)], 1.0, 1.0)
    assert values_of(variables) == [1.0] and float(optimizer.dynamic_scale.numpy()) == 512.0


def test_micro_batches_are_one_step():
    parts = [
        ([tf.constant([30.0, 0.0]), tf.constant(8.0)], 1.0, 2.0),
        ([tf.constant([0.0, 40.0]), tf.constant(4.0)], 2.0, 3.0),
    ]
    results = []
    for added in (False, True):
        variables = weights([1.0, 2.0], 3.0)
        step = GradientStep(keras.optimizers.SGD(1.0), variables, clip_norm=0.5)
        if added:
            step.accumulate()
            for _ in range(2):  # the sums are taken: the second step is the same
                for part in parts:
                    step.add(variables, *part)
                sums = step.finish(variables)
        else:
            for _ in range(2):
                sums = step.apply(variables, [tf.constant([30.0, 40.0]), tf.constant(12.0)], 3.0, 5.0)
        results.append((values_of(variables), [float(value) for value in sums]))
    np.testing.assert_allclose(results[0][0][0], results[1][0][0], rtol=1e-6)
    np.testing.assert_allclose(results[0][0][1], results[1][0][1], rtol=1e-6)
    assert results[0][1] == results[1][1] == [3.0, 5.0]


def test_some_of_the_weights():
    """The others stay, and so do their moments."""
    variables = weights(1.0, 1.0)
    step = GradientStep(keras.optimizers.Adam(0.1), variables)
    step.accumulate()
    step.add(variables[:1], [tf.constant(1.0)], 1.0, 1.0)
    step.finish(variables[:1])
    assert variables[0].numpy() == pytest.approx(0.9, rel=1e-5) and variables[1].numpy() == 1.0


def test_a_weight_without_a_gradient_is_named():
    variables = weights(1.0)
    with pytest.raises(ValueError, match="depends on every trainable weight. Received: weight0"):
        GradientStep(keras.optimizers.SGD(1.0), variables).apply(variables, [None], 0.0, 1.0)


def test_a_bad_norm():
    with pytest.raises(ValueError, match="clip_norm=0"):
        GradientStep(keras.optimizers.SGD(1.0), weights(1.0), clip_norm=0)


def test_what_a_failed_step_has_summed_is_dropped():
    variables = weights(3.0)
    step = GradientStep(keras.optimizers.SGD(1.0), variables)
    step.accumulate()
    with pytest.raises(KeyboardInterrupt), step.whole():
        step.add(variables, [tf.constant(100.0)], 1.0, 1.0)
        raise KeyboardInterrupt
    with step.whole():
        step.add(variables, [tf.constant(2.0)], 1.0, 1.0)
        step.finish(variables)
    assert values_of(variables) == [1.0]


def test_a_shared_weight_has_the_sum_of_its_gradients():
    a, b = keras.Variable([1.0]), keras.Variable([1.0])
    sums = summed_by_variable([a, b, a], [np.array([1.0]), None, np.array([5.0])])
    assert float(sums[0][0]) == 6 and sums[1] is None and len(sums) == 2
