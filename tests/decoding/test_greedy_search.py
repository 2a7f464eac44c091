import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.decoding import GreedySearch
from keras_transformer.models import Transformer
from tests import reference
from tests.decoding import models
from tests.decoding.models import END, FixedModel, ScriptModel

V = 13
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 11, 12, 3, 0]])


@pytest.fixture(scope="module")
def model():
    one = Transformer(V, 1, 12, 19, 3)
    reference.randomize(one, seed=4)
    return one


@pytest.fixture(scope="module")
def logits_of(model):
    """The whole decoder, without a cache."""
    ids = tf.TensorSpec([1, None], tf.int32)
    function = lambda source, target: model({"source_ids": source, "target_ids": target})  # noqa: E731
    return tf.function(function, input_signature=[ids, ids])


@pytest.mark.parametrize("min_length, prefix", [(0, ()), (6, ()), (0, (5, 9))])
def test_cached_batch_equals_uncached_single_sentences(model, logits_of, min_length, prefix):
    limits = np.array([9, 4, 12])
    prefix_ids = np.tile(np.array(prefix, "int32"), (3, 1))
    ids, scores = GreedySearch(min_length)(model, SOURCE, limits, 2, END, prefix_ids=prefix_ids)
    assert ids.shape == (3, 1, 12) and ids.dtype == "int32"
    for row, score, source, limit in zip(np.asarray(ids)[:, 0], np.asarray(scores)[:, 0], SOURCE, limits):
        log_probs = models.transformer_log_probs(logits_of, source)
        ((wanted_score, wanted),) = models.beam_search(log_probs, limit, 1, lambda length: 1, min_length, prefix)
        assert row.tolist() == [*wanted, *[0] * (12 - len(wanted))]
        np.testing.assert_allclose(score, wanted_score, atol=1e-4)


def test_graph_and_xla_give_the_same(model):
    search, limits = GreedySearch(), np.full(3, 8)
    eager = search(model, SOURCE, limits, begin_id=2, end_id=END)
    signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)]
    dynamic = tf.function(lambda source, limits: search(model, source, limits, 2, END), input_signature=signature)
    compiled = tf.function(lambda source: search(model, source, limits, 2, END, max_length=8), jit_compile=True)
    for found in (dynamic(SOURCE, limits), compiled(tf.constant(SOURCE))):
        np.testing.assert_array_equal(found.ids, eager.ids)
        np.testing.assert_allclose(found.scores, eager.scores, atol=1e-4)


def test_stops_when_every_sentence_ended():
    model = ScriptModel([5, 3, 9, 9, 9], [6, 7, 8, 3, 9])
    ids = GreedySearch()(model, SOURCE[:2], [5, 5], begin_id=2, end_id=END).ids
    np.testing.assert_array_equal(ids[:, 0], [[5, 3, 0, 0, 0], [6, 7, 8, 3, 0]])
    assert model.steps == [[2, 2], [5, 6], [3, 7], [0, 8]]  # four steps of five


def test_scores_by_hand_or_not_at_all():
    model = FixedModel(np.log([1 / 16, 1 / 16, 1 / 16, 1 / 4, 1 / 2, 1 / 16]).astype("float32"))
    found = GreedySearch()(model, SOURCE[:2], [3, 1], 2, END)
    np.testing.assert_allclose(found.scores, np.log([[1 / 8], [1 / 2]]), rtol=1e-5)
    without = GreedySearch()(model, SOURCE[:2], [3, 1], 2, END, return_scores=False)
    np.testing.assert_array_equal(without.ids, found.ids)
    np.testing.assert_array_equal(without.scores, [[0.0], [0.0]])


def test_padding_and_begin_are_never_chosen():
    ids = GreedySearch()(ScriptModel([0, 2, 4]), SOURCE[:1], [3], 2, END).ids
    assert not {0, 2} & set(np.asarray(ids).ravel().tolist())


def test_a_prefix_may_have_the_padding_id_inside():
    prefixes = np.array([[5, 0, 6, 0], [0, 0, 7, 0], [0, 0, 0, 0]])
    ids = GreedySearch()(ScriptModel([8] * 4, [8] * 4, [8] * 4), SOURCE, [4, 4, 4], 2, END, prefix_ids=prefixes).ids
    np.testing.assert_array_equal(ids[:, 0], [[5, 0, 6, 8], [0, 0, 7, 8], [8, 8, 8, 8]])


def test_a_limit_of_zero_and_an_empty_batch(model):
    ids, scores = GreedySearch()(model, SOURCE, [0, 3, 0], begin_id=2, end_id=END)
    assert (np.asarray(ids)[[0, 2]] == 0).all() and ids[1, 0, 0] != 0
    assert (np.asarray(scores)[[0, 2]] == 0).all()
    nothing = GreedySearch()(model, SOURCE[:0], np.zeros(0, int), 2, END)
    assert nothing.ids.shape[0] == nothing.scores.shape[0] == 0


def test_bad_settings():
    with pytest.raises(ValueError, match="an integer of at least 0. Received: min_length=-1"):
        GreedySearch(min_length=-1)
