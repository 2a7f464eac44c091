"""Retrieval: how well the right answers to a query are found among all answers."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import Embed, Labels, as_vectors, check_counts, of_two_sides
from keras_transformer.types import Texts

# Inner products in a block: 64 MiB of float32.
_PRODUCTS_AT_ONCE = 2**24
# The rounding error of inner products in float32, relative to the lengths of the vectors: closer products are ties.
_ROUNDING = 1e-6
# The largest relative distance of two vectors of one document, above the rounding error of bfloat16, which is 0.004.
_SAME_DOCUMENT = 0.02
_NDCG_DEPTH = 10


@dataclasses.dataclass(frozen=True)
class RetrievalScores:
    """How well right answers are retrieved, averaged over distinct queries.

    Attributes:
        num_pairs: number of pairs.
        num_queries: number of distinct queries.
        num_answers: number of distinct answers, which are the candidates.
        precision_at_1: the fraction of queries with a right answer at rank 1 (P@1).
        mean_reciprocal_rank: the mean of 1 / (rank of the first right answer) (MRR).
        mean_average_precision: the mean, over queries and their right answers, of the precision at the rank of the
            right answer (MAP).
        ndcg_at_10: the normalized discounted cumulative gain at 10, with a gain of 1 for a right answer.
        recall: {k: the fraction of a query's right answers among the first k}.

    Example:
        >>> from keras_transformer.evaluation import score_retrieval
        >>> scores = score_retrieval(np.eye(3), np.eye(3)[[0, 1, 1]])
        >>> scores.num_queries, round(scores.precision_at_1, 2)
        (3, 0.33)
    """

    num_pairs: int
    num_queries: int
    num_answers: int
    precision_at_1: float
    mean_reciprocal_rank: float
    mean_average_precision: float
    ndcg_at_10: float
    recall: dict[int, float]


def score_retrieval(
    queries: Texts,
    answers: Texts,
    embed: Embed | None = None,
    recall_at: Sequence[int] = (5, 10),
    query_ids: Labels | None = None,
    answer_ids: Labels | None = None,
    embed_answers: Embed | None = None,
) -> RetrievalScores:
    """Ranks all answers for each query by inner product.

    In pair i, answer i is right for query i. All distinct answers are candidates for each query. A query that occurs in
    several pairs has several right answers. A text that is both a query and an answer is no candidate for itself,
    unless a pair makes it its right answer.

    Ties count against the embedder: among answers with equal products, the wrong ones rank first. An embedder with the
    same vector for all texts thus ranks the right answers last.

    Args:
        queries: N texts, or their vectors (N, D).
        answers: N texts or vectors.
        embed: takes a list of `str`, returns vectors (N, D); required for texts. It gets the distinct ones.
        recall_at: the k of the recall at k.
        query_ids: with vectors, N numbers or `str`: pairs with equal ones have the same query. By default the queries
            of all pairs are distinct.
        answer_ids: the same for the answers.
        embed_answers: as `embed`, for answers, of an encoder with two sides; by default `embed`.

    Returns:
        A `RetrievalScores`.

    Raises:
        ValueError: if there are no pairs, the lists differ in length, a k is not positive, ids are given with texts, or
            the vectors are not finite, differ in width, or differ for the same id; for embed_answers without embed.

    Example:
        >>> from keras_transformer.evaluation import score_retrieval
        >>> vectors = {"who barks?": [1, 0], "a dog": [2, 1], "what is green?": [0, 1], "a tree": [0, 3]}
        >>> embed = lambda texts: [vectors[text] for text in texts]
        >>> scores = score_retrieval(["who barks?", "what is green?"], ["a dog", "a tree"], embed)
        >>> scores.precision_at_1, scores.recall
        (1.0, {5: 1.0, 10: 1.0})

    References:
        Järvelin and Kekäläinen, 2002, "Cumulated Gain-Based Evaluation of IR Techniques" (nDCG); Thakur et al., 2021,
        "BEIR" (a query is no candidate for itself).
    """
    for k in recall_at:
        arguments.positive_integer("recall_at", k)
    check_counts(queries=queries, answers=answers)
    if embed is None and embed_answers is not None:
        raise ValueError("Expected embed with embed_answers. Received: embed_answers alone")
    if embed is not None:
        if query_ids is not None or answer_ids is not None:
            raise ValueError("Expected query_ids and answer_ids with vectors only. Received: embed as well")
        query_ids, answer_ids = queries, answers
    query_of_row = _numbered("query_ids", query_ids, queries)
    answer_of_row = _numbered("answer_ids", answer_ids, answers)
    right = _right_answers(query_of_row, answer_of_row)
    if embed is None:
        of_queries, of_answers = as_vectors(None, queries, answers)
        of_queries = _of_documents("query_ids", of_queries, query_of_row)
        of_answers = _of_documents("answer_ids", of_answers, answer_of_row)
        excluded = None
    else:
        texts = list(dict.fromkeys(queries)), list(dict.fromkeys(answers))
        of_queries, of_answers = of_two_sides(embed, embed_answers, *texts)
        excluded = _own_texts(*texts, right)
    ranks = answer_ranks(of_queries, of_answers, right, excluded)
    return RetrievalScores(
        num_pairs=len(queries),
        num_queries=len(of_queries),
        num_answers=len(of_answers),
        precision_at_1=float(np.mean([found[0] == 1 for found in ranks])),
        mean_reciprocal_rank=float(np.mean([1 / found[0] for found in ranks])),
        mean_average_precision=float(np.mean([_average_precision(found) for found in ranks])),
        ndcg_at_10=float(np.mean([_normalized_gain(found, _NDCG_DEPTH) for found in ranks])),
        recall={int(k): float(np.mean([np.mean(found <= k) for found in ranks])) for k in recall_at},
    )


def answer_ranks(
    queries: np.ndarray,
    answers: np.ndarray,
    right: Sequence[np.ndarray],
    excluded: Sequence[Sequence[int]] | None = None,
) -> list[np.ndarray]:
    """The ranks, from 1, of each query's right answers by inner product.

    Wrong answers rank before right ones with an equal product. Queries are processed in blocks, so that the memory
    besides the vectors stays at about 64 MiB.

    Args:
        queries: float32 (Q, D).
        answers: float32 (A, D), the candidates.
        right: for each query the indices of its right answers, an integer array (R,).
        excluded: for each query the indices of answers that are no candidates; by default none.

    Returns:
        A list of Q arrays (R,), int64, ascending.
    """
    excluded = excluded or [[]] * len(queries)
    step = max(1, _PRODUCTS_AT_ONCE // len(answers))
    query_lengths, answer_lengths = np.linalg.norm(queries, axis=1), np.linalg.norm(answers, axis=1)
    ranks = []
    for start in range(0, len(queries), step):
        products = queries[start : start + step] @ answers.T
        for number, row in enumerate(products, start):
            own = right[number]
            as_good = row[own] - _ROUNDING * query_lengths[number] * answer_lengths[own]
            row[own] = row[excluded[number]] = -np.inf
            wrong_before = sorted(np.count_nonzero(row >= threshold) for threshold in as_good)
            ranks.append(np.arange(1, len(own) + 1) + wrong_before)
    return ranks


def _numbered(name, ids, rows):
    """The number of each row's id in the order of first occurrence, int (N,)."""
    if ids is None:
        return np.arange(len(rows))
    check_counts(**{name: ids, "rows": rows})
    numbers = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in ids])


def _right_answers(query_of_row, answer_of_row):
    """For each query the distinct numbers of its answers."""
    right = [[] for _ in range(query_of_row.max() + 1)]
    for query, answer in zip(query_of_row, answer_of_row):
        right[query].append(answer)
    return [np.unique(answers) for answers in right]


def _of_documents(name, vectors, document_of_row):
    """The vector of each document: the first of its rows of `vectors` (N, D), which must be equal."""
    _, first_rows = np.unique(document_of_row, return_index=True)
    documents = vectors[first_rows]
    distances = np.linalg.norm(vectors - documents[document_of_row], axis=1)
    different = np.flatnonzero(distances > _SAME_DOCUMENT * np.linalg.norm(vectors, axis=1))
    if different.size:
        row = different[0]
        rows = f"rows {first_rows[document_of_row[row]]} and {row}"
        raise ValueError(f"Expected equal vectors for equal {name}. Received: different ones in {rows}")
    return documents


def _own_texts(queries, answers, right):
    """For each query the number of the answer with the same text, unless that is right."""
    numbers = {text: number for number, text in enumerate(answers)}
    own = [[numbers[text]] if text in numbers else [] for text in queries]
    return [[] if set(same) & set(found) else same for same, found in zip(own, right)]


def _average_precision(ranks):
    return np.mean(np.arange(1, len(ranks) + 1) / ranks)


def _normalized_gain(ranks, depth):
    """The discounted gain of right answers at these ranks, relative to that of as many at the top."""
    best = np.arange(1, min(len(ranks), depth) + 1)
    return np.sum(1 / np.log2(ranks[ranks <= depth] + 1)) / np.sum(1 / np.log2(best + 1))
