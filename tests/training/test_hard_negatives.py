import numpy as np
import pytest

from keras_transformer.training import mine_hard_negatives

# Angles in degrees: each text is a vector on the circle.
ANGLES = {"q": 0, "r": 90, "a": 20, "b": 30, "c": 40, "d": 80, "e": 100, "f": 120}


class Embedder:
    def embed(self, texts, batch_size=32):
        angles = np.radians([ANGLES[text] for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")


def mine(pairs=(("q", "b"), ("r", "e")), corpus=tuple(ANGLES), **options):
    return mine_hard_negatives(Embedder(), pairs, corpus, **options)


def test_the_nearest_that_are_neither_input_nor_response():
    assert mine() == [("q", "b", "a"), ("r", "e", "d")]
    assert mine(num_negatives=2) == [("q", "b", "a", "c"), ("r", "e", "d", "f")]
    assert mine(skip=1) == [("q", "b", "c"), ("r", "e", "f")]
    assert mine(corpus=["f", "f", "c", "c"], num_negatives=2) == [("q", "b", "c", "f"), ("r", "e", "f", "c")]


def test_no_response_of_an_input_is_a_negative_in_another_row():
    pairs = [("q", "b"), ("q", "a"), ("r", "e")]
    assert mine(pairs) == [("q", "b", "c"), ("q", "a", "c"), ("r", "e", "d")]


def test_responses_are_searched_by_default():
    assert mine(corpus=None) == [("q", "b", "e"), ("r", "e", "b")]


def cosine(angle):
    return np.cos(np.radians(angle))


def test_limits():
    assert mine(margin=0.01) == [("q", "b", "c"), ("r", "e", "f")]
    assert mine(margin=0.11) == [("q", "b", "d"), ("r", "e", "f")]
    assert mine(relative_margin=0.1) == [("q", "b", "c"), ("r", "e", "f")]
    assert mine(max_score=cosine(35)) == [("q", "b", "c"), ("r", "e", "c")]
    assert mine(min_score=cosine(15)) == [("r", "e", "d")]  # nothing is so near to q
    assert mine(among=1, margin=0.01) == []


def test_what_is_no_negative_takes_no_place_among_the_nearest():
    pairs = [("q", "a"), ("q", "b"), ("q", "c")]
    assert mine(pairs, among=1) == [("q", "a", "d"), ("q", "b", "d"), ("q", "c", "d")]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_negatives": 0}, "num_negatives=0"),
        ({"skip": -1}, "skip=-1"),
        ({"skip": 3, "among": 3}, "Received: among=3, skip=3"),
        ({"pairs": []}, "Received: 0 and 8"),
        ({"corpus": []}, "Received: 2 and 0"),
    ],
)
def test_bad_values(options, message):
    with pytest.raises(ValueError, match=message):
        mine(**options)
