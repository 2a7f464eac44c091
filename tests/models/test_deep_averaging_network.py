import itertools

import keras
import numpy as np
import pytest

from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.models.deep_averaging_network import HashedBigrams
from tests import reference

IDS = np.asarray([[5, 7, 9, 0], [3, 0, 0, 0], [0, 0, 0, 0], [8, 8, 8, 8]], "int32")


def build(**kwargs):
    model = DeepAveragingNetwork(11, 13, 2, 6, output_dim=5, **kwargs)
    reference.randomize(model, seed=2)
    return model


def bucket(first, second):
    wrapped = np.multiply(np.int32(first), np.int32(73856093)) ^ np.multiply(np.int32(second), np.int32(19349663))
    return 1 + int(wrapped) % 13


def test_bigrams_by_hand():
    with np.errstate(over="ignore"):
        expected = [
            [0, bucket(5, 7), bucket(7, 9), 0],
            [0] * 4,
            [0] * 4,
            [0, bucket(8, 8), bucket(8, 8), bucket(8, 8)],
        ]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(HashedBigrams(13)(IDS)), expected)


def test_values_against_numpy():
    model = build(dropout=0.0)
    found = model(IDS).numpy()
    words, bigrams, first, second, projection = (weight.numpy() for weight in model.weights)
    for ids, vector in zip(IDS[[0, 1, 3]], found[[0, 1, 3]]):
        ids = ids[ids != 0]
        with np.errstate(over="ignore"):
            pairs = [bucket(a, b) for a, b in itertools.pairwise(ids)]
        mean = 6**0.5 * np.concatenate([words[ids], bigrams[pairs]]).mean(axis=0)
        expected = np.maximum(np.maximum(mean @ first, 0) @ second, 0) @ projection
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_with_token_weights_against_numpy():
    model = build(dropout=0.0, token_weights=True)
    words, bigrams, factors, first, second, projection = (weight.numpy() for weight in model.weights)
    ids = IDS[0, :3]
    with np.errstate(over="ignore"):
        pairs = [bucket(a, b) for a, b in itertools.pairwise(ids)]
    x = 6**0.5 * np.concatenate([words[ids] * factors[ids][:, None], bigrams[pairs]]).mean(axis=0)
    for matrix in (first, second):
        x = x + np.maximum(x @ matrix, 0)
    expected = x @ projection
    np.testing.assert_allclose(model(IDS[:1])[0], expected / np.linalg.norm(expected), atol=1e-5)


def test_untrained_token_weights_tell_rare_words_from_frequent_ones():
    model = DeepAveragingNetwork(4 + 2000, 50, 1, 64, output_dim=32, token_weights=True)
    # Twice the same rare word (id 1900), and twice the same most frequent one (id 4), beside others.
    vectors = model(np.asarray([[1900, 4, 1700], [1900, 5, 1800], [1600, 4, 1500]])).numpy()
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_no_tokens_give_the_zero_vector():
    np.testing.assert_array_equal(build()(IDS).numpy()[2], np.zeros(5))


def test_padding_does_not_count():
    model = build()
    np.testing.assert_allclose(model(IDS[:1, :3]).numpy(), model(IDS).numpy()[:1], atol=1e-6)


def test_without_bigrams_the_order_does_not_count():
    model = DeepAveragingNetwork(11, 0, 1, 6, output_dim=5)
    np.testing.assert_allclose(
        model(np.asarray([[5, 7, 9]])).numpy(), model(np.asarray([[9, 5, 7]])).numpy(), atol=1e-6
    )
    assert np.abs(build()(np.asarray([[5, 7, 9]])).numpy() - build()(np.asarray([[9, 5, 7]])).numpy()).max() > 1e-3


def test_word_dropout_leaves_whole_words_out():
    model = build(dropout=0.0, word_dropout=0.5)
    one_word = np.full((400, 1), 5, "int32")
    lengths = np.linalg.norm(model(one_word, training=True).numpy(), axis=1)
    assert set(np.round(lengths, 4)) == {0.0, 1.0}
    assert 0.35 < (lengths == 0).mean() < 0.65


def test_saves_and_loads(tmp_path):
    model = build()
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded(IDS).numpy(), model(IDS).numpy())
    assert loaded.get_config() == model.get_config()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_low_precision(dtype):
    model = build(dropout=0.0)
    low = DeepAveragingNetwork.from_config({**model.get_config(), "dtype": dtype})
    low.set_weights(model.get_weights())
    found = low(IDS).numpy()
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, model(IDS).numpy(), atol=0.03)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"num_layers": 0}, "num_layers=0"),
        ({"num_bigram_buckets": -1}, "num_bigram_buckets=-1"),
        ({"word_dropout": 1.0}, "word_dropout=1.0"),
        ({"output_dim": 0}, "output_dim=0"),
    ],
)
def test_bad_values(values, message):
    with pytest.raises(ValueError, match=message):
        DeepAveragingNetwork(11, **values)
