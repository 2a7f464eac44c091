import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.models import PRESETS, Transformer
from tests import reference
from tests.models.small_transformer import BATCH, V, build


@pytest.mark.parametrize("name, count", [("base", 63_082_496), ("big", 214_245_376)])
def test_parameters_of_the_paper(name, count):
    with keras.StatelessScope(initialize_variables=False):  # shapes alone: 0.9 GB otherwise
        assert Transformer.from_preset(name, vocabulary_size=37_000).count_params() == count


def test_parameters_of_the_small_presets():
    # V D + L (2 D-wide blocks): computed from the formula of each block.
    for name in ("tiny", "small"):
        p = PRESETS[name]
        d, f, layers = p["hidden_dim"], p["intermediate_dim"], p["num_layers"]
        attention, feed_forward, norm = 4 * (d * d + d), 2 * d * f + d + f, 2 * d
        expected = 100 * d + layers * (3 * attention + 2 * feed_forward + 5 * norm)
        with keras.StatelessScope(initialize_variables=False):
            assert Transformer.from_preset(name, 100).count_params() == expected


def test_is_functional_and_has_a_summary():
    model = build(num_layers=2)
    lines = []
    model.summary(print_fn=lines.append)
    assert "decoder_block_1" in "\n".join(lines)
    assert [layer.name for layer in model.layers].count("embedding") == 1  # three-way tied


@pytest.mark.parametrize("overrides", [{}, {"norm_first": True}])
def test_unpadded_equals_padded(overrides):
    model = build(**overrides)
    padded, unpadded = (model.encode(BATCH["source_ids"], unpadding=unpadded) for unpadded in (False, True))
    is_real = BATCH["source_ids"][..., None] != 0
    np.testing.assert_allclose(unpadded, np.where(is_real, padded, 0.0), atol=1e-5)
    logits = model.decode(BATCH["target_ids"], unpadded)
    np.testing.assert_allclose(logits, model.decode(BATCH["target_ids"], padded), atol=1e-5)


def test_a_file_with_the_old_names_of_weights_is_refused():
    config = build().get_config()
    del config["format"]
    with pytest.raises(ValueError, match="weights are named as in format 2. Received: format 1"):
        Transformer.from_config({**config, "packed": False})


def test_equals_the_paper_in_numpy():
    """Embedding, positions, one encoder and one decoder block, logits: in float64 from the formulas."""
    model = build(num_layers=1, dropout=0.0)
    reference.randomize(model, scale=0.3)
    table = model.source_embedding.embedding.get_weights()[0].astype("float64")
    encoder, decoder = model.encoder_blocks[0], model.decoder_blocks[0]

    def embed(ids):
        return table[ids] * 12**0.5 + reference.positional_encoding(range(len(ids)), 12)

    def sublayer(add_norm, x, y):
        return reference.layer_norm(x + y, *add_norm.norm.get_weights())

    def feed_forward(block, x):
        kernel_1, bias_1, kernel_2, bias_2 = block.feed_forward.get_weights()
        y = np.maximum(x @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2
        return sublayer(block.feed_forward_add_norm, x, y)

    def attend(add_norm, layer, x, context, mask):
        weights = reference.attention_weights_by_name(layer)
        return sublayer(add_norm, x, reference.multi_head_attention(x, context, weights, mask))

    source, target = BATCH["source_ids"][1], BATCH["target_ids"][1]
    seen = source != 0
    x = embed(source)
    x = attend(encoder.self_attention_add_norm, encoder.self_attention, x, x, np.tile(seen, (5, 1)))
    memory = feed_forward(encoder, x)
    x = embed(target)
    causal = np.tril(np.ones((4, 4), bool)) & (target != 0)
    x = attend(decoder.self_attention_add_norm, decoder.self_attention, x, x, causal)
    x = attend(decoder.cross_attention_add_norm, decoder.cross_attention, x, memory, np.tile(seen, (4, 1)))
    wanted = feed_forward(decoder, x) @ table.T
    np.testing.assert_allclose(model(BATCH)[1][target != 0], wanted[target != 0], atol=1e-4)


@pytest.mark.parametrize("norm_first", [False, True])
def test_padding_changes_nothing(norm_first):
    model = build(norm_first=norm_first)
    alone = model({"source_ids": BATCH["source_ids"][1:, :3], "target_ids": BATCH["target_ids"][1:, :2]})
    np.testing.assert_allclose(model(BATCH)[1, :2], alone[0], atol=1e-5)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"norm_first": True, "activation": "gelu"},
        {"target_vocabulary_size": 29},
        {"dtype": "mixed_bfloat16"},
    ],
    ids=["paper", "pre-norm", "two tables", "bfloat16"],
)
def test_reloads_with_equal_outputs(overrides, tmp_path):
    model = build(**overrides)
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(reloaded) is Transformer and reloaded.get_config() == model.get_config()
    np.testing.assert_array_equal(ops.cast(reloaded(BATCH), "float32"), ops.cast(model(BATCH), "float32"))


def test_two_vocabularies():
    model = build(target_vocabulary_size=29)
    assert model.output_shape == (None, None, 29)
    assert model.source_embedding.vocabulary_size == 23


def test_cross_attention_scores():
    model = build(num_layers=2)
    logits, scores = model.decode(
        ops.convert_to_tensor(BATCH["target_ids"]),
        model.encode(ops.convert_to_tensor(BATCH["source_ids"])),
        return_attention_scores=True,
    )
    np.testing.assert_allclose(logits, model(BATCH), atol=1e-6)
    assert [tuple(s.shape) for s in scores] == [(2, 3, 4, 5)] * 2
    assert (np.asarray(scores[0])[1, :, :, 3:] == 0).all()


@pytest.mark.parametrize(
    "overrides, message",
    [
        ({"num_heads": 5}, "divide the width 12"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"hidden_dim": -12}, "hidden_dim=-12"),
        ({"dropout": 1.5}, "dropout=1.5"),
        ({"padding_id": 99}, "padding_id=99"),
    ],
)
def test_bad_arguments(overrides, message):
    with pytest.raises(ValueError, match=message):
        build(**overrides)


def test_unknown_preset():
    with pytest.raises(ValueError, match="one of the presets .*Received: 'huge'"):
        Transformer.from_preset("huge", 10)


def test_empty_batch():
    empty = {name: np.zeros((0, 3), "int32") for name in BATCH}
    assert build()(empty).shape == (0, 3, V)


def test_the_options_of_marian():
    """Another depth of the decoder, half-split sinusoids of other wavelengths, a bias, padding as the begin id."""
    model = build(
        num_layers=2,
        num_decoder_layers=1,
        position_layout="halves",
        max_wavelength=100.0,
        logits_bias=True,
        begins_with_padding=True,
        dropout=0.0,
    )
    assert len(model.encoder_blocks) == 2 and len(model.decoder_blocks) == 1
    assert model.positional_encoding.get_config()["max_wavelength"] == 100.0
    batch = {**BATCH, "target_ids": np.array([[0, 10, 11, 12], [0, 13, 0, 0]])}
    logits = model(batch)
    np.testing.assert_array_equal(logits._keras_mask, [[True] * 4, [True, True, False, False]])
    model.logits_bias.bias.assign(np.arange(V))
    np.testing.assert_allclose(model(batch), logits + np.arange(V), atol=1e-5)
    copy = Transformer.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(batch), model(batch))
