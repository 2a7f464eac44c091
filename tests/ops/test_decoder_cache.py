import numpy as np
import pytest
from keras import ops

from keras_transformer.ops.decoder_cache import BeamCache, DecoderCache
from keras_transformer.ops.kv_cache import empty_cache

B, S = 2, 5


def decoder_cache(max_length=None):
    context = ops.zeros((B, 1, S, 3))
    return DecoderCache((empty_cache(B, 1, 3, "float32", max_length),), ((context, context),), ops.ones((B, S), "bool"))


def test_a_step_of_one_hypothesis():
    ids = ops.convert_to_tensor([[4, 5], [6, 7]])
    step = decoder_cache().step(ids, 3)
    np.testing.assert_array_equal(step.token_ids, ids)
    np.testing.assert_array_equal(step.positions, [3, 4])
    assert step.index == 3 and step.attention_mask is None


@pytest.mark.parametrize("max_length", [2, None])
def test_a_step_of_a_beam(max_length):
    """Two hypotheses of each sentence at the second step, both of which go on from the first."""
    beam = decoder_cache(max_length).expand_to_beam(2)
    assert isinstance(beam, BeamCache)
    first = beam.step(ops.convert_to_tensor([[4], [5], [6], [7]]), 0)
    np.testing.assert_array_equal(first.token_ids, [[4, 5], [6, 7]])
    beam = beam.after(first, beam.blocks).reorder(ops.zeros((B, 2), "int32"))
    second = beam.step(ops.convert_to_tensor([[8], [9], [10], [11]]), 1)
    np.testing.assert_array_equal(second.positions, [1, 1])
    assert second.index == 2
    np.testing.assert_array_equal(second.attention_mask[0], [[1, 0, 1, 0], [1, 0, 0, 1]])


def test_what_blocks_wrote_is_kept_and_contexts_stay():
    cache = decoder_cache()
    written = (empty_cache(B, 1, 3, "float32", 7),)
    after = cache.after(cache.step(ops.zeros((B, 1), "int32"), 0), list(written))
    assert after.blocks == written and after.contexts is cache.contexts and after.context_mask is cache.context_mask


def test_a_beam_of_one_becomes_one_of_more():
    assert decoder_cache(3).expand_to_beam(1).expand_to_beam(4).ancestors.shape == (B, 4, 12)


def test_a_beam_of_more_is_not_expanded_again():
    with pytest.raises(ValueError, match="Expected a beam of 1 to expand. Received: one of 2"):
        decoder_cache(3).expand_to_beam(2).expand_to_beam(4)
