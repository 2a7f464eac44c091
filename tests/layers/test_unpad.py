import keras
import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock, PositionalEncoding, Repad, SequencePooling, TokenEmbedding, Unpad
from keras_transformer.testing import backends
from tests import reference

IDS = np.array([[3, 4, 5, 0, 0], [7, 0, 2, 0, 9], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
X = np.random.default_rng(1).normal(size=(4, 5, 6)).astype("float32")
MASK = IDS != 0


def model(unpadded):
    """A stack of blocks as a user writes it."""
    keras.utils.set_random_seed(1)
    ids = keras.Input((None,), dtype="int32")
    x = PositionalEncoding()(TokenEmbedding(11, 6)(ids))
    options = {}
    if unpadded:
        x, options["layout"] = Unpad()(x)
    for _ in range(2):
        x = EncoderBlock(2, 13)(x, **options)
    if unpadded:
        x = Repad()(x, options["layout"])
    made = keras.Model(ids, SequencePooling()(x))
    reference.randomize(made, scale=0.3)
    return made


def test_functional_graph_of_packed_blocks(tmp_path):
    unpadded = model(unpadded=True)
    wanted = model(unpadded=False)(IDS)
    np.testing.assert_allclose(unpadded(IDS), wanted, atol=1e-5)
    np.testing.assert_allclose(unpadded(IDS, training=False), wanted, atol=1e-5)
    unpadded.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "model.keras")(IDS), wanted, atol=1e-5)
    if keras.backend.backend() == "tensorflow":
        np.testing.assert_allclose(backends.dynamic_call(unpadded, {"inputs": IDS}, {}), wanted, atol=1e-5)


def test_masks_that_count():
    explicit = MASK & (np.arange(5) < 4)
    embedded = TokenEmbedding(11, 6)(IDS)
    unpadded, layout = Unpad()(embedded, padding_mask=explicit)
    np.testing.assert_array_equal(layout.mask, MASK & explicit)
    np.testing.assert_array_equal(unpadded, np.asarray(embedded)[MASK & explicit])
    assert getattr(unpadded, "_keras_mask", None) is None
    assert Unpad()(X)[0].shape == (20, 6)


def test_bad_inputs():
    with pytest.raises(ValueError, match="rank 3"):
        Unpad()(X[0])
    with pytest.raises(ValueError, match=r"padding_mask of shape \(4, 5\). Received: shape=\(4, 3\)"):
        Unpad()(X, padding_mask=MASK[:, :3])


def test_output_shapes():
    unpadded, layout = Unpad().compute_output_shape((2, 3, 5))
    assert unpadded == (None, 5) and layout == ((2, 3), (None,), (2, 3))
    assert Repad().compute_output_shape(unpadded, layout) == (2, 3, 5)
