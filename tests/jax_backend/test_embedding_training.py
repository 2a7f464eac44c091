"""The models and objectives of sentence encoders on JAX."""

import numpy as np

from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder, SentenceEncoder
from keras_transformer.models.deep_averaging_network import HashedBigrams
from keras_transformer.training import (
    AnglE,
    ClassTriplets,
    ContrastivePairs,
    CoSENT,
    GuidedRanking,
    MarginMSE,
    Matryoshka,
    NaturalLanguageInference,
    OnlineContrastivePairs,
    QuestionAnswerRanking,
    ResponseRanking,
    ScoreDistribution,
    SimilarityCorrelation,
    TripletMargin,
)

IDS = np.asarray([[5, 7, 9, 0], [3, 0, 0, 0], [0, 0, 0, 0], [8, 8, 8, 8]], "int32")


def test_hashes_wrap_around_as_elsewhere():
    with np.errstate(over="ignore"):
        mixed = np.int32(5) * np.int32(73856093) ^ np.int32(7) * np.int32(19349663)
    assert int(HashedBigrams(13)(IDS)[0, 1]) == 1 + int(mixed) % 13


def test_an_averaging_network():
    model = DeepAveragingNetwork(11, 13, 2, 6, output_dim=5, dtype="mixed_bfloat16")
    vectors = np.asarray(model(IDS))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0, 1], atol=1e-5)
    np.testing.assert_allclose(np.asarray(model(IDS[:1, :3])), vectors[:1], atol=1e-2)


def test_token_weights():
    averaging = DeepAveragingNetwork(11, 13, 2, 6, output_dim=5, token_weights=True)
    transformer = SentenceEncoder(11, 1, 12, 19, 3, output_dim=5, token_weights=True)
    for model in (averaging, transformer):
        vectors = np.asarray(model(IDS))
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0, 1], atol=1e-5)
        np.testing.assert_allclose(np.asarray(model(IDS[:1, :3])), vectors[:1], atol=1e-5)


def test_question_and_answer():
    model = QuestionAnswerEncoder(SentenceEncoder(11, 1, 12, 19, 3, output_dim=5), hidden_dim=7, output_dim=6)
    found = model({"question_ids": IDS, "response_ids": IDS, "context_ids": IDS[::-1]})
    np.testing.assert_allclose(np.linalg.norm(found["questions"], axis=1), [1, 1, 0, 1], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found["responses"], axis=1), [1, 1, 1, 1], atol=1e-5)
    encoded = [np.asarray(model.encoder(ids)) for ids in (IDS, IDS, IDS[::-1])]
    keys = np.arange(16).reshape(4, 4)
    wanted = ResponseRanking()([found["questions"], found["responses"]], keys[:, :3])
    np.testing.assert_allclose(float(QuestionAnswerRanking(model)(encoded, keys)), float(wanted), rtol=1e-5)


def test_objectives():
    u, v = np.random.RandomState(0).normal(size=(2, 4, 3)).astype("float32")
    keys = np.arange(12).reshape(4, 3)
    cosines = u @ v.T / np.linalg.norm(u, axis=1)[:, None] / np.linalg.norm(v, axis=1)
    expected = np.mean(np.log(np.exp(7 * cosines).sum(axis=1)) - 7 * np.diag(cosines))
    found = ResponseRanking(7.0, symmetric=False)([u, v], keys)
    np.testing.assert_allclose(float(found), expected, rtol=1e-5)
    own, scores = np.diag(cosines), np.asarray([0.1, 0.9, 0.4, 0.2])
    np.testing.assert_allclose(
        float(SimilarityCorrelation()([u, v], scores)), 1 - np.corrcoef(own, scores)[0, 1], rtol=1e-5
    )
    assert np.isfinite(float(NaturalLanguageInference(3)([u, v], np.asarray([0, 1, 2, 0]), training=True)))


def test_objectives_are_those_of_the_other_backends():
    """The values that TensorFlow gives, which tests/training compares with NumPy."""
    u, v, w = np.random.RandomState(0).normal(size=(3, 6, 4)).astype("float32")
    scores, labels = np.asarray([0.1, 0.9, 0.4, 0.2, 0.4, 0.8]), np.asarray([0, 1, 0, 1, 1, 0])
    of_two = np.stack([scores, 1 - scores], axis=1)
    found = [
        CoSENT()([u, v], scores),
        AnglE()([u, v], scores),
        ContrastivePairs()([u, v], labels),
        OnlineContrastivePairs()([u, v], labels),
        TripletMargin()([u, v, w], labels),
        *(ClassTriplets(mining)([u], labels) for mining in ("all", "hard", "semi_hard")),
        MarginMSE()([u, v, w], of_two),
        ScoreDistribution()([u, v, w], of_two),
        GuidedRanking(9.0)([u, v], np.stack([v, w], axis=1)),
        Matryoshka(CoSENT(), [2])([u, v], scores),
    ]
    wanted = [
        22.2308, 23.2821, 0.284583, 3.14095, 0.307361, 0.572388, 0.502925, 0.103163, 13.2247, 1.13707, 5.64953, 54.3657
    ]  # fmt: skip
    np.testing.assert_allclose([float(value) for value in found], wanted, rtol=1e-4)
