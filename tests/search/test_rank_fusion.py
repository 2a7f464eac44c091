import pytest

from keras_transformer.search import reciprocal_rank_fusion


def test_by_hand():
    fused = reciprocal_rank_fusion([[7, 3, 5], [3, 9]], k=1)
    assert fused == [(3, 1 / 3 + 1 / 2), (7, 1 / 2), (9, 1 / 3), (5, 1 / 4)]
    assert reciprocal_rank_fusion([["a", "b"], ["b", "a"]], weights=(0, 2)) == [("b", 2 / 61), ("a", 2 / 62)]
    assert reciprocal_rank_fusion([["x", "y"], ["y", "x"]])[0][0] == "x"  # a tie
    assert reciprocal_rank_fusion([]) == [] == reciprocal_rank_fusion([[], []])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([[1]], 0), "Received: k=0"),
        (([[1, 1]],), r"Expected items that are once in a ranking. Received: \[1, 1\]"),
        (([[1]], 60, [1, 2]), "Expected a weight for each ranking. Received: 2 for 1"),
        (([[1]], 60, [-1]), "Received: weights=-1"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        reciprocal_rank_fusion(*arguments)
