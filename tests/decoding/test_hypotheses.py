import numpy as np

from keras_transformer.decoding import BeamSearch, Hypotheses
from tests.decoding.models import BEGIN, END, HashModel


def test_the_best_comes_first_and_what_is_missing_is_padding():
    found = BeamSearch(4, 0.0)(HashModel(5, 1), np.array([[4, 3]]), [1], BEGIN, END)
    assert isinstance(found, Hypotheses) and found.ids.shape == (1, 4, 1)
    scores = np.asarray(found.scores[0])
    assert (np.diff(scores[np.isfinite(scores)]) <= 0).all()
    # Of five tokens padding and begin are never chosen: three hypotheses of one token.
    assert np.isneginf(scores[3]) and found.ids[0, 3, 0] == 0
