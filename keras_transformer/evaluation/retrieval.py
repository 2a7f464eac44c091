"""Retrieval: how often the right answers to a query are found among all answers."""

import dataclasses

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.vectors import as_vectors, check_counts

# Inner products of a block: 64 MiB of float32.
_PRODUCTS_AT_ONCE = 2**24
# Inner products that differ by less than this share of their vectors' lengths are equal up to float32's rounding.
_ROUNDING = 1e-6
# Vectors of one document that differ by more than this share of their length are of two. bfloat16 rounds by 0.004.
_SAME_DOCUMENT = 0.02
_NDCG_DEPTH = 10


@dataclasses.dataclass(frozen=True)
class RetrievalScores:
    """How well answers are found. Each different query counts once in the means.

    Attributes:
        num_pairs: the number of rows.
        num_queries: the number of different queries.
        num_answers: the number of different answers, which are the candidates.
        precision_at_1: the share of queries for which a right answer comes first (P@1).
        mean_reciprocal_rank: the mean of 1 / (rank of the first right answer) (MRR).
        mean_average_precision: the mean, over queries and their right answers, of the share of right answers among
            those up to this one (MAP).
        ndcg_at_10: the normalized discounted cumulative gain of the first 10, with a gain of 1 for a right answer.
        recall: {k: the share of a query's right answers that are among the first k, averaged over queries}.
    """

    num_pairs: int
    num_queries: int
    num_answers: int
    precision_at_1: float
    mean_reciprocal_rank: float
    mean_average_precision: float
    ndcg_at_10: float
    recall: dict[int, float]


def score_retrieval(queries, answers, embed=None, recall_at=(5, 10), query_ids=None, answer_ids=None):
    """Ranks all answers for each query by inner product.

    Row i says that answer i is right for query i. The candidates are the different answers. A query that stands in
    several rows has several right answers. A text that is both a query and an answer is not a candidate for itself,
    unless a row says that it is right.

    Answers that are equally good count against the embedder: the wrong ones come first. An embedder with one vector for
    all texts so ranks the right answers last.

    Args:
        queries: N texts, or their vectors (N, D).
        answers: N others.
        embed: takes a list of `str`, gives vectors (N, D); wanted for texts. It is called with the different ones.
        recall_at: the k for which the recall is wanted.
        query_ids: with vectors, N values (numbers, `str`); rows with equal ones have the same query. By default each
            row has a query of its own.
        answer_ids: the same for the answers: which rows are the same document.

    Returns:
        A `RetrievalScores`.

    Raises:
        ValueError: for no pairs or unequal numbers of them, for a k below 1, for ids beside texts, and for vectors that
            are not finite, of unequal width, or different where the ids say that they are the same.

    References:
        Järvelin and Kekäläinen, 2002, "Cumulated Gain-Based Evaluation of IR Techniques" (nDCG); Thakur et al., 2021,
        "BEIR" (a query is no candidate for itself).
    """
    for k in recall_at:
        arguments.positive_integer("recall_at", k)
    check_counts(queries=queries, answers=answers)
    if embed is not None:
        if query_ids is not None or answer_ids is not None:
            raise ValueError("Expected query_ids and answer_ids beside vectors only. Received: embed as well")
        query_ids, answer_ids = queries, answers
    query_of_row = _numbered("query_ids", query_ids, queries)
    answer_of_row = _numbered("answer_ids", answer_ids, answers)
    right = _right_answers(query_of_row, answer_of_row)
    if embed is None:
        of_queries, of_answers = as_vectors(None, queries, answers)
        of_queries = _of_documents("query_ids", of_queries, query_of_row)
        of_answers = _of_documents("answer_ids", of_answers, answer_of_row)
        left_out = None
    else:
        texts = list(dict.fromkeys(queries)), list(dict.fromkeys(answers))
        of_queries, of_answers = as_vectors(embed, *texts)
        left_out = _own_texts(*texts, right)
    ranks = answer_ranks(of_queries, of_answers, right, left_out)
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


def answer_ranks(queries, answers, right, left_out=None):
    """The ranks, from 1, of each query's right answers by inner product.

    The ranks are the worst that ties leave open: wrong answers that are as good as a right one come before it. Blocks
    of queries keep the memory beside the vectors to about 64 MiB.

    Args:
        queries: float32 (Q, D).
        answers: float32 (A, D), the candidates.
        right: for each query the indices of its right answers, an integer array (R,).
        left_out: for each query the indices of answers that are no candidates; by default none.

    Returns:
        A list of Q arrays (R,), int64, ascending.
    """
    left_out = left_out or [[]] * len(queries)
    step = max(1, _PRODUCTS_AT_ONCE // len(answers))
    query_lengths, answer_lengths = np.linalg.norm(queries, axis=1), np.linalg.norm(answers, axis=1)
    ranks = []
    for start in range(0, len(queries), step):
        products = queries[start : start + step] @ answers.T
        for number, row in enumerate(products, start):
            own = right[number]
            as_good = row[own] - _ROUNDING * query_lengths[number] * answer_lengths[own]
            row[own] = row[left_out[number]] = -np.inf
            wrong_before = sorted(np.count_nonzero(row >= threshold) for threshold in as_good)
            ranks.append(np.arange(1, len(own) + 1) + wrong_before)
    return ranks


def _numbered(name, ids, rows):
    """The number of each row's id, counted in the order in which the different ones come: int (N,)."""
    if ids is None:
        return np.arange(len(rows))
    check_counts(**{name: ids, "rows": rows})
    numbers = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in ids])


def _right_answers(query_of_row, answer_of_row):
    """For each query the numbers of its answers, each once."""
    right = [[] for _ in range(query_of_row.max() + 1)]
    for query, answer in zip(query_of_row, answer_of_row):
        right[query].append(answer)
    return [np.unique(answers) for answers in right]


def _of_documents(name, vectors, document_of_row):
    """The vector of each document, from rows (N, D): the first of its rows."""
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
    """For each query the number of the answer that is the same text, unless that is right."""
    numbers = {text: number for number, text in enumerate(answers)}
    own = [[numbers[text]] if text in numbers else [] for text in queries]
    return [[] if set(same) & set(found) else same for same, found in zip(own, right)]


def _average_precision(ranks):
    return np.mean(np.arange(1, len(ranks) + 1) / ranks)


def _normalized_gain(ranks, depth):
    """The gain of right answers at these ranks, from 1, over that of as many at the top."""
    best = np.arange(1, min(len(ranks), depth) + 1)
    return np.sum(1 / np.log2(ranks[ranks <= depth] + 1)) / np.sum(1 / np.log2(best + 1))
