import keras
import numpy as np
import pytest

from keras_transformer.models import BertEncoder
from tests import reference

TINY = {"num_layers": 1, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "max_length": 7}
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
    assert len(model.weights) == len(build(num_layers=2).weights) + 1
    x = model.embedding_norm(model.position_embedding(model.token_embedding(IDS[:1])))
    bias = model.relative_position_bias(x)
    for block in model.encoder_blocks:
        x = block(x, attention_bias=bias)
    np.testing.assert_allclose(model.encode(IDS[:1]), x, atol=1e-5)


def test_a_padding_id_between_others_is_a_token():
    model = build()
    table = model.token_embedding.embedding.embeddings
    weights = table.numpy()
    weights[9] = weights[0]
    table.assign(weights)
    ids = np.array([[2, 5, 0, 6, 3, 0, 0]])
    np.testing.assert_allclose(model(ids), model(np.array([[2, 5, 9, 6, 3]])), atol=1e-5)
    np.testing.assert_allclose(model.pool(model.encode(ids, unpadding=True)), model(ids), atol=1e-5)


def test_padding_tokens_without_a_position():
    model = build(counts_padding=False, relative_position_buckets=8)
    ids = np.array([[2, 5, 0, 6, 3]])
    table, positions = model.token_embedding.embedding.get_weights()[0], model.position_embedding.get_weights()[0]
    x = table[ids[0]]
    x[[0, 1, 3, 4]] += positions[:4]
    x = model.embedding_norm(x[None])
    for block in model.encoder_blocks:
        x = block(x, attention_bias=model.relative_position_bias(x))
    np.testing.assert_allclose(model.encode(ids), x, atol=1e-5)
    np.testing.assert_allclose(model(np.pad(ids, [[0, 0], [0, 2]])), model(ids), atol=1e-5)
    np.testing.assert_allclose(model(np.array([[0, 0, 2, 5, 3]])), model(np.array([[2, 5, 3]])), atol=1e-5)
    with pytest.raises(ValueError, match="at most max_length=7 positions. Received: length=8"):
        model(np.ones((1, 8), "int32"))


def test_a_config_of_before_positions_without_padding():
    config = build().get_config()
    assert config.pop("counts_padding") is True
    assert BertEncoder.from_config(config).counts_padding is True


@pytest.mark.parametrize("relative_position_buckets", [None, 8])
def test_unpadded_equals_padded(relative_position_buckets):
    model = build(relative_position_buckets=relative_position_buckets)
    padded, unpadded = np.asarray(model.encode(IDS)), model.encode(IDS, unpadding=True)
    np.testing.assert_allclose(unpadded, np.where(IDS[..., None] != 0, padded, 0.0), atol=1e-5)
    np.testing.assert_allclose(model.pool(unpadded), model(IDS), atol=1e-5)


@pytest.mark.parametrize("arguments", [{}, {"relative_position_buckets": 8, "padding_id": 3, "normalize": False}])
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
