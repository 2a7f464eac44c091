import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_transformer.models import PRESETS, Transformer
from keras_transformer.training import LabelSmoothedCrossEntropy
from tests import operations, reference

V = 23
TINY = {
    "num_layers": 2, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "dropout": 0.1,
}  # fmt: skip
BATCH = {
    "source_ids": np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]]),
    "target_ids": np.array([[2, 10, 11, 12], [2, 13, 0, 0]]),
}
LABELS = np.array([[10, 11, 12, 3], [13, 3, 0, 0]])


def build(**overrides):
    return Transformer(V, **{**TINY, **overrides})


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
        assert Transformer.from_preset(name, 100).count_params() == expected


def test_is_functional_and_has_a_summary():
    model = build()
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


@pytest.mark.parametrize("overrides", [{}, {"norm_first": True, "target_vocabulary_size": 19}])
def test_unpadded_calls_and_gradients_are_those_of_padded(overrides):
    is_real = BATCH["target_ids"][..., None] != 0
    loss = LabelSmoothedCrossEntropy()
    padded = build(**{**overrides, "dropout": 0.0})
    unpadded = Transformer.from_config(padded.get_config())
    unpadded.set_weights(padded.get_weights())
    unpadded.unpadding = True
    found = []
    for model in (padded, unpadded):
        with tf.GradientTape() as tape:
            logits = model(BATCH)
            total = loss(LABELS, logits)
        gradients = tape.gradient(total, [variable.value for variable in model.trainable_variables])
        found.append((logits, [tf.convert_to_tensor(gradient) for gradient in gradients]))
    (logits, gradients), (unpadded_logits, unpadded_gradients) = found
    np.testing.assert_allclose(unpadded_logits, np.where(is_real, logits, 0.0), atol=1e-5)
    for gradient, wanted in zip(unpadded_gradients, gradients):
        np.testing.assert_allclose(gradient, wanted, atol=1e-5)


def test_unpadding_is_for_the_moment_and_in_no_file(tmp_path):
    model = build()
    padded = model(BATCH)
    model.unpadding = True
    model.compile(keras.optimizers.Adam(1e-2), LabelSmoothedCrossEntropy(), jit_compile=False)
    losses = model.fit(BATCH, LABELS, epochs=30, batch_size=2, verbose=0).history["loss"]
    assert losses[-1] < 0.7 * losses[0]
    model.save(tmp_path / "unpadded.keras")
    reloaded = keras.models.load_model(tmp_path / "unpadded.keras")
    assert not reloaded.unpadding
    is_real = BATCH["target_ids"][..., None] != 0
    np.testing.assert_allclose(model(BATCH), np.where(is_real, reloaded(BATCH), 0.0), atol=1e-5)
    model.unpadding = False
    np.testing.assert_allclose(model(BATCH), reloaded(BATCH), atol=1e-6)
    assert np.abs(model(BATCH) - padded).max() > 0.1  # it learned


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


@pytest.mark.parametrize("norm_first", [False, True])
def test_steps_equal_the_whole(norm_first):
    model = build(norm_first=norm_first)
    whole = model(BATCH)
    memory = model.encode(ops.convert_to_tensor(BATCH["source_ids"]))
    for cache in (model.make_cache(memory, 4), model.make_growing_cache(memory)):
        for t in range(4):
            logits, cache = model.decode_step(BATCH["target_ids"][:1, t : t + 1].repeat(2, 0), cache, t)
            np.testing.assert_allclose(logits[0, 0], whole[0, t], atol=1e-5)


def test_a_fixed_cache_needs_no_operation_of_xla():
    """Which a server refuses, by default."""
    model = build()

    @tf.function
    def step(source_ids):
        cache = model.make_cache(model.encode(source_ids), 4)
        of_two = model.decode_step(source_ids[:, :2], cache, tf.constant(1))[0]
        beam = cache.expand_to_beam(3)
        return of_two, model.decode_step(tf.repeat(source_ids[:, :1], 3, axis=0), beam, tf.constant(1))[0]

    graph = step.get_concrete_function(tf.constant(BATCH["source_ids"])).graph
    assert operations.of_xla(operations.of_graph(graph.as_graph_def())) == []


def test_a_step_beyond_a_fixed_cache_is_refused():
    model = build()
    cache = model.make_cache(model.encode(ops.convert_to_tensor(BATCH["source_ids"])), 4)
    with pytest.raises(ValueError, match="1 new positions within a cache of 4. Received: cache_index=4"):
        model.decode_step(BATCH["target_ids"][:, :1], cache, 4)


def test_hypotheses_begin_together():
    model = build()
    cache = model.make_growing_cache(model.encode(ops.convert_to_tensor(BATCH["source_ids"])))
    _, cache = model.decode_step(BATCH["target_ids"][:, :1], cache, 0)
    with pytest.raises(ValueError, match="Received: one of 1 positions"):
        cache.expand_to_beam(3)


@pytest.mark.parametrize("static_shapes", [True, False])
def test_hypotheses_share_a_cache(static_shapes):
    """Three of each sentence, which at each step go on from others, against the whole decoder on what they became."""
    model, random = build(), np.random.default_rng(0)
    cache = model.start_decoding(ops.convert_to_tensor(BATCH["source_ids"]), 3, static_shapes).expand_to_beam(3)
    ids = np.full((2, 3, 1), 2)
    for t in range(3):
        logits, cache = model.decode_step(ids[:, :, -1:].reshape(6, 1), cache, t)
        whole = model({"source_ids": BATCH["source_ids"].repeat(3, 0), "target_ids": ids.reshape(6, t + 1)})[:, -1]
        np.testing.assert_allclose(np.reshape(logits, (6, V)), whole, atol=1e-5)
        parents = random.integers(3, size=(2, 3))
        cache = cache.reorder(parents)
        new = random.integers(4, V, size=(2, 3, 1))
        ids = np.concatenate([np.take_along_axis(ids, parents[:, :, None], axis=1), new], axis=2)


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


def fit(model, epochs=40, **compile_arguments):
    model.compile(keras.optimizers.Adam(3e-3), LabelSmoothedCrossEntropy(0.0), **compile_arguments)
    data = tf.data.Dataset.from_tensors((BATCH, LABELS)).repeat(5)
    return model.fit(data, epochs=epochs, verbose=0).history["loss"]


@pytest.mark.parametrize("dtype, jit_compile", [("float32", True), ("mixed_bfloat16", False), ("mixed_float16", False)])
def test_fit_learns(dtype, jit_compile):
    losses = fit(build(dtype=dtype, dropout=0.0), epochs=20, jit_compile=jit_compile)
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.1 * losses[0]


def test_lora_trains_little_and_is_merged(tmp_path):
    model = build(dropout=0.0)
    before = model(BATCH)
    model.enable_lora(2)
    np.testing.assert_allclose(model(BATCH), before, atol=1e-6)
    assert all("lora" in variable.name for variable in model.trainable_variables)
    frozen = model.encoder_blocks[0].feed_forward.intermediate_dense.bias.numpy()
    losses = fit(model, epochs=10, jit_compile=False)
    assert losses[-1] < 0.9 * losses[0]
    np.testing.assert_array_equal(model.encoder_blocks[0].feed_forward.intermediate_dense.bias, frozen)
    tuned = model(BATCH)
    assert np.abs(tuned - before).max() > 1e-2
    model.save(tmp_path / "merged.keras")
    np.testing.assert_allclose(keras.models.load_model(tmp_path / "merged.keras")(BATCH), tuned, atol=1e-4)


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_int8_is_near_and_reloads_twice(dtype, tmp_path):
    model = build(dtype=dtype, num_layers=1)
    before = np.asarray(ops.cast(model(BATCH), "float32"))
    model.quantize("int8")
    assert model.encoder_blocks[0].self_attention.query_key_value.kernel.dtype == "int8"
    after = np.asarray(ops.cast(model(BATCH), "float32"))
    assert 0 < np.abs(after - before).max() < 0.15 * np.abs(before).max()
    for _ in range(2):
        model.save(tmp_path / "int8.keras")
        model = keras.models.load_model(tmp_path / "int8.keras")
        np.testing.assert_array_equal(ops.cast(model(BATCH), "float32"), after)


def test_cross_attention_scores():
    model = build()
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
