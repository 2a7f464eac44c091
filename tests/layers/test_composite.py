import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock, FeedForward, Unpad
from keras_transformer.layers.composite import check_file_format, quantization_modes, quantize_sublayers, sublayers
from keras_transformer.ops import TokenLayout, masks

X = np.ones((2, 3, 4), "float32")
MASK = np.array([[True, True, False], [True, False, False]])


def test_all_layers_inside_by_their_paths():
    block = EncoderBlock(2, 8)
    block(X)
    paths = [path for path, _ in sublayers(block)]
    assert "self_attention/query_key_value" in paths and "feed_forward/intermediate_dense" in paths
    assert len(paths) == len(set(paths))


def test_modes_of_quantized_layers():
    layer = FeedForward(8)
    layer(X)
    assert quantization_modes(layer) == {}
    quantize_sublayers(layer, {"output_dense": "int8"})
    assert quantization_modes(layer) == {"output_dense": "int8"}


def test_an_explicit_mask_is_passed_on():
    layer = FeedForward(8)
    np.testing.assert_array_equal(masks.implicit_mask(layer(X, padding_mask=MASK)), MASK)


def test_the_layout_of_a_call():
    layer = FeedForward(8)
    padded = layer.layout_of(X, None, MASK, None)
    assert padded.is_padded and padded.mask is not None
    _, layout = Unpad()(X, padding_mask=MASK)
    assert isinstance(layer.layout_of(X, tuple(layout), None, None), TokenLayout)
    with pytest.raises(ValueError, match=r"Expected the mask of unpadded tokens .* Received: padding_mask"):
        layer.layout_of(X, layout, None, MASK)


def test_files_whose_weights_have_other_names():
    check_file_format({"format": 2})
    with pytest.raises(ValueError, match="format 2. Received: format 1.*export it as a SavedModel"):
        check_file_format({"input_shape": (None, 3)})


def test_a_padded_layout_is_the_identity_and_hides_no_mask():
    block = EncoderBlock(2, 8, dropout=0.0)
    x = np.random.default_rng(0).normal(size=X.shape).astype("float32")
    wanted = block(x, padding_mask=MASK)
    for options in ({"layout": TokenLayout(MASK)}, {"layout": TokenLayout(), "padding_mask": MASK}):
        np.testing.assert_allclose(block(x, **options), wanted, atol=1e-6)
