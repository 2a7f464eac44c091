"""One ranking out of several."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

from keras_transformer import arguments

_ItemT = TypeVar("_ItemT", bound=Hashable)


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[_ItemT]], k: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[_ItemT, float]]:
    """Ranks by the sum of weight / (k + rank) over all rankings; scores of different kinds need not be compared.

    Args:
        rankings: of items, such as ids: lists with the best first, of any lengths.
        k: the larger, the less the first ranks stand out.
        weights: of each ranking; 1 by default.

    Returns:
        A list of (item, score), the best first; of equal scores those that come first in the rankings.

    Raises:
        ValueError: for a `k` below 1, an item that is twice in a ranking, weights of another number or below 0.

    References:
        Cormack et al., 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods".

    Example:
        >>> from keras_transformer.search import reciprocal_rank_fusion
        >>> [item for item, score in reciprocal_rank_fusion([["a", "b", "c"], ["b", "d"]])]
        ['b', 'a', 'd', 'c']
    """
    arguments.positive_integer("k", k)
    weights = [1.0] * len(rankings) if weights is None else weights
    if len(weights) != len(rankings):
        raise ValueError(f"Expected a weight for each ranking. Received: {len(weights)} for {len(rankings)}")
    scores: dict[_ItemT, float] = {}
    for ranking, weight in zip(rankings, weights):
        arguments.non_negative_number("weights", weight)
        if len(set(ranking)) != len(ranking):
            raise ValueError(f"Expected items that are once in a ranking. Received: {list(ranking)}")
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + weight / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])
