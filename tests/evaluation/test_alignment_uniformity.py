import numpy as np
import pytest

from keras_transformer.evaluation import alignment_uniformity, score_alignment_uniformity

RANDOM = np.random.default_rng(4)
FIRST, SECOND = RANDOM.normal(size=(2, 37, 5)) * RANDOM.uniform(0.1, 9, size=(2, 37, 1))


def by_definition(first, second, everything):
    """As the paper's code has it, pair by pair."""
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (first, second, everything)]
    alignment = np.mean(np.linalg.norm(unit[0] - unit[1], axis=1) ** 2)
    above = np.triu_indices(len(everything), 1)
    distances = np.linalg.norm(unit[2][:, None] - unit[2], axis=-1)[above]
    return alignment, np.log(np.mean(np.exp(-2 * distances**2)))


@pytest.mark.parametrize("at_once", [3, 1024])
def test_losses_are_those_of_the_paper(at_once, monkeypatch):
    monkeypatch.setattr(alignment_uniformity, "_ROWS_AT_ONCE", at_once)
    is_positive = np.arange(37) % 3 == 0
    scores = score_alignment_uniformity(FIRST, SECOND, is_positive=is_positive)
    wanted = by_definition(FIRST[is_positive], SECOND[is_positive], np.concatenate([FIRST, SECOND]))
    np.testing.assert_allclose([scores.alignment, scores.uniformity], wanted, rtol=1e-5)
    assert (scores.num_pairs, scores.num_texts) == (13, 74)


def test_each_text_counts_once():
    vectors = {"a": [1, 0], "b": [0, 2], "c": [-1, 1]}
    scores = score_alignment_uniformity(["a", "a", "b"], ["b", "c", "c"], lambda texts: [vectors[t] for t in texts])
    columns = [np.array([vectors[text] for text in texts], float) for texts in ("aab", "bcc", "abc")]
    np.testing.assert_allclose([scores.alignment, scores.uniformity], by_definition(*columns), rtol=1e-6)
    assert (scores.num_pairs, scores.num_texts) == (3, 3)


def test_one_vector_for_everything():
    scores = score_alignment_uniformity(np.ones((4, 3)), np.ones((4, 3)))
    assert scores.alignment == 0 and scores.uniformity == pytest.approx(0, abs=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="first=37, second=36"):
        score_alignment_uniformity(FIRST, SECOND[1:])
    with pytest.raises(ValueError, match=r"at least one of them true. Received: bool \(37,\), 0 true"):
        score_alignment_uniformity(FIRST, SECOND, is_positive=np.zeros(37, bool))
    with pytest.raises(ValueError, match="at least 2 distinct texts. Received: 1"):
        score_alignment_uniformity(["a"], ["a"], lambda texts: [[1.0]] * len(texts))
