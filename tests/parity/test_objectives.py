"""Each objective's value and gradients, and those of sentence-transformers' loss of the same vectors."""

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import training

torch = pytest.importorskip("torch")
losses = pytest.importorskip("sentence_transformers.sentence_transformer.losses")

ROWS, WIDTH = 13, 8
random = np.random.RandomState(0)
SCORES = np.round(random.uniform(size=ROWS), 1).astype("float32")
BINARY = random.randint(0, 2, size=ROWS)
CLASSES = np.arange(ROWS) % 4
OF_CANDIDATES = random.normal(size=(ROWS, 3)).astype("float32")
GUIDE = random.normal(size=(ROWS, 3, 5)).astype("float32")
KEYS = np.arange(ROWS * 4).reshape(ROWS, 4)


class Vectors(torch.nn.Module):
    """Stands for an encoder: the features are the vectors."""

    def forward(self, features):
        return {"sentence_embedding": features["vectors"]}

    def get_embedding_dimension(self):
        return WIDTH


MODEL = Vectors()


def guided(margin):
    class Guide(torch.nn.Module):
        def forward(self, features):
            return {"sentence_embedding": features["guide"]}

    loss = losses.GISTEmbedLoss.__new__(losses.GISTEmbedLoss)  # whose __init__ wants whole encoders
    torch.nn.Module.__init__(loss)
    loss.model, loss.guide, loss.must_retokenize = MODEL, Guide(), False
    loss.temperature, loss.margin_strategy, loss.margin = 0.05, "absolute", margin
    loss.contrast_anchors, loss.contrast_positives, loss.gather_across_devices = True, True, False
    loss.similarity_fct, loss.cross_entropy_loss = torch.nn.CosineSimilarity(dim=-1), torch.nn.CrossEntropyLoss()
    return loss


def cosine_distance(vectors):
    return losses.BatchHardTripletLossDistanceFunction.cosine_distance(vectors)


COSINE = losses.TripletDistanceMetric.COSINE
CASES = {
    "CoSENT": (training.CoSENT(), losses.CoSENTLoss(MODEL), 2, SCORES),
    "AnglE": (training.AnglE(), losses.AnglELoss(MODEL), 2, SCORES),
    "SimilarityRegression": (training.SimilarityRegression(), losses.CosineSimilarityLoss(MODEL), 2, SCORES),
    "ContrastivePairs": (training.ContrastivePairs(0.9), losses.ContrastiveLoss(MODEL, margin=0.9), 2, BINARY),
    "OnlineContrastivePairs": (
        training.OnlineContrastivePairs(0.9), losses.OnlineContrastiveLoss(MODEL, margin=0.9), 2, BINARY
    ),
    "TripletMargin": (
        training.TripletMargin(0.7, "euclidean"), losses.TripletLoss(MODEL, triplet_margin=0.7), 3, SCORES
    ),
    "TripletMargin, cosine": (training.TripletMargin(0.7), losses.TripletLoss(MODEL, COSINE, 0.7), 3, SCORES),
    "ClassTriplets, all": (
        training.ClassTriplets("all", 0.5), losses.BatchAllTripletLoss(MODEL, cosine_distance, 0.5), 1, CLASSES
    ),
    "ClassTriplets, hard": (
        training.ClassTriplets("hard", 0.5), losses.BatchHardTripletLoss(MODEL, cosine_distance, 0.5), 1, CLASSES
    ),
    "ClassTriplets, hard, euclidean": (
        training.ClassTriplets("hard", 5.0, "euclidean"), losses.BatchHardTripletLoss(MODEL), 1, CLASSES
    ),
    "ClassTriplets, smooth": (
        training.ClassTriplets("hard", None),
        losses.BatchHardSoftMarginTripletLoss(MODEL, cosine_distance),
        1,
        CLASSES,
    ),
    "ClassTriplets, semi-hard": (
        training.ClassTriplets("semi_hard", 0.5),
        losses.BatchSemiHardTripletLoss(MODEL, cosine_distance, 0.5),
        1,
        CLASSES,
    ),
    "ClassTriplets, semi-hard, euclidean": (
        training.ClassTriplets("semi_hard", 5.0, "euclidean"), losses.BatchSemiHardTripletLoss(MODEL), 1, CLASSES
    ),
    "MarginMSE": (training.MarginMSE(), losses.MarginMSELoss(MODEL), 4, OF_CANDIDATES),
    "ScoreDistribution": (
        training.ScoreDistribution(temperature=2.0),
        losses.DistillKLDivLoss(MODEL, temperature=2.0),
        4,
        OF_CANDIDATES,
    ),
    "ResponseRanking": (
        training.ResponseRanking(symmetric=False), losses.MultipleNegativesRankingLoss(MODEL), 3, KEYS
    ),
    "ResponseRanking, symmetric": (
        training.ResponseRanking(), losses.MultipleNegativesSymmetricRankingLoss(MODEL), 2, KEYS[:, :3]
    ),
    "GuidedRanking": (training.GuidedRanking(20.0), guided(0.0), 2, GUIDE[:, :2]),
    "GuidedRanking, negatives and margin": (training.GuidedRanking(20.0, 0.1), guided(0.1), 3, GUIDE),
    "Matryoshka": (
        training.Matryoshka(training.CoSENT(), [4, 3], [1.0, 0.5]),
        losses.MatryoshkaLoss(MODEL, losses.CoSENTLoss(MODEL), [8, 4, 3], [1.0, 1.0, 0.5]),
        2,
        SCORES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    objective, loss, count, targets = CASES[name]
    vectors = np.random.RandomState(1).normal(size=(count, ROWS, WIDTH)).astype("float32")
    ours = [tf.constant(vector) for vector in vectors]
    with tf.GradientTape() as tape:
        tape.watch(ours)
        found = objective(ours, targets)
    gradients = tape.gradient(found, ours)
    theirs = [torch.tensor(vector, requires_grad=True) for vector in vectors]
    features = [{"vectors": vector, "guide": torch.tensor(GUIDE[:, i % 3])} for i, vector in enumerate(theirs)]
    wanted = loss(features, torch.tensor(targets))
    wanted.backward()
    print(f"{name}: {float(found):.7g}, sentence-transformers {wanted.item():.7g}")
    np.testing.assert_allclose(float(found), wanted.item(), rtol=2e-6)
    for gradient, vector in zip(gradients, theirs):
        largest = float(vector.grad.abs().max())
        np.testing.assert_allclose(gradient, vector.grad, rtol=1e-4, atol=1e-6 * largest + 1e-7)
