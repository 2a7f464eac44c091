import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.decoding import GreedySearch, Sampling
from keras_transformer.models import Transformer
from tests import reference
from tests.decoding.models import END, FixedModel, HashModel

V = 13
LOGITS = np.array([9.0, -1.0, 8.0, 0.3, 1.5, -0.4, 1.0, -2.0], "float32")  # padding and begin the likeliest
SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0], [10, 11, 12, 3, 0]])
MANY = np.stack([np.arange(20000) // 100 + 4, np.arange(20000) % 100 + 4], axis=1)  # so many different sentences


def softmax(logits):
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()


def shares(search, length=1, **settings):
    """How often each token stands in each place of `length`, over many sentences: (length, V)."""
    ids = search(FixedModel(LOGITS), MANY, np.full(len(MANY), length), 2, END, **settings).ids
    return np.stack([np.bincount(column, minlength=len(LOGITS)) / len(MANY) for column in np.asarray(ids)[:, 0].T])


def distribution(temperature=1.0, support=range(8)):
    masked = np.full(8, -np.inf)
    for token in set(support) - {0, 2}:
        masked[token] = LOGITS[token] / temperature
    return softmax(masked)


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_frequencies_are_probabilities(seed, temperature):
    found = shares(Sampling(temperature, seed=seed))
    np.testing.assert_allclose(found[0], distribution(temperature), atol=0.015)


def test_places_are_independent_of_each_other():
    """Pairs of the first two tokens, over sentences that did not end."""
    ids = np.asarray(Sampling(min_length=2)(FixedModel(LOGITS), MANY, np.full(len(MANY), 2), 2, END).ids)[:, 0]
    pairs = np.zeros((8, 8))
    np.add.at(pairs, (ids[:, 0], ids[:, 1]), 1 / len(MANY))
    alone = distribution(support=[1, 4, 5, 6, 7])
    np.testing.assert_allclose(pairs, np.outer(alone, alone), atol=0.015)


@pytest.mark.parametrize("top_k, support", [(1, [4]), (2, [4, 6]), (3, [4, 6, 3]), (100, range(8))])
def test_top_k_is_exact(top_k, support):
    np.testing.assert_allclose(shares(Sampling(top_k=top_k))[0], distribution(support=support), atol=0.015)


# Of what may come, in order: 0.461, 0.280, 0.139, 0.069, 0.038, 0.014 (of 4, 6, 3, 5, 1, 7).
@pytest.mark.parametrize(
    "top_p, top_k, support",
    [(0.46, 0, [4]), (0.47, 0, [4, 6]), (0.74, 0, [4, 6]), (0.75, 0, [4, 6, 3]), (0.99, 0, range(8)), (0.6, 2, [4])],
)
def test_the_nucleus_is_exact(top_p, top_k, support):
    assert set(np.flatnonzero(shares(Sampling(top_p=top_p, top_k=top_k))[0])) == set(support) - {0, 2}
    np.testing.assert_allclose(shares(Sampling(top_p=top_p, top_k=top_k))[0], distribution(support=support), atol=0.015)


def test_top_1_and_low_temperatures_are_greedy():
    model, limits = HashModel(V, 2, end_bonus=2.0), [9, 4, 12]
    greedy = GreedySearch()(model, SOURCE, limits, 2, END)
    for search in (Sampling(top_k=1), Sampling(temperature=1e-4), Sampling(top_p=1e-4)):
        found = search(model, SOURCE, limits, 2, END)
        np.testing.assert_array_equal(found.ids, greedy.ids)
        np.testing.assert_allclose(found.scores, greedy.scores, atol=1e-4)


def test_scores_are_those_of_the_model():
    found = Sampling(temperature=2.0, top_k=3)(FixedModel(LOGITS), MANY[:50], np.full(50, 3), 2, END)
    log_probs = np.log(softmax(LOGITS.astype("float64")))
    wanted = [sum(log_probs[token] for token in row if token) for row in np.asarray(found.ids)[:, 0]]
    np.testing.assert_allclose(found.scores[:, 0], wanted, rtol=1e-5)


@pytest.fixture(scope="module")
def model():
    one = Transformer(V, 1, 12, 19, 3)
    reference.randomize(one, 3, 0.5)
    return one


def test_a_sample_depends_on_seed_and_sentence_alone(model):
    limits = np.full(3, 10)
    search = Sampling(temperature=1.5, seed=5)
    eager = np.asarray(search(model, SOURCE, limits, 2, END).ids)
    np.testing.assert_array_equal(search(model, SOURCE, limits, 2, END).ids, eager)
    for row in range(3):
        alone = search(model, SOURCE[row : row + 1, : (SOURCE[row] != 0).sum()], limits[:1], 2, END)
        np.testing.assert_array_equal(alone.ids[0], eager[row])
    backwards = search(model, SOURCE[::-1].copy(), limits, 2, END)
    np.testing.assert_array_equal(np.asarray(backwards.ids)[::-1], eager)
    assert (np.asarray(Sampling(temperature=1.5, seed=6)(model, SOURCE, limits, 2, END).ids) != eager).any()
    assert len({tuple(row[0]) for row in eager}) == 3


def test_graphs_and_settings_of_the_call_give_the_same(model):
    limits = np.full(3, 10)
    eager = Sampling(0.7, top_k=6, top_p=0.8, seed=9)(model, SOURCE, limits, 2, END).ids
    number = tf.TensorSpec([], tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([], tf.int32), number, number])
    def dynamic(source, seed, temperature, top_p):
        return Sampling(top_k=6)(model, source, limits, 2, END, seed=seed, temperature=temperature, top_p=top_p).ids

    @tf.function(jit_compile=True)
    def compiled(source):
        return Sampling(0.7, top_k=6, top_p=0.8, seed=9)(model, source, limits, 2, END, max_length=10).ids

    np.testing.assert_array_equal(dynamic(SOURCE, 9, 0.7, 0.8), eager)
    np.testing.assert_array_equal(compiled(tf.constant(SOURCE)), compiled(tf.constant(SOURCE)))  # XLA's own numbers
    greedy = GreedySearch()(model, SOURCE, limits, 2, END).ids
    np.testing.assert_array_equal(dynamic(SOURCE, 9, 0.0, 1.0), greedy)
    np.testing.assert_array_equal(dynamic(SOURCE, 9, 1.0, -1.0), greedy)


def test_each_sentence_may_have_settings_of_its_own(model):
    limits, search = np.full(3, 10), Sampling(top_k=6)
    columns = {"seed": [9, 9, 4], "temperature": [0.7, 3.0, 1.0], "top_p": [0.8, 1.0, 0.5]}
    columns = {name: np.array(column, "int32" if name == "seed" else "float32") for name, column in columns.items()}
    for changed in ({}, {"seed": np.array([4, 4, 4], "int32")}):
        settings = {**columns, **changed}
        together = search(model, SOURCE, limits, 2, END, **settings)
        for row in range(3):
            alone = {name: column[row] for name, column in settings.items()}
            wanted = search(model, SOURCE, limits, 2, END, **alone)
            np.testing.assert_array_equal(together.ids[row], wanted.ids[row])
            np.testing.assert_allclose(together.scores[row], wanted.scores[row], atol=1e-5)


def test_prefix_minimum_and_limits():
    found = Sampling(min_length=4)(
        FixedModel(LOGITS), MANY[:40], [0] * 10 + [8] * 30, 2, END, prefix_ids=np.tile([[5, 1, 0]], (40, 1))
    )
    ids = np.asarray(found.ids)[:, 0]
    assert (ids[:10] == 0).all() and (np.asarray(found.scores)[:10] == 0).all()
    assert (ids[10:, :2] == [5, 1]).all() and not (ids[10:, :4] == END).any() and (ids[10:, 4] == END).any()


def test_a_source_of_padding_and_bfloat16_have_numbers():
    model = Transformer(V, 1, 12, 19, 3, dtype="mixed_bfloat16")
    found = Sampling(top_p=0.9)(model, np.array([[0, 0], [5, 3]]), [4, 4], 2, END)
    assert np.isfinite(found.scores).all() and (np.asarray(found.ids)[:, 0, 0] != 0).all()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"temperature": 0.0}, "above 0. Received: temperature=0.0"),
        ({"top_k": -1}, "top_k=-1"),
        ({"top_p": 0.0}, r"in \(0, 1\]. Received: top_p=0.0"),
        ({"top_p": 1.1}, "top_p=1.1"),
        ({"seed": -1}, r"a seed, an integer in \[0, 2\^31\). Received: seed=-1"),
        ({"seed": 2**31}, "seed=2147483648"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**settings)
