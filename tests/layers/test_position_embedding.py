import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.layers import PositionEmbedding

ZEROS = np.zeros((2, 3, 4), "float32")


def test_adds_its_rows():
    layer = PositionEmbedding(5)
    np.testing.assert_array_equal(layer(ZEROS)[1], layer.embeddings[:3])
    shifted = layer(ZEROS, positions=np.array([4, 0, 2]))
    np.testing.assert_array_equal(shifted[0], layer.embeddings.numpy()[[4, 0, 2]])


def test_longer_than_the_table():
    with pytest.raises(ValueError, match="at most max_length=2 positions. Received: length=3"):
        PositionEmbedding(2)(ZEROS)


def test_positions_known_only_in_the_graph_give_nan_outside_the_table():
    layer = PositionEmbedding(2)
    layer.build((None, None, 4))
    dynamic = tf.function(layer, input_signature=[tf.TensorSpec([None, None, 4])])
    outputs = dynamic(ZEROS).numpy()
    np.testing.assert_array_equal(outputs[:, :2], np.tile(layer.embeddings, (2, 1, 1)))
    assert np.isnan(outputs[:, 2]).all()


def test_given_positions_outside_the_table():
    with pytest.raises(ValueError, match=r"positions in \[0, 2\). Received: 2"):
        PositionEmbedding(2)(ZEROS, positions=np.array([0, 1, 2]))


def test_positions_that_do_not_count():
    layer = PositionEmbedding(3)
    outputs = np.asarray(layer(ZEROS, counted=np.array([[True, False, True], [False, False, True]])))
    first, second, _ = np.asarray(layer.embeddings)
    nothing = np.zeros(4)
    np.testing.assert_array_equal(outputs, [[first, nothing, second], [nothing, nothing, first]])
    with pytest.raises(ValueError, match="at most max_length=2 positions. Received: length=3"):
        PositionEmbedding(2)(ZEROS, counted=np.ones((2, 3), bool))


def test_bad_length():
    with pytest.raises(ValueError, match="Received: max_length=0"):
        PositionEmbedding(0)
