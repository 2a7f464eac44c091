import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.models import Transformer
from keras_transformer.training import LabelSmoothedCrossEntropy, TrainingLoop, consistency_losses

VOCABULARY = 23


def batch(rows, length, seed):
    """Ids with padding at the ends, as `ParallelText.batches` makes them."""
    random = np.random.default_rng(seed)
    labels = random.integers(4, VOCABULARY, (rows, length))
    for row, kept in zip(labels, random.integers(1, length + 1, rows)):
        row[kept:] = 0
    target_ids = np.where(labels == 0, 0, np.pad(labels, [[0, 0], [1, 0]], constant_values=2)[:, :-1])
    inputs = {"source_ids": labels[:, ::-1].copy(), "target_ids": target_ids}
    return tf.nest.map_structure(lambda ids: tf.constant(ids, tf.int32), (inputs, labels))


BATCHES = [batch(5, 7, 1), batch(3, 11, 2), batch(6, 4, 3), batch(2, 3, 4)]


def dataset(batches=BATCHES):
    signature = tf.nest.map_structure(lambda _: tf.TensorSpec([None, None], tf.int32), batches[0])
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)


class Small(keras.Model):
    """Logits from the token before and the sum of the source's: as little to trace as takes ids and gives logits."""

    def __init__(self, dtype):
        super().__init__(dtype=dtype)
        self.embedding = keras.layers.Embedding(VOCABULARY, 12, dtype=dtype)
        self.logits = keras.layers.Dense(VOCABULARY, dtype=dtype)
        self(BATCHES[0][0])

    def call(self, inputs):
        source_ids, target_ids = inputs["source_ids"], inputs["target_ids"]
        source = self.embedding(source_ids)
        source = keras.ops.where((source_ids != 0)[..., None], source, keras.ops.zeros_like(source))
        return self.logits(self.embedding(target_ids) + keras.ops.sum(source, axis=1, keepdims=True))


def compiled(model, optimizer=None):
    model.compile(optimizer or keras.optimizers.SGD(0.1), LabelSmoothedCrossEntropy(0.1), jit_compile=False)
    return model


def small(optimizer=None, dtype="float32"):
    keras.utils.set_random_seed(5)
    return compiled(Small(dtype), optimizer)


def transformer():
    keras.utils.set_random_seed(5)
    return compiled(Transformer(VOCABULARY, 1, 12, 19, 3, dropout=0.0))


def trained(batches=BATCHES, optimizer=None, dtype="float32", **kwargs):
    """The model after one pass, and what each step yielded."""
    model = small(optimizer, dtype)
    return model, list(TrainingLoop(model, **kwargs).steps(dataset(batches)))


def assert_equal_weights(one, other, atol=1e-6):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


def joined(batches):
    """One batch of all rows, padded to the longest."""
    longest = max(labels.shape[1] for _, labels in batches)

    def join(*parts):
        return tf.concat([tf.pad(ids, [[0, 0], [0, longest - ids.shape[1]]]) for ids in parts], axis=0)

    return tf.nest.map_structure(join, *batches)


def test_a_step_is_that_of_keras():
    model, kerass = transformer(), transformer()
    steps = list(TrainingLoop(model).steps(dataset()))
    losses = []
    for x, y in BATCHES:
        kerass.reset_metrics()
        losses.append(kerass.train_on_batch(x, y))
    assert_equal_weights(model, kerass)
    np.testing.assert_allclose([loss for loss, _ in steps], losses, rtol=1e-5)
    assert [tokens for _, tokens in steps] == [np.count_nonzero(labels) for _, labels in BATCHES]


def test_micro_batches_are_one_large_batch():
    model, steps = trained(micro_batches=3)
    large, large_steps = trained([joined(BATCHES[:3]), BATCHES[3]])  # what is left over is a step too
    assert_equal_weights(model, large)
    np.testing.assert_allclose(steps, large_steps, rtol=1e-5)


def test_a_trainings_graph_is_freed():
    """Also where the loss, and the optimizer that sums over devices, have gradients of their own."""

    def graphs():
        gc.collect()
        made = [found for found in gc.get_objects() if isinstance(found, tf.Graph)]
        return sum(getattr(graph, "name", None) == "on_all_devices" for graph in made)

    before = graphs()
    losses = [loss for loss, _ in TrainingLoop(small()).steps(dataset(BATCHES[:1]))]
    assert len(losses) == 1 and graphs() == before


def test_takes_up_an_epoch_at_a_step():
    model = small()
    loop = TrainingLoop(model, micro_batches=2)
    assert len(list(loop.steps(dataset(), first=1))) == 1
    assert_equal_weights(model, trained(BATCHES[2:], micro_batches=2)[0])


def test_clips_the_whole_gradient():
    model = trained(clip_norm=0.05)[0]
    assert_equal_weights(model, trained(optimizer=keras.optimizers.SGD(0.1, global_clipnorm=0.05))[0])
    assert not np.allclose(model.get_weights()[0], trained()[0].get_weights()[0], atol=1e-4)
    accumulated = trained(micro_batches=4, clip_norm=0.05)[0]
    assert_equal_weights(accumulated, trained([joined(BATCHES)], clip_norm=0.05)[0])


def test_consistency_of_a_model_without_dropout_changes_nothing():
    model, steps = trained(consistency=3.0)
    plain, plain_steps = trained()
    assert_equal_weights(model, plain)
    np.testing.assert_allclose(steps, plain_steps, rtol=1e-5)


def test_consistency_adds_half_of_alpha_times_the_divergence():
    class TwoMinds(keras.Model):
        """Predicts differently for the second half of a batch."""

        def __init__(self):
            super().__init__()
            self.logits = self.add_weight(shape=(2, 5), initializer="random_normal", name="logits")

        def call(self, ids):
            rows = tf.shape(ids)[0]
            which = tf.cast(tf.range(rows) >= rows // 2, tf.int32)
            return tf.gather(self.logits, which)[:, None, :] + tf.zeros([1, tf.shape(ids)[1], 1])

    model = TwoMinds()
    first, second = (values[None, None] for values in 3 * model.logits.numpy())
    model.logits.assign(3 * model.logits)
    model.compile("sgd", LabelSmoothedCrossEntropy(0.1))
    labels = np.array([[1, 2, 0], [3, 0, 0]])
    data = tf.data.Dataset.from_tensors((labels, labels))
    ((loss, tokens),) = TrainingLoop(model, consistency=3.0).steps(data)
    each = LabelSmoothedCrossEntropy(0.1)
    losses = [float(each(labels, np.broadcast_to(z, (2, 3, 5)).copy())) for z in (first, second)]
    wanted = np.mean(losses) + 1.5 * float(consistency_losses(first, second)[0, 0])
    assert loss == pytest.approx(wanted, rel=1e-5) and tokens == 3


def test_moving_average_is_there_while_asked_for():
    model = small(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.75))
    loop = TrainingLoop(model)
    wanted = None
    for _ in loop.steps(dataset()):
        weights = model.get_weights()
        wanted = weights if wanted is None else [0.75 * a + 0.25 * w for a, w in zip(wanted, weights)]
    with loop.averaged_weights():
        for average, value in zip(wanted, model.get_weights()):
            np.testing.assert_allclose(value, average, atol=1e-6)
    for before, value in zip(weights, model.get_weights()):
        np.testing.assert_array_equal(value, before)


def test_without_a_moving_average_the_weights_stay():
    model = small()
    weights = model.get_weights()
    with TrainingLoop(model).averaged_weights():
        np.testing.assert_array_equal(model.get_weights()[0], weights[0])


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(dtype):
    for kwargs in ({}, {"micro_batches": 2, "clip_norm": 0.5}):
        model, steps = trained(dtype=dtype, **kwargs)
        wanted, wanted_steps = trained(**kwargs)
        np.testing.assert_allclose(steps, wanted_steps, rtol=0.02)
        assert_equal_weights(model, wanted, atol=0.01)


def test_xla():
    assert_equal_weights(trained(jit_compile=True)[0], trained()[0], atol=1e-5)


def test_any_other_loss_with_sample_weights():
    def model():
        keras.utils.set_random_seed(1)
        one = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_regularizer="l2")])
        one.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
        return one

    random = np.random.default_rng(1)
    x, y, weights = random.normal(size=(4, 3)), random.normal(size=(4, 2)), np.array([1.0, 0.0, 2.0, 1.0])
    data = tf.data.Dataset.from_tensors((x, y, weights))
    one = model()
    kernel, bias = one.get_weights()
    ((loss, count),) = TrainingLoop(one).steps(data)
    error = x @ kernel + bias - y
    assert loss == pytest.approx((error**2).mean(1) @ weights / 4, rel=1e-5) and count == 4
    # The gradients of the weighted mean and of 0.01 |kernel|^2.
    slope = x.T @ (error * weights[:, None]) / 4 + 0.02 * kernel
    np.testing.assert_allclose(one.get_weights()[0], kernel - 0.1 * slope, atol=1e-5)


def test_any_other_loss_in_low_precision():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="bfloat16", kernel_regularizer="l2")])
    model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 2), "float32")
    wanted = float(np.mean(np.asarray(model(x), "float32") ** 2))
    ((loss, _),) = TrainingLoop(model).steps(tf.data.Dataset.from_tensors((x, y)))
    assert loss == pytest.approx(wanted, rel=1e-2)


def test_a_batch_without_tokens_moves_nothing():
    x, y = BATCHES[0]
    padding = tf.nest.map_structure(tf.zeros_like, (x, y))
    model, steps = trained([padding])
    assert steps == [(0.0, 0.0)]
    assert_equal_weights(model, small(), atol=0)


def test_bad_arguments():
    model = small()
    for arguments, message in (
        ({"micro_batches": 0}, "micro_batches=0"),
        ({"clip_norm": -1}, "clip_norm=-1"),
        ({"consistency": -1}, "consistency=-1"),
    ):
        with pytest.raises(ValueError, match=message):
            TrainingLoop(model, **arguments)
    with pytest.raises(ValueError, match="Received: loss=None"):
        TrainingLoop(keras.Sequential([keras.layers.Dense(1)]))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="compiled with one keras.losses.Loss. Received: loss='mse'"):
        TrainingLoop(model)
