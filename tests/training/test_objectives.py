import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.training import (
    NaturalLanguageInference,
    ResponseRanking,
    SimilarityCorrelation,
    SimilarityRegression,
)

random = np.random.RandomState(0)
U, V, W = random.normal(size=(3, 5, 4)).astype("float32")


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def value(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def keys(rows, *texts):
    return np.column_stack([rows, *texts]).astype("int32")


def cross_entropy(scores):
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diag(scores))


ALL_DIFFERENT = keys(np.arange(5), np.arange(5), np.arange(5, 10))


def test_ranking_by_hand():
    cosines = unit(U) @ unit(V).T
    scores = 7.0 * (cosines - 0.2 * np.eye(5))
    one_way = ResponseRanking(scale=7.0, margin=0.2, symmetric=False)([U, V], ALL_DIFFERENT)
    np.testing.assert_allclose(value(one_way), cross_entropy(scores), rtol=1e-5)
    both = ResponseRanking(scale=7.0, margin=0.2)([U, V], ALL_DIFFERENT)
    np.testing.assert_allclose(value(both), (cross_entropy(scores) + cross_entropy(scores.T)) / 2, rtol=1e-5)


def test_hard_negatives_are_candidates_of_every_row():
    scores = 7.0 * unit(U) @ unit(np.concatenate([V, W])).T
    found = ResponseRanking(7.0, symmetric=False)([U, V, W], keys(range(5), range(5), range(5, 10), range(10, 15)))
    np.testing.assert_allclose(value(found), cross_entropy(scores), rtol=1e-5)


def test_what_is_no_wrong_answer_does_not_count():
    """Rows 0 and 1 are of one image, response 3 is the text of response 2, and input 4 is the text of response 0."""
    scores = 7.0 * unit(U) @ unit(V).T
    for i, j in [(0, 1), (1, 0), (2, 3), (3, 2), (4, 0)]:
        scores[i, j] = -np.inf
    found = ResponseRanking(7.0, symmetric=False)([U, V], keys([0, 0, 2, 3, 4], [5, 6, 7, 8, 1], [1, 2, 3, 3, 4]))
    np.testing.assert_allclose(value(found), cross_entropy(scores), rtol=1e-5)


def test_another_right_response_to_the_same_text_does_not_count():
    """Rows 1 and 3, of different images, have the same input. What is wrong for one of them is wrong for the other."""
    scores = 7.0 * unit(U) @ unit(np.concatenate([V, W])).T
    scores[1, 3] = scores[3, 1] = -np.inf
    texts = keys(range(5), [0, 1, 2, 1, 4], range(5, 10), range(10, 15))
    found = ResponseRanking(7.0, symmetric=False)([U, V, W], texts)
    np.testing.assert_allclose(value(found), cross_entropy(scores), rtol=1e-5)
    scores = scores[:, :5]
    both = ResponseRanking(7.0)([U, V], texts[:, :3])
    np.testing.assert_allclose(value(both), (cross_entropy(scores) + cross_entropy(scores.T)) / 2, rtol=1e-5)


def test_a_negative_that_is_the_response_itself_does_not_count():
    texts = keys(range(5), range(5), range(5, 10), [10, 11, 7, 12, 13])
    scores = 7.0 * unit(U) @ unit(np.concatenate([V, W])).T
    scores[2, 5 + 2] = -np.inf
    found = ResponseRanking(7.0, symmetric=False)([U, V, W], texts)
    np.testing.assert_allclose(value(found), cross_entropy(scores), rtol=1e-5)


def test_the_network_of_the_responses():
    objective = ResponseRanking(7.0, response_network=3, symmetric=False)
    found = objective([U, V], ALL_DIFFERENT)
    kernel, bias, out_kernel, out_bias = (weight.numpy() for weight in objective.weights)
    responses = np.maximum(V @ kernel + bias, 0) @ out_kernel + out_bias
    np.testing.assert_allclose(value(found), cross_entropy(7.0 * unit(U) @ unit(responses).T), rtol=1e-5)


def test_inference_by_hand():
    objective = NaturalLanguageInference(3, hidden_dim=6, dropout=0.5)
    labels = np.asarray([0, 2, 1, 1, 0])
    found = objective([U, V], labels)
    kernel, bias, out_kernel, out_bias = (weight.numpy() for weight in objective.weights)
    u, v = 2 * U, 2 * V
    features = np.concatenate([u, v, np.abs(u - v), u * v], axis=1)
    logits = np.maximum(features @ kernel + bias, 0) @ out_kernel + out_bias
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(value(found), -log_p[np.arange(5), labels].mean(), rtol=1e-5)


def test_similarity_by_hand():
    scores = np.asarray([0, 0.2, 0.5, 1, 0.7], "float32")
    expected = np.mean(((unit(U) * unit(V)).sum(axis=1) - scores) ** 2)
    np.testing.assert_allclose(value(SimilarityRegression()([U, V], scores)), expected, rtol=1e-5)


def test_correlation_of_similarity():
    scores = np.asarray([0, 0.2, 0.5, 1, 0.7], "float32")
    cosines = (unit(U) * unit(V)).sum(axis=1)
    found = value(SimilarityCorrelation()([U, V], scores))
    np.testing.assert_allclose(found, 1 - np.corrcoef(cosines, scores)[0, 1], rtol=1e-5)
    np.testing.assert_allclose(value(SimilarityCorrelation()([U, V], 3 - scores)), 2 - found, rtol=1e-5)
    np.testing.assert_allclose(value(SimilarityCorrelation()([U, V], 5 * scores + 2)), found, rtol=1e-4)


def test_no_correlation_with_what_is_all_equal():
    assert value(SimilarityCorrelation()([U, V], np.ones(5, "float32"))) == 1.0
    scores = np.arange(5, dtype="float32")
    with tf.GradientTape() as tape:
        vectors = tf.Variable(U[:1].repeat(5, axis=0) + 1e-7 * U)
        loss = SimilarityCorrelation()([vectors, tf.constant(V[:1].repeat(5, axis=0))], scores)
    np.testing.assert_allclose(value(loss), 1.0, atol=1e-2)
    assert np.abs(tape.gradient(loss, vectors)).max() < 1e3


@pytest.mark.parametrize(
    "objective",
    [ResponseRanking(3.0, 0.1, 8, False), NaturalLanguageInference(2, 5, 0.3)],
    ids=lambda objective: type(objective).__name__,
)
def test_configs(objective):
    copy = type(objective).from_config(objective.get_config())
    assert copy.get_config() == objective.get_config()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: ResponseRanking(scale=0), "scale=0"),
        (lambda: ResponseRanking(margin=-1), "margin=-1"),
        (lambda: NaturalLanguageInference(0), "num_labels=0"),
    ],
)
def test_bad_values(make, message):
    with pytest.raises(ValueError, match=message):
        make()
