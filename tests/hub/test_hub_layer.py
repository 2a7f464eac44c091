"""HubLayer on SavedModels that this package did not write; its own are in tests/integration."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub import HubLayer


class Scaler(tf.Module):
    """x times a trained scale; a frozen offset in training mode only; one regularization loss."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([1.0, 2.0], name="scale")
        self.offset = tf.Variable(10.0, trainable=False, name="offset")
        self.trainable = [self.scale]
        self.regularization_losses = [self.penalty]

    @tf.function(input_signature=[])
    def penalty(self):
        return 0.5 * tf.reduce_sum(self.scale**2)

    @tf.function
    def __call__(self, x, training=False):
        return x * self.scale + (self.offset if training else 0.0)


@pytest.fixture
def handle(tmp_path):
    module = Scaler()
    for training in (False, True):
        module.__call__.get_concrete_function(tf.TensorSpec([None, 2]), training=training)
    root = tf.train.Checkpoint()
    root.module, root.__call__ = module, module.__call__
    root.variables, root.trainable_variables = [module.scale, module.offset], [module.scale]
    root.regularization_losses = [module.penalty]
    tf.saved_model.save(root, str(tmp_path / "scaler"))
    return str(tmp_path / "scaler")


X = np.array([[1.0, 1.0], [3.0, 4.0]], "float32")


def functional(layer):
    inputs = keras.Input((2,))
    return keras.Model(inputs, layer(inputs))


def test_frozen_by_default(handle):
    layer = HubLayer(handle)
    model = functional(layer)
    np.testing.assert_array_equal(model(X), X * [1, 2])
    np.testing.assert_array_equal(model(X, training=True), X * [1, 2])  # frozen: inference mode
    assert model.trainable_variables == [] and layer.losses == []
    assert [v.shape for v in model.variables] == [(2,), ()]


def test_trainable_moves_weights_adds_losses_and_passes_training(handle):
    layer = HubLayer(handle, trainable=True)
    model = functional(layer)
    np.testing.assert_array_equal(model(X, training=True), X * [1, 2] + 10)
    assert [v.shape for v in model.trainable_variables] == [(2,)]
    assert float(sum(model.losses)) == pytest.approx(0.5 * (1 + 4))
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, p: 0.0 * p, jit_compile=False)
    model.fit(X, X, epochs=1, batch_size=2, verbose=0)
    # The loss' gradient is zero, that of the penalty the scale itself: one step leaves 0.9 of it.
    np.testing.assert_allclose(layer.saved_model.trainable_variables[0], [0.9, 1.8], rtol=1e-6)
    np.testing.assert_allclose(model(X), X * [0.9, 1.8], rtol=1e-6)


def test_tuned_weights_come_back(handle, tmp_path):
    layer = HubLayer(handle, trainable=True)
    model = functional(layer)
    layer.trainable_variables[0].assign([7.0, 8.0])
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=False)
    np.testing.assert_array_equal(reloaded(X), X * [7, 8])
    with pytest.raises(ValueError, match="Expected safe_mode=False to load a HubLayer"):
        keras.models.load_model(tmp_path / "model.keras")


def test_strings_through_a_lookup_table(tmp_path):
    (tmp_path / "words.txt").write_text("dog\ncat\n")
    root = tf.train.Checkpoint()
    root.table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(tmp_path / "words.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
            tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
        ),
        num_oov_buckets=1,
    )  # fmt: skip
    root.__call__ = tf.function(root.table.lookup, input_signature=[tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(root, str(tmp_path / "lookup"))
    (tmp_path / "words.txt").unlink()  # the SavedModel has its own copy
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, HubLayer(tmp_path / "lookup")(texts))
    np.testing.assert_array_equal(model(tf.constant(["cat", "dog", "cow"])), [1, 0, 2])


def test_no_reusable_interface(tmp_path):
    root = tf.train.Checkpoint()
    root.f = tf.function(lambda x: x, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(root, str(tmp_path / "plain"), signatures={"mine": root.f})
    with pytest.raises(ValueError, match=r"only the signatures \['mine'\]"):
        HubLayer(tmp_path / "plain")
