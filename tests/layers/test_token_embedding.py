import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.layers import SequencePooling, TokenEmbedding

IDS = np.array([[3, 1, 0], [2, 0, 0]])


def test_rows_times_the_root_of_the_width():
    layer = TokenEmbedding(5, 16)
    vectors = layer(IDS)
    table = layer.embedding.get_weights()[0]
    np.testing.assert_allclose(vectors, table[IDS] * 4.0, rtol=1e-6)
    np.testing.assert_array_equal(vectors._keras_mask, IDS != 0)
    np.testing.assert_array_equal(TokenEmbedding(5, 16, scale=False)(IDS).shape, (2, 3, 16))


def test_reverse_is_the_transposed_table():
    layer = TokenEmbedding(5, 7)
    x = np.random.default_rng(0).normal(size=(2, 3, 7)).astype("float32")
    layer.build((2, 3))
    table = layer.embedding.get_weights()[0]
    np.testing.assert_allclose(layer(x, reverse=True), x @ table.T, atol=1e-5)
    np.testing.assert_array_equal(layer(x, True), layer(x, reverse=True))


def test_initial_scale():
    layer = TokenEmbedding(2000, 64)
    layer.build((1, 1))
    assert np.std(layer.embedding.get_weights()[0]) == pytest.approx(64**-0.5, rel=0.02)


def test_reverse_in_the_compute_dtype():
    layer = TokenEmbedding(5, 8, dtype="mixed_bfloat16")
    assert layer(layer(IDS), reverse=True).dtype == "bfloat16"


def test_other_padding_and_none():
    np.testing.assert_array_equal(TokenEmbedding(5, 2, padding_id=3)(IDS)._keras_mask, IDS != 3)
    assert getattr(TokenEmbedding(5, 2, padding_id=None)(IDS), "_keras_mask", None) is None


@pytest.mark.parametrize("unknown", [5, -1, 5.0, 0.5])
def test_ids_outside_the_vocabulary_raise_in_eager_calls(unknown):
    with pytest.raises(ValueError, match=rf"token ids in \[0, 5\). Received: {unknown}"):
        TokenEmbedding(5, 2)(np.array([[1, unknown]]))


@pytest.mark.parametrize("unknown", [5, 0.5])
def test_ids_outside_the_vocabulary_raise_in_graphs_on_cpu(unknown):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"= 5 is not in \[0, 5\)"):
        tf.function(TokenEmbedding(5, 2))(tf.constant([[1, unknown]]))


def test_ids_outside_the_vocabulary_are_nan_where_nothing_can_raise():
    layer = TokenEmbedding(5, 2)
    layer.build((None, None))
    vectors = tf.function(layer, jit_compile=True)(tf.constant([[1, 5, -1]])).numpy()
    assert np.isfinite(vectors[0, 0]).all() and np.isnan(vectors[0, 1:]).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0, 4), "vocabulary_size=0"),
        ((5, -4), "hidden_dim=-4"),
        ((5, 4, 5), r"token id in \[0, 5\). Received: padding_id=5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        TokenEmbedding(*arguments)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_floating_ids_as_keras_gives_them_where_no_dtype_was_named(policy):
    ids = np.array([[3, 1, 0], [258, 0, 0]])  # in bfloat16 there would be no 258, but 258 = 256
    embedding = TokenEmbedding(300, 4, dtype=policy)
    pooling = SequencePooling("mean", dtype=policy)
    wanted = pooling(embedding(ids))
    inputs = keras.Input((None,))
    model = keras.Model(inputs, pooling(embedding(inputs)))
    for found in (model(ids), model.predict(ids, verbose=0), pooling(embedding(ids.astype("float32")))):
        np.testing.assert_array_equal(found, wanted)


def test_first_in_a_sequential_model_without_an_input(tmp_path):
    ids = np.array([[3, 1, 0], [2, 0, 0]])
    model = keras.Sequential([TokenEmbedding(257, 4), SequencePooling("mean")])
    found = model(ids)
    np.testing.assert_array_equal(found, model.layers[1](model.layers[0](ids)))
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(ids), found)
    # Keras makes an input of the compute dtype.
    with pytest.raises(ValueError, match=r"holds all of \[0, 257\).*Received: dtype=bfloat16"):
        keras.Sequential([TokenEmbedding(257, 4, dtype="mixed_bfloat16")])(ids)


def test_output_shapes():
    layer = TokenEmbedding(5, 4)
    assert layer.compute_output_shape((2, 3)) == (2, 3, 4)
    assert layer.compute_output_shape((2, 3, 4), reverse=True) == (2, 3, 5)


@pytest.mark.parametrize(
    "padding_side, wanted",
    [
        ("anywhere", [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]),
        ("right", [[1, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]),
        ("both", [[0, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]),
    ],
)
def test_padding_by_position(padding_side, wanted):
    ids = np.array([[0, 3, 0, 2, 0], [0, 0, 0, 0, 0], [4, 0, 0, 0, 0]])
    layer = TokenEmbedding(5, 2, padding_side=padding_side)
    np.testing.assert_array_equal(layer(ids)._keras_mask, np.array(wanted, bool))
    assert layer(ids[:, :0]).shape == (3, 0, 2)
    assert layer.get_config()["padding_side"] == padding_side


def test_an_unknown_padding_side():
    with pytest.raises(ValueError, match="Expected one of .*'both'.*Received: padding_side='left'"):
        TokenEmbedding(5, 2, padding_side="left")


def test_a_sequence_that_begins_with_padding():
    ids = np.array([[0, 3, 0], [0, 0, 0], [2, 1, 1]])
    mask = TokenEmbedding(5, 2, begins_with_padding=True)(ids)._keras_mask
    np.testing.assert_array_equal(mask, [[True, True, False], [True, False, False], [True, True, True]])
