"""The layouts alone; `tests/jax_backend/test_distribution.py` runs models split by them."""

import keras
import pytest

from keras_transformer.distribution import layout_map
from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder, Transformer


def mesh(*shape, axes=("data", "model")):
    count = 1
    for size in shape:
        count *= size
    return keras.distribution.DeviceMesh(shape, axes, [f"cpu:{i}" for i in range(count)])


def axes_of(model, device_mesh, **options):
    """{path: axes} of the variables that are split."""
    layouts = layout_map(model, device_mesh, **options)
    found = {variable.path: layouts[variable.path] for variable in model.variables}
    return {path: layout.axes for path, layout in found.items() if layout is not None}


def test_every_large_weight_of_a_translator_is_split():
    model = Transformer(24, 2, 16, 32, 4, target_vocabulary_size=28)
    split = axes_of(model, mesh(2, 4))
    whole = {variable.path for variable in model.variables if len(variable.shape) == 2} - set(split)
    assert not whole
    assert split["encoder_block_1/self_attention/query_key_value/bias"] == ("model",)
    assert split["decoder_block_1/cross_attention/output/kernel"] == ("model", None)
    assert split["target_embedding/embedding/embeddings"] == ("model", None)
    assert not any("norm" in path or path.endswith(("output/bias", "output_dense/bias")) for path in split)


def test_one_block_tells_the_layouts_of_all():
    layouts = layout_map(SentenceEncoder(24, 1, 16, 32, 4, output_dim=6), mesh(2, 4))
    deep = SentenceEncoder(24, 12, 16, 32, 4, output_dim=6)
    assert layouts["encoder_block_11/feed_forward/intermediate_dense/kernel"].axes == (None, "model")
    assert sum(layouts[variable.path] is not None for variable in deep.variables) == 1 + 12 * 6


def test_layouts_do_not_depend_on_lora():
    model = SentenceEncoder(24, 1, 16, 32, 4, output_dim=6)
    before = layout_map(model, mesh(2, 4))
    model.enable_lora(2)
    assert {key: value.axes for key, value in layout_map(model, mesh(2, 4)).items()} == {
        key: value.axes for key, value in before.items()
    }
    assert before["encoder_block_0/self_attention/output/lora_kernel_a"].axes == ("model", None)


def test_a_model_around_one_of_ours():
    encoder = SentenceEncoder(24, 1, 16, 32, 4, output_dim=6)
    classifier = keras.Sequential([encoder, keras.layers.Dense(3)])
    assert axes_of(classifier, mesh(2, 4)) == axes_of(encoder, mesh(2, 4))


def test_the_axis_may_have_another_name():
    model = DeepAveragingNetwork(24, 12, 1, 8, output_dim=6)
    split = axes_of(model, mesh(4, 2, axes=("tensor", "batch")), model_axis="tensor")
    assert split == {
        "embedding/embedding/embeddings": ("tensor", None),
        "bigram_embedding/embedding/embeddings": (None, "tensor"),  # 12 pairs and one for none
    }


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: Transformer(24, 1, 12, 32, 6), "divides num_heads of encoder_block_0/self_attention.*4 parts.*=6"),
        (lambda: Transformer(24, 1, 16, 30, 4), "divides intermediate_dim of encoder_block_0/feed_forward.*=30"),
        (lambda: DeepAveragingNetwork(23, 0, 1, 10), "the 23 embeddings or their width of embedding/embedding.*=10"),
    ],
)
def test_what_the_mesh_does_not_divide_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        layout_map(model(), mesh(2, 4))


def test_a_mesh_without_the_axis_is_refused():
    with pytest.raises(ValueError, match=r"Expected one of \['data'\]. Received: model_axis='model'"):
        layout_map(DeepAveragingNetwork(24, 12, 1, 8), mesh(8, axes=("data",)))
