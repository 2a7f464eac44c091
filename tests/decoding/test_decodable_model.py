import numpy as np
from keras import ops

from keras_transformer.decoding import BeamableCache, BeamSearch
from keras_transformer.ops import DecoderCache
from tests.decoding.models import BEGIN, END, HashModel, as_lists


class OwnCache(dict):
    """A cache that repeats and reorders itself, and counts how often."""

    reorders = 0

    def expand_to_beam(self, beam_size):
        return OwnCache(state=ops.repeat(self["state"], beam_size, axis=0), source=self["source"], size=beam_size)

    def reorder(self, parents):
        OwnCache.reorders += 1
        rows = ops.reshape(ops.arange(parents.shape[0], dtype="int32")[:, None] * self["size"] + parents, (-1,))
        return OwnCache(self, state=ops.take(self["state"], rows, axis=0))


class OwnHashModel(HashModel):
    def start_decoding(self, source_ids, max_length, static_shapes):
        cache = super().start_decoding(source_ids, max_length, static_shapes)
        return OwnCache(state=cache["state"], source=cache["source"][0])

    def decode_step(self, token_ids, cache, index):
        source = ops.repeat(cache["source"], cache.get("size", 1), axis=0)
        logits, new = super().decode_step(token_ids, {"state": cache["state"], "source": [source]}, index)
        return logits, OwnCache(cache, state=new["state"])


def test_a_cache_of_its_own_gives_what_a_structure_of_tensors_gives(monkeypatch):
    """Run eagerly, where a loop carries any object."""

    def while_loop(cond, body, loop_vars):
        while cond(*loop_vars):
            loop_vars = body(*loop_vars)
        return loop_vars

    monkeypatch.setattr(ops, "while_loop", while_loop)
    source, limits = np.array([[4, 5, 3], [8, 9, 3]]), [5, 4]
    wanted, found = (BeamSearch(3, 0.6)(model(17), source, limits, BEGIN, END) for model in (HashModel, OwnHashModel))
    assert OwnCache.reorders > 1
    for row in range(2):
        assert [tokens for _, tokens in as_lists(found, row)] == [tokens for _, tokens in as_lists(wanted, row)]


def test_which_caches_are_beamable():
    assert issubclass(DecoderCache, BeamableCache) and not isinstance({"state": 1}, BeamableCache)
