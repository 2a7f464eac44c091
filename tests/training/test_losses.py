import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.training import LabelSmoothedCrossEntropy

B, T, V = 3, 5, 7
_random = np.random.default_rng(8)
LOGITS = _random.normal(size=(B, T, V)).astype("float32") * 3
LABELS = np.array([[1, 2, 3, 4, 5], [6, 1, 0, 0, 0], [2, 2, 2, 0, 0]])
REAL = LABELS != 0


def keras_losses(label_smoothing):
    """Keras' own, on the one-hot matrix that ours avoids: (B, T)."""
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing, reduction="none")
    return np.asarray(loss(np.eye(V)[LABELS], LOGITS))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_equals_keras_on_one_hot_labels_without_padding(label_smoothing):
    wanted = keras_losses(label_smoothing)
    loss = LabelSmoothedCrossEntropy(label_smoothing)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(wanted[REAL].mean(), rel=1e-5)
    each = LabelSmoothedCrossEntropy(label_smoothing, reduction="none")(LABELS, LOGITS)
    np.testing.assert_allclose(each, np.where(REAL, wanted, 0), atol=1e-5)
    total = LabelSmoothedCrossEntropy(label_smoothing, reduction="sum")(LABELS, LOGITS)
    assert float(total) == pytest.approx(wanted[REAL].sum(), rel=1e-5)


def test_by_hand():
    # Two ids, logits 0 and ln 3: p = 1/4, 3/4. -(0.95 ln 3/4 + 0.05 ln 1/4) for the second.
    loss = LabelSmoothedCrossEntropy(0.1)(np.array([[1]]), np.array([[[0.0, np.log(3)]]]))
    assert float(loss) == pytest.approx(-(0.95 * np.log(0.75) + 0.05 * np.log(0.25)), rel=1e-5)


def test_sample_weights():
    wanted = keras_losses(0.1)
    weights = np.array([1.0, 2.0, 0.0])
    loss = LabelSmoothedCrossEntropy(0.1)(LABELS, LOGITS, sample_weight=weights)
    each = REAL * weights[:, None]
    assert float(loss) == pytest.approx((wanted * each).sum() / each.sum(), rel=1e-5)


def test_gradient_is_softmax_less_the_smoothed_label():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = LabelSmoothedCrossEntropy(0.1, reduction="sum")(LABELS, logits)
    wanted = tf.nn.softmax(LOGITS) - 0.9 * np.eye(V)[LABELS] - 0.1 / V
    np.testing.assert_allclose(tape.gradient(loss, logits), np.where(REAL[..., None], wanted, 0), atol=1e-6)


def test_padding_only_gives_zero_and_no_gradient():
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = LabelSmoothedCrossEntropy()(np.zeros_like(LABELS), logits)
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, logits), np.zeros_like(LOGITS))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision_logits_are_summed_in_float32(dtype):
    labels, logits = np.ones((64, 64), "int32"), tf.cast(tf.fill([64, 64, 9], 8.0), dtype)
    loss = LabelSmoothedCrossEntropy(0.1)(labels, logits)
    assert loss.dtype == tf.float32
    assert float(loss) == pytest.approx(np.log(9), rel=1e-5)


def test_never_builds_a_one_hot_matrix():
    loss = LabelSmoothedCrossEntropy(0.1)
    graph = tf.function(loss).get_concrete_function(
        tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None, V])
    )
    assert "OneHot" not in {op.type for op in graph.graph.get_operations()}


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("mode", ["eager", "graph", "XLA"])
def test_logits_of_what_does_not_count_may_be_anything(mode, garbage):
    """Of padding, and of what has no weight."""
    weights = np.where(np.arange(T) == 1, 0.0, 1.0) * np.ones((B, 1))
    counts = REAL & (weights > 0)

    def loss_and_gradient(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = LabelSmoothedCrossEntropy(0.1)(LABELS, logits, sample_weight=weights)
        return loss, tape.gradient(loss, logits)

    call = loss_and_gradient if mode == "eager" else tf.function(loss_and_gradient, jit_compile=mode == "XLA")
    found = call(tf.constant(np.where(counts[..., None], LOGITS, np.float32(garbage))))
    for one, wanted in zip(found, loss_and_gradient(tf.constant(LOGITS))):
        np.testing.assert_allclose(one, wanted, atol=1e-6)


def test_padding_outside_the_vocabulary():
    found = LabelSmoothedCrossEntropy(0.1, padding_id=-100)(np.where(REAL, LABELS, -100), LOGITS)
    assert float(found) == pytest.approx(float(LabelSmoothedCrossEntropy(0.1)(LABELS, LOGITS)))


@pytest.mark.parametrize("label", [V, -1])
def test_labels_outside_the_vocabulary(label):
    loss, labels = LabelSmoothedCrossEntropy(), np.array([[label]])
    with pytest.raises(ValueError, match=rf"labels in \[0, 7\). Received: {label}"):
        loss(labels, LOGITS[:1, :1])
    # Known only when the graph runs.
    call = tf.function(lambda labels: loss(labels, LOGITS[:1, :1]), jit_compile=True)
    assert np.isnan(call(tf.constant(labels)))


@pytest.mark.parametrize("labels", [LABELS[:, :4], LABELS[:2], LABELS[..., None]])
def test_labels_of_another_shape(labels):
    with pytest.raises(ValueError, match=r"y_true \(B, T\) and y_pred \(B, T, V\). .* of \(3, 5, 7\)"):
        LabelSmoothedCrossEntropy()(labels, LOGITS)


def test_round_trip():
    loss = LabelSmoothedCrossEntropy(0.2, padding_id=5, reduction="sum", name="mine")
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert revived.get_config() == loss.get_config()
    assert float(revived(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))


def test_sample_weights_of_three_axes():
    with pytest.raises(ValueError, match="sample_weight of shape"):
        LabelSmoothedCrossEntropy()(LABELS, LOGITS, sample_weight=np.ones((B, T, 1)))


@pytest.mark.parametrize("arguments", [{"label_smoothing": 1.0}, {"reduction": "max"}])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match="Received: "):
        LabelSmoothedCrossEntropy(**arguments)
