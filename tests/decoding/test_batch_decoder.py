import numpy as np
import pytest

from keras_transformer.decoding import BeamSearch, GreedySearch
from tests.decoding import models
from tests.decoding.models import END, HashModel, as_lists

SOURCE = np.array([[4, 5, 6, 7, 3], [8, 9, 3, 0, 0]])
MANY = 4001  # tokens: enough to look at groups of logits, the last of them not full


def test_probabilities_among_the_tokens_that_may_come():
    model = models.FixedModel(np.log([0.2, 0.1, 0.1, 0.25, 0.35]).astype("float32"))
    search = BeamSearch(2, 0.0, min_length=1, rules="hugging_face", renormalize=True)
    found = search(model, SOURCE, [2, 1], 2, END)
    # Neither padding nor begin, and at first no end: of 0.45, then of 0.7.
    wanted = [[0.35 / 0.45 * 0.35 / 0.7, 0.35 / 0.45 * 0.25 / 0.7], [0.35 / 0.45, 0.1 / 0.45]]
    np.testing.assert_allclose(np.exp(found.scores), wanted, rtol=1e-5)
    np.testing.assert_array_equal(found.ids, [[[4, 4], [4, 3]], [[4, 0], [1, 0]]])


@pytest.mark.parametrize("min_length", [0, 4])
def test_many_tokens_of_which_the_forbidden_ones_are_likeliest(min_length):
    model, limits = HashModel(MANY, 2), np.array([6, 3])
    model.table[:, [models.PADDING, models.BEGIN, END]] += 9.0
    beam = BeamSearch(3, 0.0, min_length=min_length)(model, SOURCE, limits, 2, END)
    greedy = GreedySearch(min_length)(model, SOURCE, limits, 2, END)
    for row in range(2):
        for found, beam_size in ((beam, 3), (greedy, 1)):
            log_probs = lambda tokens: model.log_probs(SOURCE[row], tokens)  # noqa: B023, E731
            wanted = models.beam_search(log_probs, limits[row], beam_size, lambda length: 1, min_length)
            assert [tokens for _, tokens in as_lists(found, row)] == [tokens for _, tokens in wanted[:beam_size]]
