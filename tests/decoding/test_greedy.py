import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_transformer.decoding import greedy_decode
from keras_transformer.models import Transformer
from tests import reference

V = 13
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 11, 12, 3, 0]])


@pytest.fixture(params=[False, True], ids=["post-norm", "pre-norm"])
def model(request):
    one = Transformer(V, 2, 12, 19, 3, norm_first=request.param)
    reference.randomize(one, seed=4)
    return one


def decode_without_cache(model, source, limit):
    """One sentence, the whole decoder anew for each token."""
    ids = [2]
    while len(ids) <= limit:
        logits = np.array(model({"source_ids": source[None], "target_ids": np.array([ids])}))[0, -1]
        logits[[0, 2]] = -np.inf
        ids.append(int(logits.argmax()))
        if ids[-1] == 3:
            break
    return ids[1:]


def test_cached_batch_equals_uncached_single_sentences(model):
    limits = np.array([9, 4, 12])
    ids = greedy_decode(model, ops.convert_to_tensor(SOURCE), limits, begin_id=2, end_id=3)
    assert ids.shape == (3, 12)
    for row, source, limit in zip(np.asarray(ids), SOURCE, limits):
        wanted = decode_without_cache(model, source[source != 0], limit)
        assert row.tolist() == wanted + [0] * (12 - len(wanted))


def test_graph_and_xla_give_the_same(model):
    eager = greedy_decode(model, ops.convert_to_tensor(SOURCE), np.full(3, 8), begin_id=2, end_id=3)
    signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    dynamic = tf.function(lambda source, limits: greedy_decode(model, source, limits, 2, 3), input_signature=signature)
    np.testing.assert_array_equal(dynamic(SOURCE, np.full(3, 8)), eager)
    compiled = tf.function(
        lambda source: greedy_decode(model, source, np.full(3, 8), 2, 3, max_length=8), jit_compile=True
    )
    np.testing.assert_array_equal(compiled(tf.constant(SOURCE)), eager)


class Script:
    """Stands for a model that says, for each sentence, the ids written down for it."""

    def __init__(self, *sentences):
        self.sentences = np.array(sentences)
        self.steps = []

    def encode(self, source_ids):
        return source_ids

    def make_cache(self, memory, max_length):
        return {"steps": ops.zeros((len(self.sentences),), dtype="int32")}

    def decode_step(self, target_ids, cache, index):
        self.steps.append(np.asarray(target_ids)[:, 0].tolist())
        logits = np.eye(V)[self.sentences[:, int(index)]][:, None]
        return ops.convert_to_tensor(logits), {"steps": cache["steps"] + 1}


def test_stops_when_every_sentence_ended():
    model = Script([5, 3, 9, 9, 9], [6, 7, 8, 3, 9])
    ids = greedy_decode(model, ops.convert_to_tensor(SOURCE[:2]), [5, 5], begin_id=2, end_id=3)
    np.testing.assert_array_equal(ids, [[5, 3, 0, 0, 0], [6, 7, 8, 3, 0]])
    assert model.steps == [[2, 2], [5, 6], [3, 7], [0, 8]]  # four steps of five


def test_padding_and_begin_are_never_chosen():
    ids = greedy_decode(Script([0, 2, 4]), ops.convert_to_tensor(SOURCE[:1]), [3], 2, 3)
    assert not {0, 2} & set(np.asarray(ids)[0].tolist())


def test_a_limit_of_zero_and_an_empty_batch(model):
    ids = greedy_decode(model, ops.convert_to_tensor(SOURCE), [0, 3, 0], begin_id=2, end_id=3)
    assert (np.asarray(ids)[[0, 2]] == 0).all() and ids[1, 0] != 0
    nothing = greedy_decode(model, ops.convert_to_tensor(SOURCE[:0]), np.zeros(0, int), 2, 3)
    assert nothing.shape[0] == 0
