"""Retrieval: how often a query's own answer is found among all answers."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.vectors import as_vectors, check_counts

# Inner products of a block: 64 MiB of float32. Two blocks and a mask are held for a moment.
_PRODUCTS_AT_ONCE = 2**24
# Inner products that differ by less than this share of their vectors' lengths are equal up to float32's rounding.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class RetrievalScores:
    """How well answers are found.

    Attributes:
        num_pairs: how many queries there are, and as many candidates for each.
        precision_at_1: the share of queries whose own answer comes first.
        mean_reciprocal_rank: the mean of 1 / (rank of the own answer).
        recall: {k: the share of queries whose own answer is among the first k}.
    """

    num_pairs: int
    precision_at_1: float
    mean_reciprocal_rank: float
    recall: dict[int, float]


def score_retrieval(queries, answers, embed=None, recall_at=(5, 10)):
    """Ranks all answers for each query by inner product.

    Args:
        queries: N texts, or their vectors (N, D).
        answers: N others; answer i is the right one for query i, and the only one.
        embed: takes a list of `str`, gives vectors (N, D); wanted for texts.
        recall_at: the k for which the recall is wanted.

    Returns:
        A `RetrievalScores`.

    Raises:
        ValueError: for no pairs or unequal numbers of them, for a k below 1, and for vectors that are not finite or of
            unequal width.
    """
    for k in recall_at:
        arguments.positive_integer("recall_at", k)
    check_counts(queries=queries, answers=answers)
    ranks = answer_ranks(*as_vectors(embed, queries, answers))
    return RetrievalScores(
        num_pairs=len(ranks),
        precision_at_1=float(np.mean(ranks == 1)),
        mean_reciprocal_rank=float(np.mean(1 / ranks)),
        recall={int(k): float(np.mean(ranks <= k)) for k in recall_at},
    )


def answer_ranks(queries, answers):
    """The rank, from 1, of each query's own answer by inner product.

    The rank is the worst that ties leave open: all answers that are as good as the own one, copies of it included,
    come before it. An embedder that gives one vector for all texts so ranks N. Blocks of queries keep the memory
    beside the vectors to about 150 MiB.

    Args:
        queries: float32 (N, D).
        answers: float32 (N, D).

    Returns:
        (N,), int64.
    """
    count = len(answers)
    step = max(1, _PRODUCTS_AT_ONCE // count)
    lengths = np.linalg.norm(queries, axis=1), np.linalg.norm(answers, axis=1)
    ranks = np.empty(count, "int64")
    for start in range(0, count, step):
        block = slice(start, start + step)
        products = queries[block] @ answers.T
        own = products[np.arange(len(products)), np.arange(start, start + len(products))]
        ties = _ROUNDING * lengths[0][block] * lengths[1][block]
        # The own answer is counted as well.
        ranks[block] = np.count_nonzero(products >= (own - ties)[:, None], axis=1)
    return ranks
