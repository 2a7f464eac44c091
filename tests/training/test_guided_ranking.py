import numpy as np
import pytest

from keras_transformer.training import GuidedRanking
from tests.training.objective_values import check, unit, value, vectors


def cosines(u, v):
    return unit(u) @ unit(v).T


def loss(texts, guide, scale, margin=0.0):
    """Row by row, candidate by candidate."""
    losses = []
    kinds = [(0, 1), (0, 0), (1, 1), *((0, k) for k in range(2, len(texts)))]
    for i in range(len(texts[0])):
        own = cosines(guide[0], guide[1])[i, i]
        scores = []
        for a, b in kinds:
            for j in range(len(texts[0])):
                if (a, b, j) != (0, 1, i) and ((a == b and i == j) or cosines(guide[a], guide[b])[i, j] > own - margin):
                    continue
                scores.append(scale * cosines(texts[a], texts[b])[i, j])
        right = scale * cosines(texts[0], texts[1])[i, i]
        losses.append(np.log(np.sum(np.exp(scores))) - right)
    return np.mean(losses)


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("margin", [0.0, 0.3, -2.0])
def test_what_the_guide_finds_as_near_is_no_candidate(count, margin):
    guide = vectors(count, width=4, seed=5)
    guide[1] = guide[1] + guide[0]  # so that own responses are rather near
    guide = list(np.asarray(guide, "float32"))
    check(
        GuidedRanking(7.0, margin), lambda *texts: loss(texts, guide, 7.0, margin), vectors(count), np.stack(guide, 1)
    )


def test_equal_texts_are_never_wrong_for_one_another():
    guide = np.random.RandomState(0).normal(size=(5, 2, 384)).astype("float32")
    guide[:, 1] = guide[0, 1]  # all responses are one text
    guide[:, 0] = guide[0, 1]  # and the inputs too
    assert value(GuidedRanking()(vectors(2), guide)) == 0.0


def test_bad_values():
    with pytest.raises(ValueError, match="scale=0"):
        GuidedRanking(scale=0)
    with pytest.raises(ValueError, match="from -2 to 2. Received: margin=3"):
        GuidedRanking(margin=3)
    with pytest.raises(ValueError, match="vectors of 2 texts a row. Received: 3"):
        GuidedRanking()(vectors(2), np.zeros((5, 3, 4)))
