import keras
import numpy as np
import pytest

from keras_transformer.models import BertEncoder
from tests import reference

TINY = {"num_layers": 2, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "max_length": 7}
IDS = np.array([[2, 5, 6, 3], [2, 7, 3, 0], [2, 3, 0, 0]])


def build(**arguments):
    model = BertEncoder(23, **{**TINY, **arguments})
    reference.randomize(model, scale=0.3)
    return model


def test_embeddings_in_numpy():
    model = build(num_layers=1)
    table = model.token_embedding.embedding.get_weights()[0]
    positions = model.position_embedding.get_weights()[0]
    x = reference.layer_norm(table[IDS[0]] + positions[:4], *model.embedding_norm.get_weights(), 1e-12)
    wanted = model.encoder_blocks[0](x[None])
    np.testing.assert_allclose(model.encode(IDS[:1]), wanted, atol=1e-5)


@pytest.mark.parametrize("relative_position_buckets", [None, 8])
def test_poolings_projections_and_length(relative_position_buckets):
    projection = {"units": 5, "activation": "tanh", "use_bias": True}
    model = build(
        pooling=["first", "mean"],
        projections=[projection],
        relative_position_buckets=relative_position_buckets,
    )
    for ids, vector in zip(IDS, np.asarray(model(IDS))):
        tokens = np.asarray(model.encode(ids[ids > 0][None]))[0]  # alone, without padding
        kernel, bias = model.projections[0].get_weights()
        wanted = np.tanh(np.concatenate([tokens[0], tokens.mean(axis=0)]) @ kernel + bias)
        np.testing.assert_allclose(vector, wanted / np.linalg.norm(wanted), atol=1e-5)


def test_all_blocks_share_one_relative_bias():
    model = build(relative_position_buckets=8, num_layers=2)
    assert len(model.weights) == len(build().weights) + 1
    x = model.embedding_norm(model.position_embedding(model.token_embedding(IDS[:1])))
    bias = model.relative_position_bias(x)
    for block in model.encoder_blocks:
        x = block(x, attention_bias=bias)
    np.testing.assert_allclose(model.encode(IDS[:1]), x, atol=1e-5)


@pytest.mark.parametrize("relative_position_buckets", [None, 8])
def test_packed_equals_padded(relative_position_buckets):
    model = build(relative_position_buckets=relative_position_buckets)
    padded, packed = np.asarray(model.encode(IDS)), model.encode(IDS, packed=True)
    np.testing.assert_allclose(packed, np.where(IDS[..., None] != 0, padded, 0.0), atol=1e-5)
    np.testing.assert_allclose(model.pool(packed), model(IDS), atol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"relative_position_buckets": 8, "padding_id": 3, "unit_length": False}])
def test_reloads_with_equal_outputs(arguments, tmp_path):
    model = build(**arguments)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(reloaded) is BertEncoder and reloaded.get_config() == model.get_config()
    np.testing.assert_array_equal(reloaded(IDS), model(IDS))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_layers": 0}, "num_layers=0"),
        ({"pooling": "last"}, "mode='last'"),
        ({"pooling": []}, "Expected at least one mode"),
        ({"max_length": 0}, "max_length=0"),
    ],
)
def test_bad_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        BertEncoder(23, **{**TINY, **arguments})
