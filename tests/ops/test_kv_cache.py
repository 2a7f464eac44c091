import numpy as np
import pytest
from keras import ops

from keras_transformer.ops.kv_cache import FixedKeyValueCache, GrowingKeyValueCache, empty_cache

B, H, D = 2, 3, 5


def new(length, value):
    return ops.full((B, H, length, D), value)


def test_a_fixed_cache_is_written_from_an_index_on():
    cache, seen = empty_cache(B, H, D, "float32", 4).append(new(2, 7.0), new(2, 8.0), 1)
    assert isinstance(cache, FixedKeyValueCache)
    np.testing.assert_array_equal(cache.key[0, 0, :, 0], [0, 7, 7, 0])
    np.testing.assert_array_equal(cache.value[1, 2, :, 4], [0, 8, 8, 0])
    np.testing.assert_array_equal(seen[0, 0], [[1, 1, 0, 0], [1, 1, 1, 0]])


def test_a_growing_cache_is_written_behind_its_end():
    cache, seen = empty_cache(B, H, D, "float32").append(new(1, 1.0), new(1, 2.0))
    assert isinstance(cache, GrowingKeyValueCache) and seen is None
    cache, seen = cache.append(new(2, 3.0), new(2, 4.0))
    np.testing.assert_array_equal(cache.key[0, 0, :, 0], [1, 3, 3])
    np.testing.assert_array_equal(seen[0, 0], [[1, 1, 0], [1, 1, 1]])


@pytest.mark.parametrize("max_length, length", [(4, 4), (None, 2)])
def test_lengths_and_the_mask_of_what_is_new(max_length, length):
    cache = empty_cache(B, H, D, "float32", max_length)
    assert cache.length_with(new(2, 0.0)) == length
    assert cache.mask_of_new(None, new(2, 0.0), 0) is None
    mask = np.arange(length)[None, None, None] % 2 == 0
    found = cache.mask_of_new(ops.convert_to_tensor(mask), new(2, 0.0), 0)
    np.testing.assert_array_equal(found[0, 0, 0], [True, False])


@pytest.mark.parametrize("index", [3, -1])
def test_positions_beyond_a_fixed_cache(index):
    with pytest.raises(ValueError, match=f"2 new positions within a cache of 4. Received: cache_index={index}"):
        empty_cache(B, H, D, "float32", 4).append(new(2, 0.0), new(2, 0.0), index)


def test_a_fixed_cache_needs_an_index():
    with pytest.raises(ValueError, match="Expected cache_index with a cache of a fixed length"):
        empty_cache(B, H, D, "float32", 4).append(new(1, 0.0), new(1, 0.0), None)


def test_a_beam_shares_one_cache():
    fixed, growing = empty_cache(B, H, D, "float32", 2), empty_cache(B, H, D, "float32")
    assert fixed.expand_to_beam(3).key.shape == (B, H, 6, D)
    assert growing.expand_to_beam(3) is growing
    with pytest.raises(ValueError, match="Received: one of 1 positions"):
        growing.append(new(1, 0.0), new(1, 0.0))[0].expand_to_beam(3)


def test_each_hypothesis_gets_a_place_of_its_own():
    inherited = np.array([[[True, False], [True, False]]])
    wanted = [[[True, False, True, False], [True, False, False, True]]]
    growing = empty_cache(1, H, D, "float32").with_own_places(ops.convert_to_tensor(inherited))
    np.testing.assert_array_equal(growing, wanted)
    room = np.pad(inherited, [(0, 0), (0, 0), (0, 2)])
    fixed = empty_cache(1, H, D, "float32", 4).with_own_places(ops.convert_to_tensor(room), 2)
    np.testing.assert_array_equal(fixed, wanted)
