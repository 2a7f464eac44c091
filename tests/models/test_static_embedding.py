import keras
import numpy as np
import pytest

from keras_transformer.models import StaticEmbedding


def test_means_of_vectors():
    encoder = StaticEmbedding(7, 3)
    vectors = np.random.RandomState(0).normal(size=(7, 3)).astype("float32")
    encoder.set_vectors(vectors)
    found = encoder(np.array([[5, 6, 6, 0], [3, 0, 0, 0], [0, 0, 0, 0]])).numpy()
    wanted = np.stack([vectors[5] + 2 * vectors[6], vectors[3]])
    np.testing.assert_allclose(found[:2], wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(found[2], 0)


def test_round_trip(tmp_path):
    encoder = StaticEmbedding(7, 3, padding_id=2)
    encoder.save(tmp_path / "e.keras")
    ids = np.array([[5, 2], [0, 1]])
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "e.keras")(ids), encoder(ids))


def test_bad_values():
    with pytest.raises(ValueError, match="output_dim=0"):
        StaticEmbedding(7, 0)
