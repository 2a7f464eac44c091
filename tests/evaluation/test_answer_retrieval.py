import numpy as np
import pytest

from keras_transformer.evaluation import score_answers

VECTORS = {"how old?": [1, 0], "how far?": [0, 1], "ten": [0.9, 0.1], "near": [0.2, 0.5], "red": [0.5, 0.6]}
# A context moves the vector of its answer.
MOVES = {"": [0, 0], "of a house": [0, 1]}


class Embedder:
    """Keeps what it is asked for."""

    def __init__(self):
        self.asked = []

    def embed_questions(self, texts, batch_size=32):
        self.asked.append((list(texts), batch_size))
        return np.array([VECTORS[text] for text in texts], "float32")

    def embed_responses(self, texts, contexts=None, batch_size=32):
        self.asked.append((list(texts), list(contexts), batch_size))
        return np.array([np.add(VECTORS[text], MOVES[context]) for text, context in zip(texts, contexts)], "float32")


def test_ranks_among_all_different_answers():
    """By hand: "how old?" finds ten (0.9) first and red (0.5) second; "how far?" finds near (0.5) behind red (0.6)."""
    embedder = Embedder()
    questions, answers = ["how old?", "how far?", "how old?"], ["ten", "near", "red"]
    scores = score_answers(embedder, questions, answers, batch_size=7, recall_at=(1,))
    assert (scores.num_pairs, scores.num_queries, scores.num_answers) == (3, 2, 3)
    assert scores.precision_at_1 == 0.5 and scores.mean_reciprocal_rank == 0.75
    assert scores.recall == {1: 0.25}
    assert embedder.asked == [(["how old?", "how far?"], 7), (["ten", "near", "red"], ["", "", ""], 7)]


def test_an_answer_in_another_context_is_another_one():
    """To "how far?" near (0.5) is right, and near in a house (1.5) and red (0.6) are ahead of it."""
    embedder = Embedder()
    questions, answers = ["how far?", "how old?", "how old?", "how old?"], ["near", "near", "red", "red"]
    scores = score_answers(embedder, questions, answers, ["", "of a house", "", ""])
    assert (scores.num_answers, scores.num_queries) == (3, 2)
    assert scores.mean_reciprocal_rank == pytest.approx((1 / 3 + 1) / 2)


@pytest.mark.parametrize("lists", [([], []), (["how old?"], []), (["how old?"], ["ten"], [])])
def test_bad_lists(lists):
    with pytest.raises(ValueError, match="Expected equally many of each, at least one. Received: questions="):
        score_answers(Embedder(), *lists)
