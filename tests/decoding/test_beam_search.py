import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.decoding import BeamSearch, GreedySearch
from keras_transformer.models import Transformer
from tests import reference
from tests.decoding import models
from tests.decoding.models import END, FixedModel, HashModel, as_lists

V = 13
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 11, 12, 3, 0], [7, 3, 0, 0, 0]])
LIMITS = np.array([9, 4, 12, 1])
PENALTIES = {"gnmt": models.gnmt, "power": models.power}


def assert_same(found, wanted, atol=1e-4):
    assert [tokens for _, tokens in found] == [tokens for _, tokens in wanted]
    np.testing.assert_allclose([score for score, _ in found], [score for score, _ in wanted], atol=atol)


@pytest.mark.parametrize("normalization, alpha", [("gnmt", 0.0), ("gnmt", 0.6), ("power", 1.0), ("power", 2.5)])
@pytest.mark.parametrize("beam_size, num_best, min_length", [(1, 1, 0), (2, 1, 3), (5, 4, 2)])
def test_equals_a_search_that_never_stops_early(normalization, alpha, beam_size, num_best, min_length):
    search = BeamSearch(beam_size, alpha, normalization, min_length, num_best)
    for seed, end_bonus in ((0, 0.0), (1, 2.0), (2, 4.0)):
        model = HashModel(V, seed, end_bonus=end_bonus)
        found = search(model, SOURCE, LIMITS, 2, END)
        assert found.ids.shape == (4, num_best, 12) and found.scores.shape == (4, num_best)
        for row in range(4):
            wanted = models.beam_search(
                lambda tokens: model.log_probs(SOURCE[row], tokens),  # noqa: B023
                LIMITS[row], beam_size, PENALTIES[normalization](alpha), min_length,
            )  # fmt: skip
            assert_same(as_lists(found, row), wanted[:num_best])


@pytest.mark.parametrize("beam_size, num_best, alpha", [(1, 1, 1.0), (2, 1, 0.0), (4, 4, 1.0), (4, 4, 2.5)])
def test_the_rules_of_transformers(beam_size, num_best, alpha):
    search = BeamSearch(beam_size, alpha, "power", num_best=num_best, rules="hugging_face")
    differs = 0
    for seed, end_bonus in ((0, 0.0), (1, 2.0), (2, 4.0)):
        model = HashModel(V, seed, end_bonus=end_bonus)
        found = search(model, SOURCE, LIMITS, 2, END)
        exact = BeamSearch(beam_size, alpha, "power", num_best=num_best)(model, SOURCE, LIMITS, 2, END)
        for row in range(4):
            log_probs = lambda tokens: model.log_probs(SOURCE[row], tokens)  # noqa: B023, E731
            wanted = models.transformers_beam_search(log_probs, LIMITS[row], beam_size, models.power(alpha))
            assert_same(as_lists(found, row), wanted[:num_best])
            differs += as_lists(found, row) != as_lists(exact, row)
    assert differs or beam_size < 4


@pytest.mark.parametrize("normalization, alpha", [("gnmt", 0.6), ("power", 1.0)])
def test_prefixes_of_several_lengths(normalization, alpha):
    model = HashModel(V, 3, end_bonus=2.0)
    prefixes = [(5, 6, 7), (), (END,), (4, 4)]  # the last is longer than its limit of 1
    padded = np.array([[5, 6, 7, 0], [0] * 4, [3, 0, 0, 0], [4, 4, 0, 0]])
    found = BeamSearch(3, alpha, normalization, min_length=2)(model, SOURCE, LIMITS, 2, END, prefix_ids=padded)
    for row, prefix in enumerate(prefixes):
        wanted = models.beam_search(
            lambda tokens: model.log_probs(SOURCE[row], tokens),  # noqa: B023
            LIMITS[row], 3, PENALTIES[normalization](alpha), 2, prefix,
        )  # fmt: skip
        assert_same(as_lists(found, row), wanted[:3])
        assert as_lists(found, row)[0][1][: len(prefix)] == prefix[: LIMITS[row]]


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_wide_beam_is_exhaustive(alpha):
    """Tokens 1, 3 and 4 in up to four places: 2 + 4 + 8 + 3 * 8 hypotheses less."""
    model = HashModel(5, 6)
    found = BeamSearch(81, alpha, "power")(model, SOURCE[:2], [4, 3], 2, END)
    for row, limit in enumerate((4, 3)):
        wanted = models.all_sequences(
            lambda tokens: model.log_probs(SOURCE[row], tokens),  # noqa: B023
            limit, models.power(alpha),
        )  # fmt: skip
        assert len(wanted) == (1 + 2 + 4 + 8 * 3 if limit == 4 else 1 + 2 + 4 * 3)
        assert_same(as_lists(found, row), wanted)


def test_length_penalties_by_hand():
    """P(end) = 1/2 and P(4) = 1/4 at each step: with a limit of 2, [3] has log 1/2 and [4, 3] has log 1/8."""
    model = FixedModel(np.log([1 / 16, 1 / 16, 1 / 16, 1 / 2, 1 / 4, 1 / 16]).astype("float32"))
    cases = {
        ("gnmt", 0.0): [np.log(1 / 2), np.log(1 / 8)],
        ("gnmt", 2.0): [np.log(1 / 2), np.log(1 / 8) / (7 / 6) ** 2],
        ("power", 1.0): [np.log(1 / 2), np.log(1 / 8) / 2],
        ("power", 3.0): [np.log(1 / 8) / 8, np.log(1 / 16) / 8],  # [4, 3] and [4, 4] beat [3]
    }
    for (normalization, alpha), scores in cases.items():
        found = BeamSearch(2, alpha, normalization)(model, SOURCE[:1], [2], 2, END)
        np.testing.assert_allclose(found.scores[0], scores, rtol=1e-5)
    np.testing.assert_array_equal(found.ids[0], [[4, 3], [4, 4]])


@pytest.fixture(scope="module")
def transformer():
    one = Transformer(V, 1, 12, 19, 3)
    reference.randomize(one, 7, 0.8)
    return one


@pytest.fixture(scope="module")
def logits_of(transformer):
    """The whole decoder, without a cache."""
    ids = tf.TensorSpec([1, None], tf.int32)
    function = lambda source, target: transformer({"source_ids": source, "target_ids": target})  # noqa: E731
    return tf.function(function, input_signature=[ids, ids])


@pytest.mark.parametrize(
    "settings, prefix",
    [
        ({"length_penalty": 0.0}, ()),
        ({"length_penalty": 1.5, "min_length": 3}, ()),
        ({"length_penalty": 1.0, "length_normalization": "power"}, (6, 9)),
    ],
)
def test_cached_batch_equals_uncached_single_sentences(transformer, logits_of, settings, prefix):
    prefix_ids = np.tile(np.array(prefix, "int32"), (4, 1))
    found = BeamSearch(3, **settings)(transformer, SOURCE, LIMITS, 2, END, prefix_ids=prefix_ids)
    static = BeamSearch(3, **settings)(
        transformer, SOURCE, LIMITS, 2, END, prefix_ids=prefix_ids, max_length=int(LIMITS.max())
    )
    penalty = PENALTIES[settings.get("length_normalization", "gnmt")](settings["length_penalty"])
    for row in range(4):
        log_probs = models.transformer_log_probs(logits_of, SOURCE[row])
        wanted = models.beam_search(log_probs, LIMITS[row], 3, penalty, settings.get("min_length", 0), prefix)[:3]
        # Random transformers give near ties: the scores are what must agree, and be those of the tokens.
        for one in (found, static):
            np.testing.assert_allclose([score for score, _ in as_lists(one, row)], [s for s, _ in wanted], atol=1e-4)
            for score, tokens in as_lists(one, row):
                total = sum(log_probs(tokens[:i])[token] for i, token in enumerate(tokens))
                np.testing.assert_allclose(score, total / penalty(len(tokens)), atol=1e-4)


def test_a_static_batch_in_a_graph(transformer):
    eager = BeamSearch(3)(transformer, SOURCE, LIMITS, 2, END)
    graph = tf.function(lambda: BeamSearch(3)(transformer, SOURCE, LIMITS, 2, END))()
    np.testing.assert_array_equal(graph.ids, eager.ids)


def test_a_beam_of_one_is_greedy(transformer):
    for model in (transformer, HashModel(V, 4, end_bonus=1.0)):
        beam = BeamSearch(1, length_penalty=0.0)(model, SOURCE, LIMITS, 2, END)
        greedy = GreedySearch()(model, SOURCE, LIMITS, 2, END)
        np.testing.assert_array_equal(beam.ids, greedy.ids)
        np.testing.assert_allclose(beam.scores, greedy.scores, atol=1e-5)


def test_one_by_one_equals_the_batch():
    model = HashModel(V, 5, end_bonus=2.0)
    search = BeamSearch(3)
    batch = search(model, SOURCE, LIMITS, 2, END)
    for row in range(4):
        alone = search(model, SOURCE[row : row + 1, : (SOURCE[row] != 0).sum()], LIMITS[row : row + 1], 2, END)
        assert_same(as_lists(alone), as_lists(batch, row), atol=1e-6)


def test_fewer_wanted_are_the_same_found_earlier():
    class Counting(HashModel):
        steps = 0

        def decode_step(self, *args):
            self.steps += 1
            return super().decode_step(*args)

    model = Counting(V, 8, end_bonus=3.0)
    limits = np.full(4, 60)
    every = BeamSearch(4)(model, SOURCE, limits, 2, END)
    steps, model.steps = model.steps, 0
    best = BeamSearch(4)(model, SOURCE, limits, 2, END, num_best=1)
    np.testing.assert_array_equal(best.ids[:, 0], every.ids[:, 0])
    assert best.ids.shape[1] == 1 and model.steps < steps < 60


def test_each_sentence_may_have_a_penalty_of_its_own():
    model, alphas = HashModel(V, 9, end_bonus=2.0), np.float32([0.0, 1.2, 3.0, 0.6])
    together = BeamSearch(3)(model, SOURCE, LIMITS, 2, END, length_penalty=alphas)
    for row, alpha in enumerate(alphas):
        alone = BeamSearch(3, float(alpha))(model, SOURCE, LIMITS, 2, END)
        assert_same(as_lists(together, row), as_lists(alone, row), atol=1e-5)


def test_graph_xla_and_a_penalty_of_the_call_give_the_same():
    model = HashModel(V, 9, end_bonus=2.0)
    prefixes = np.array([[5, 0], [0, 0], [6, 7], [0, 0]])
    eager = BeamSearch(3, 1.2)(model, SOURCE, LIMITS, 2, END, prefix_ids=prefixes)
    search = BeamSearch(3)
    ids, vector = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)

    @tf.function(input_signature=[ids, vector, ids, tf.TensorSpec([], tf.float32)])
    def dynamic(source, limits, prefixes, alpha):
        return search(model, tf.ensure_shape(source, [None, 5]), limits, 2, END, 0, prefixes, length_penalty=alpha)

    @tf.function(jit_compile=True)
    def compiled(source, prefixes):
        return BeamSearch(3, 1.2)(model, source, LIMITS, 2, END, prefix_ids=prefixes, max_length=12)

    for found in (dynamic(SOURCE, LIMITS, prefixes, 1.2), compiled(tf.constant(SOURCE), tf.constant(prefixes))):
        np.testing.assert_array_equal(found.ids, eager.ids)
        np.testing.assert_allclose(found.scores, eager.scores, atol=1e-5)
    below = dynamic(SOURCE, LIMITS, prefixes, -3.0)
    np.testing.assert_allclose(below.scores, dynamic(SOURCE, LIMITS, prefixes, 0.0).scores)


def test_only_what_changes_with_the_hypothesis_is_reordered():
    model, seen = HashModel(V), []
    step = model.decode_step

    def decode_step(target_ids, cache, index):
        seen.append(cache["source"][0])
        return step(target_ids, cache, index)

    model.decode_step = decode_step
    BeamSearch(3)(model, SOURCE, LIMITS, 2, END)
    assert len(seen) > 2 and all(one is seen[0] for one in seen)


def test_limits_of_zero_nothing_to_say_and_an_empty_batch(transformer):
    found = BeamSearch(3)(transformer, np.array([[4, 3], [0, 0], [0, 0]]), [0, 3, 0], 2, END)
    for row in (0, 2):
        assert as_lists(found, row) == [(0.0, ())]
        assert (np.asarray(found.ids[row]) == 0).all()
    assert np.isfinite(found.scores[1]).all()  # a source of padding alone, and yet a limit
    assert BeamSearch(3)(transformer, SOURCE[:0], np.zeros(0, int), 2, END).ids.shape[:2] == (0, 3)


def test_a_beam_wider_than_what_there_is_to_say():
    found = BeamSearch(20)(FixedModel(np.zeros(5, "float32")), SOURCE[:1], [2], 2, END)
    assert len(as_lists(found)) == 1 + 2 * 3  # [3], and 1 or 4 before 1, 3 or 4
    assert (np.asarray(found.ids[0, 7:]) == 0).all()


def test_max_length_bounds_the_limits():
    model = HashModel(V, 1)
    short = BeamSearch(2)(model, SOURCE, LIMITS, 2, END, max_length=3)
    wanted = BeamSearch(2)(model, SOURCE, np.minimum(LIMITS, 3), 2, END)
    np.testing.assert_array_equal(short.ids, wanted.ids)


def test_bfloat16_has_numbers(transformer):
    model = Transformer(V, 1, 12, 19, 3, dtype="mixed_bfloat16")
    reference.randomize(model, 7, 0.8)
    found = BeamSearch(3)(model, SOURCE, LIMITS, 2, END)
    assert found.scores.dtype == "float32" and np.isfinite(found.scores).all()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"beam_size": 0}, "beam_size=0"),
        ({"length_penalty": -0.1}, "at least 0. Received: length_penalty=-0.1"),
        ({"length_penalty": float("nan")}, "length_penalty=nan"),
        ({"length_normalization": "mean"}, "'gnmt', 'power'.*'mean'"),
        ({"min_length": -1}, "min_length=-1"),
        ({"num_best": 0}, "num_best=0"),
        ({"beam_size": 2, "num_best": 3}, "num_best of at most beam_size=2. Received: num_best=3"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        BeamSearch(**settings)
