"""Retrieval from a corpus with graded judgements, as BEIR, NanoBEIR and MTEB measure it."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import Embed, of_two_sides
from keras_transformer.evaluation.retrieval import answer_ranks
from keras_transformer.vector_similarity import directions


@dataclasses.dataclass(frozen=True)
class InformationRetrievalScores:
    """How well relevant documents are found, averaged over judged queries; each {k: figure of the first k documents}.

    Attributes:
        num_queries: number of judged queries.
        num_documents: number of documents, all of which are candidates.
        num_relevant: number of pairs of a query and a document that is relevant to it.
        ndcg: the normalized discounted cumulative gain, where a document's gain is its relevance (nDCG@k).
        mean_reciprocal_rank: the mean of 1 / (rank of the first relevant document), 0 if that is beyond k (MRR@k).
        mean_average_precision: the mean over queries of the sum of the precisions at the ranks of relevant documents,
            divided by the number of all relevant documents (MAP@k).
        recall: the fraction of a query's relevant documents.
        precision: the fraction of k.

    Example:
        >>> from keras_transformer.evaluation import score_information_retrieval
        >>> vectors = {"who barks?": [1, 0], "a tree": [3, 2], "a dog": [2, 1]}
        >>> documents, relevance = {"1": "a tree", "2": "a dog"}, {"q": {"2": 1}}
        >>> scores = score_information_retrieval(
        ...     {"q": "who barks?"},
        ...     documents,
        ...     relevance,
        ...     lambda texts: [vectors[text] for text in texts],
        ...     depths=[1, 2],
        ... )
        >>> scores.ndcg, scores.precision
        ({1: 1.0, 2: 1.0}, {1: 1.0, 2: 0.5})
    """

    num_queries: int
    num_documents: int
    num_relevant: int
    ndcg: dict[int, float]
    mean_reciprocal_rank: dict[int, float]
    mean_average_precision: dict[int, float]
    recall: dict[int, float]
    precision: dict[int, float]


def score_information_retrieval(
    queries: Mapping[str, str],
    documents: Mapping[str, str],
    relevance: Mapping[str, Mapping[str, int]],
    embed: Embed,
    embed_documents: Embed | None = None,
    depths: Sequence[int] = (1, 3, 5, 10, 100),
    ignore_identical_ids: bool = False,
) -> InformationRetrievalScores:
    """Ranks all documents for each judged query by cosine, exactly, in constant memory besides the vectors.

    The figures are those of trec_eval (pytrec_eval), and so of BEIR and MTEB. sentence-transformers'
    `InformationRetrievalEvaluator` has the same for relevances of 0 and 1, but for MAP@k where more than k documents
    are relevant: it divides by k.

    Ties count against the embedder: of equal cosines, the less relevant ones rank first. A judged document that is
    not among `documents` counts as not found.

    Args:
        queries: {id: text}. Those without judgement are left out.
        documents: {id: text}.
        relevance: {id of a query: {id of a document: relevance}}; above 0 is relevant. A query without any relevant
            document counts as 0.
        embed: takes a list of `str`, returns vectors (N, D).
        embed_documents: the same for documents, of an encoder with two sides; by default `embed`.
        depths: the k.
        ignore_identical_ids: whether a document with the query's own id is no candidate, as BEIR has it (ArguAna,
            Quora).

    Returns:
        An `InformationRetrievalScores`.

    Raises:
        ValueError: if there are no documents or judgements, a judged query is not among `queries`, a k is not positive,
            or vectors are not finite.

    References:
        Järvelin and Kekäläinen, 2002, "Cumulated Gain-Based Evaluation of IR Techniques"; Thakur et al., 2021, "BEIR".
    """
    for k in depths:
        arguments.positive_integer("depths", k)
    if not (documents and relevance):
        raise ValueError(
            f"Expected documents and judgements. Received: documents={len(documents)}, relevance={len(relevance)}"
        )
    unknown = [query for query in relevance if query not in queries]
    if unknown:
        raise ValueError(f"Expected judgements of the given queries. Received: {unknown[0]!r}")
    texts = [queries[query] for query in relevance]
    vectors = [directions(side) for side in of_two_sides(embed, embed_documents, texts, list(documents.values()))]
    numbers = {document: number for number, document in enumerate(documents)}
    own = [[numbers[query]] if ignore_identical_ids and query in numbers else [] for query in relevance]
    gains = [{document: gain for document, gain in judged.items() if gain > 0} for judged in relevance.values()]
    if ignore_identical_ids:
        for query, judged in zip(relevance, gains):
            judged.pop(query, None)
    found = _ranked_gains(*vectors, gains, numbers, own)
    best = [np.sort(list(judged.values()))[::-1] for judged in gains]
    measures = {name: {int(k): _mean(measure, found, best, k) for k in depths} for name, measure in _MEASURES.items()}
    return InformationRetrievalScores(len(texts), len(documents), sum(map(len, gains)), **measures)


def _ranked_gains(queries, documents, gains, numbers, own):
    """For each query (ranks (R,), ascending, gains (R,)) of its relevant documents that are among the documents."""
    known = [{numbers[document]: gain for document, gain in judged.items() if document in numbers} for judged in gains]
    right = [np.array(list(judged), np.int64) for judged in known]
    ranks = answer_ranks(queries, documents, right, own)
    found = []
    for query, places, judged, ascending in zip(queries, right, known, ranks):
        values = np.array(list(judged.values()), "float64")
        found.append((ascending, values[np.lexsort((values, -(documents[places] @ query)))]))
    return found


def _mean(measure, found, best, k):
    return float(np.mean([measure(*ranked, ideal, k) if len(ideal) else 0 for ranked, ideal in zip(found, best)]))


def _ndcg(ranks, gains, best, k):
    first = ranks <= k
    ideal = best[:k]
    return np.sum(gains[first] / np.log2(ranks[first] + 1)) / np.sum(ideal / np.log2(np.arange(len(ideal)) + 2))


def _reciprocal_rank(ranks, gains, best, k):
    return 1 / ranks[0] if len(ranks) and ranks[0] <= k else 0


def _average_precision(ranks, gains, best, k):
    first = ranks[ranks <= k]
    return np.sum(np.arange(1, len(first) + 1) / first) / len(best)


_MEASURES = {
    "ndcg": _ndcg,
    "mean_reciprocal_rank": _reciprocal_rank,
    "mean_average_precision": _average_precision,
    "recall": lambda ranks, gains, best, k: np.count_nonzero(ranks <= k) / len(best),
    "precision": lambda ranks, gains, best, k: np.count_nonzero(ranks <= k) / k,
}
