import keras
import numpy as np
import pytest

from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder
from keras_transformer.training import QuestionAnswerRanking

QUESTIONS, RESPONSES, CONTEXTS = np.random.RandomState(0).normal(size=(3, 5, 4)).astype("float32")
KEYS = np.arange(20).reshape(5, 4)  # all different


def encoder():
    return SentenceEncoder(23, 1, 12, 19, 3, output_dim=4)


@pytest.fixture(scope="module")
def model():
    return QuestionAnswerEncoder(encoder(), hidden_dim=11, output_dim=7)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def scores(model, contexts, scale=7.0, margin=0.0):
    """By the formula, in NumPy."""
    kernels = [layer.get_weights()[0] for layer in model.networks]
    questions = unit(np.tanh(QUESTIONS @ kernels[0]) @ kernels[1])
    responses = unit(np.tanh(np.concatenate([RESPONSES, contexts], axis=1) @ kernels[2]) @ kernels[3])
    return scale * (questions @ responses.T - margin * np.eye(5))


def cross_entropy(scores):
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - np.diag(scores))


def test_ranks_by_the_vectors_of_the_networks(model):
    wanted = scores(model, CONTEXTS, margin=0.2)
    one_way = QuestionAnswerRanking(model, scale=7.0, margin=0.2, symmetric=False)
    vectors = [QUESTIONS, RESPONSES, CONTEXTS]
    np.testing.assert_allclose(one_way(vectors, KEYS), cross_entropy(wanted), rtol=1e-5)
    both = QuestionAnswerRanking(model, scale=7.0, margin=0.2)(vectors, KEYS)
    np.testing.assert_allclose(both, (cross_entropy(wanted) + cross_entropy(wanted.T)) / 2, rtol=1e-5)


def test_without_contexts_zeros_stand_in_their_place(model):
    found = QuestionAnswerRanking(model, 7.0, symmetric=False)([QUESTIONS, RESPONSES], KEYS[:, :3])
    np.testing.assert_allclose(found, cross_entropy(scores(model, 0 * CONTEXTS)), rtol=1e-5)


def test_the_same_response_in_another_context_is_not_wrong(model):
    keys = KEYS.copy()
    keys[3, 2] = keys[1, 2]
    wanted = scores(model, CONTEXTS)
    wanted[1, 3] = wanted[3, 1] = -np.inf
    found = QuestionAnswerRanking(model, 7.0, symmetric=False)([QUESTIONS, RESPONSES, CONTEXTS], keys)
    np.testing.assert_allclose(found, cross_entropy(wanted), rtol=1e-5)


def test_the_networks_are_its_weights_and_the_encoder_is_not(model):
    objective = QuestionAnswerRanking(model)
    objective([QUESTIONS, RESPONSES], KEYS[:, :3])
    kernels = [layer.kernel for layer in model.networks]
    assert [id(weight) for weight in objective.trainable_variables] == [id(kernel) for kernel in kernels]
    assert objective.is_of(model)
    assert not objective.is_of(QuestionAnswerEncoder(model.encoder, hidden_dim=11, output_dim=7))


def test_the_config_is_that_of_the_ranking(model):
    config = QuestionAnswerRanking(model, scale=3.0, margin=0.1, symmetric=False, name="answers").get_config()
    assert config == {**config, "name": "answers", "scale": 3.0, "margin": 0.1, "symmetric": False}
    assert not {"model", "response_network"} & set(config)
    assert QuestionAnswerRanking(model, **config).get_config() == config


def test_bad_arguments(model):
    two = QuestionAnswerEncoder(model.encoder, encoder(), hidden_dim=11, output_dim=7)
    with pytest.raises(ValueError, match="one encoder for all texts. Received: one with a response_encoder .*'sente"):
        QuestionAnswerRanking(two)
    with pytest.raises(ValueError, match="Expected a QuestionAnswerEncoder. Received: SentenceEncoder"):
        QuestionAnswerRanking(model.encoder)
    with pytest.raises(ValueError, match="scale=0"):
        QuestionAnswerRanking(model, scale=0)
    with pytest.raises(ValueError, match="of contexts. Received: 4 of them"):
        QuestionAnswerRanking(model)([keras.KerasTensor((None, 4))] * 4, keras.KerasTensor((None, 5), "int32"))
