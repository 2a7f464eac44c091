"""A transformer's decoder step by step, with its caches."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from tests import operations
from tests.models.small_transformer import BATCH, V, build


@pytest.mark.parametrize("norm_first", [False, True])
def test_steps_equal_the_whole(norm_first):
    model = build(num_layers=2, norm_first=norm_first)
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
    model, random = build(num_layers=2), np.random.default_rng(0)
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
