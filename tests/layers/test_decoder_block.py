import keras
import numpy as np
import pytest

from keras_transformer.layers import DecoderBlock, Repad, Unpad
from keras_transformer.ops import FixedKeyValueCache
from tests import reference

B, T, S, D, E, F, H = 2, 5, 7, 6, 4, 11, 3
_random = np.random.default_rng(6)
X = _random.normal(size=(B, T, D)).astype("float32")
MEMORY = _random.normal(size=(B, S, E)).astype("float32")
MEMORY_MASK = np.arange(S) < np.array([[4], [7]])


@pytest.fixture(params=[False, True], ids=["post-norm", "pre-norm"])
def block(request):
    layer = DecoderBlock(H, F, norm_first=request.param)
    layer(X, MEMORY)
    reference.randomize(layer)
    return layer


def test_equals_numpy(block):
    outputs = block(X, MEMORY, encoder_padding_mask=MEMORY_MASK)
    self_weights = reference.attention_weights_by_name(block.self_attention)
    cross_weights = reference.attention_weights_by_name(block.cross_attention)
    kernel_1, bias_1, kernel_2, bias_2 = block.feed_forward.get_weights()
    causal = np.tril(np.ones((T, T), bool))
    for b in range(B):
        memory, seen = MEMORY[b].astype("float64"), np.tile(MEMORY_MASK[b], (T, 1))
        sublayers = (
            (
                block.self_attention_add_norm,
                lambda y: reference.multi_head_attention(y, y, self_weights, causal),
            ),
            (
                block.cross_attention_add_norm,
                lambda y, memory=memory, seen=seen: reference.multi_head_attention(y, memory, cross_weights, seen),
            ),
            (block.feed_forward_add_norm, lambda y: np.maximum(y @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2),
        )
        x = X[b].astype("float64")
        for add_norm, sublayer in sublayers:
            weights = add_norm.norm.get_weights()
            if block.norm_first:
                x = x + sublayer(reference.layer_norm(x, *weights))
            else:
                x = reference.layer_norm(x + sublayer(x), *weights)
        np.testing.assert_allclose(outputs[b], x, atol=2e-5)


def test_cached_equals_uncached(block):
    whole = block(X, MEMORY, encoder_padding_mask=MEMORY_MASK)
    cache = block.make_cache(keras.ops.convert_to_tensor(MEMORY), T)
    for t in range(T):
        outputs, cache = block(X[:, t : t + 1], encoder_padding_mask=MEMORY_MASK, cache=cache, cache_index=t)
        np.testing.assert_allclose(outputs[:, 0], whole[:, t], atol=2e-5)


def test_cross_keys_are_computed_once(block):
    cache = block.make_cache(keras.ops.convert_to_tensor(MEMORY), T)
    # With other weights now, a second computation would give other keys.
    block.cross_attention.key_value.kernel.assign(np.zeros((E, 2 * D)))
    _, after = block(X[:, :1], cache=cache, cache_index=0)
    assert after.cross_attention.key is cache.cross_attention.key


def test_returns_both_scores(block):
    outputs, self_scores, cross_scores = block(
        X, MEMORY, encoder_padding_mask=MEMORY_MASK, return_attention_scores=True
    )
    assert outputs.shape == X.shape
    assert self_scores.shape == (B, H, T, T) and cross_scores.shape == (B, H, T, S)
    assert (np.triu(np.asarray(self_scores), 1) == 0).all()
    assert (np.asarray(cross_scores)[0, ..., 4:] == 0).all()
    cache = block.make_cache(keras.ops.convert_to_tensor(MEMORY), T)
    _, _, step_scores, _ = block(X[:, :1], cache=cache, cache_index=0, return_attention_scores=True)
    assert step_scores.shape == (B, H, 1, T)


def test_explicit_attention_mask_is_combined_with_the_causal_one(block):
    only_self = np.eye(T, dtype=bool)
    _, scores, _ = block(X, MEMORY, attention_mask=only_self, return_attention_scores=True)
    np.testing.assert_allclose(scores, np.tile(np.eye(T), (B, H, 1, 1)))


def test_functional_model_with_embeddings_reads_both_implicit_masks(tmp_path):
    source, target = (keras.Input((None,), dtype="int32", name=n) for n in ("source", "target"))
    embed = keras.layers.Embedding(11, D, mask_zero=True)
    _, self_scores, cross_scores = DecoderBlock(H, F)(embed(target), embed(source), return_attention_scores=True)
    model = keras.Model([source, target], [self_scores, cross_scores])
    ids = [np.array([[4, 5, 0, 0]]), np.array([[6, 7, 8, 0]])]
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        of_self, of_cross = one(ids)
        assert (np.asarray(of_self)[..., 3] == 0).all()
        np.testing.assert_allclose(np.sum(np.asarray(of_cross)[..., :2], -1), 1.0, atol=1e-6)


def test_cached_calls_need_no_mask_of_what_the_cache_knows(block):
    whole = block(X, MEMORY, encoder_padding_mask=MEMORY_MASK)
    spoiled = np.where(MEMORY_MASK[..., None], MEMORY, np.float32("nan"))
    cache = block.make_cache(spoiled, T, encoder_padding_mask=MEMORY_MASK)
    for t in range(2):
        outputs, cache = block(X[:, t : t + 1], cache=cache, cache_index=t)
        np.testing.assert_allclose(outputs[:, 0], whole[:, t], atol=2e-5)


def test_encoder_outputs_that_are_missing_or_of_another_batch(block):
    with pytest.raises(ValueError, match="Expected encoder_outputs or cache. Received: encoder_outputs=None"):
        block(X)
    with pytest.raises(ValueError, match="DecoderBlock expected equal batch .* inputs: 2, encoder_outputs: 1"):
        block(X, MEMORY[:1])


def test_bad_memory_mask(block):
    with pytest.raises(ValueError, match=r"encoder_padding_mask of shape \(2, 7\)"):
        block(X, MEMORY, encoder_padding_mask=MEMORY_MASK[:, 1:])


@pytest.mark.parametrize("memory_is_packed", [False, True])
def test_packed_equals_padded(block, memory_is_packed):
    mask = np.arange(T) < np.array([[5], [2]])
    padded, *scores = block(
        X, MEMORY, padding_mask=mask, encoder_padding_mask=MEMORY_MASK, return_attention_scores=True
    )
    x, layout = Unpad()(X, padding_mask=mask)
    if memory_is_packed:
        memory, encoder_layout = Unpad()(MEMORY, padding_mask=MEMORY_MASK)
        side = {"encoder_outputs": memory, "encoder_layout": encoder_layout}
    else:
        side = {"encoder_outputs": MEMORY, "encoder_padding_mask": MEMORY_MASK}
    unpadded, *unpadded_scores = block(x, layout=layout, return_attention_scores=True, **side)
    assert unpadded.shape == (7, D)
    np.testing.assert_allclose(Repad()(unpadded, layout), np.where(mask[..., None], padded, 0.0), atol=1e-5)
    queries = np.broadcast_to(mask[:, None, :, None], (B, H, T, 1))[..., 0]
    for found, wanted in zip(unpadded_scores, scores):
        np.testing.assert_allclose(np.asarray(found)[queries], np.asarray(wanted)[queries], atol=1e-5)


def test_a_cache_is_of_padded_inputs(block):
    x, layout = Unpad()(X)
    with pytest.raises(ValueError, match="Expected padded inputs with a cache"):
        block(x, layout=layout, cache=block.make_cache(MEMORY, 5), cache_index=0)


def test_a_growing_cache_gives_what_a_fixed_one_gives(block):
    """One position, two at once, one, of unpadded and of padded encoder outputs."""
    memory, mask = keras.ops.convert_to_tensor(MEMORY), keras.ops.convert_to_tensor(MEMORY_MASK)
    fixed = block.make_cache(memory, T)
    tokens, layout = Unpad()(memory, padding_mask=mask)
    caches = [block.make_cache(memory), block.make_cache(tokens, encoder_layout=layout)]
    for start, stop in ((0, 1), (1, 3), (3, 4)):
        options = {"encoder_padding_mask": MEMORY_MASK}
        wanted, fixed = block(X[:, start:stop], cache=fixed, cache_index=start, **options)
        for i, cache in enumerate(caches):
            found, caches[i] = block(X[:, start:stop], cache=cache, **options)
            np.testing.assert_allclose(found, wanted, atol=1e-5)
            assert caches[i].self_attention.key.shape == (B, H, stop, D // H)


def test_hypotheses_in_one_cache_are_those_of_caches_of_their_own(block):
    """K = 3 for each of two sources, which at the second step go on from others, against a cache that repeats all."""
    memory = keras.ops.convert_to_tensor(MEMORY)
    first, second = np.random.default_rng(1).normal(size=(2, 3 * B, 1, D)).astype("float32")
    parents = np.array([[2, 0, 0], [1, 1, 2]])
    rows = (np.arange(B)[:, None] * 3 + parents).ravel()
    mask = {"encoder_padding_mask": np.repeat(MEMORY_MASK, 3, axis=0)}
    repeated = keras.tree.map_structure(lambda part: keras.ops.repeat(part, 3, axis=0), block.make_cache(memory, T))
    first_wanted, repeated = block(first, cache=repeated, cache_index=0, **mask)
    repeated = keras.tree.map_structure(lambda part: keras.ops.take(part, rows, axis=0), repeated)
    second_wanted, _ = block(second, cache=repeated, cache_index=1, **mask)

    ancestors = np.tile(np.eye(3, dtype=bool), (B, 1, 1))
    own = ancestors.copy()
    inherited = np.take_along_axis(ancestors, parents[:, :, None], axis=1)
    seen = [own, np.concatenate([inherited, own], axis=2)]
    for make in (lambda: block.make_cache(memory), lambda: block.make_cache(memory, 3 * 2)):
        cache = make()
        for step, (x, wanted) in enumerate(((first, first_wanted), (second, second_wanted))):
            visible = seen[step]
            if isinstance(cache.self_attention, FixedKeyValueCache):
                visible = np.pad(visible, [(0, 0), (0, 0), (0, 6 - visible.shape[2])])
            found, cache = block(
                x.reshape(B, 3, D),
                cache=cache,
                cache_index=3 * step,
                attention_mask=visible,
                encoder_padding_mask=MEMORY_MASK,
            )
            np.testing.assert_allclose(found, np.reshape(wanted, (B, 3, D)), atol=1e-5)


@pytest.mark.parametrize("max_length", [3, None])
def test_a_step_in_a_functional_model_reloads(max_length, tmp_path):
    block = DecoderBlock(H, 13, dropout=0.0)
    block(np.zeros((1, 1, D), "float32"), np.zeros((1, S, E), "float32"))
    first = keras.Input((1, D), name="first")
    cache = block.make_cache(keras.ops.convert_to_tensor(MEMORY), max_length)
    flat = keras.tree.flatten(cache)
    inputs = [keras.Input(part.shape[1:], dtype=str(part.dtype.name), name=f"part{i}") for i, part in enumerate(flat)]
    options = {} if max_length is None else {"cache_index": 0}
    outputs, _ = block(first, cache=keras.tree.pack_sequence_as(cache, inputs), **options)
    model = keras.Model([first, *inputs], outputs)
    model.save(tmp_path / "step.keras")
    reloaded = keras.models.load_model(tmp_path / "step.keras")
    given = [keras.ops.convert_to_tensor(X[:, :1]), *flat]
    np.testing.assert_allclose(reloaded(given), model(given), atol=1e-6)
