"""Measures beside those of sentence-transformers, and of pytrec_eval where it is installed."""

import unittest.mock

import numpy as np
import pytest

from keras_transformer.evaluation import score_bitext, score_information_retrieval, score_similarity
from tests.evaluation.made_retrieval import embed_as, made_task

util = pytest.importorskip("sentence_transformers.util")
torch = pytest.importorskip("torch")
evaluation = pytest.importorskip("sentence_transformers.sentence_transformer.evaluation")


class Encoder:
    """Stands for a SentenceTransformer: vectors of a table."""

    similarity_fn_name = "cosine"
    similarity = staticmethod(util.cos_sim)

    def __init__(self, vectors):
        self.embed = embed_as(vectors)
        self.model_card_data = unittest.mock.Mock()  # takes notes of measures

    def encode(self, sentences, convert_to_tensor=False, convert_to_numpy=True, **options):
        vectors = np.asarray(self.embed(sentences), "float32")
        if convert_to_tensor:
            return torch.from_numpy(vectors)
        return vectors if convert_to_numpy else list(torch.from_numpy(vectors))

    encode_query = encode_document = encode


def test_information_retrieval():
    queries, documents, relevance, vectors = made_task(gains=2)
    relevant = {query: {name for name, gain in judged.items() if gain} for query, judged in relevance.items()}
    depths = [1, 3, 10]
    names = dict.fromkeys(("accuracy_at_k", "mrr_at_k", "ndcg_at_k", "map_at_k", "precision_recall_at_k"), depths)
    evaluator = evaluation.InformationRetrievalEvaluator(
        queries, documents, relevant, show_progress_bar=False, write_csv=False, **names
    )
    found = evaluator(Encoder(vectors))
    scores = score_information_retrieval(queries, documents, relevance, embed_as(vectors), depths=depths)
    ours = {"ndcg": scores.ndcg, "mrr": scores.mean_reciprocal_rank}
    ours |= {"recall": scores.recall, "precision": scores.precision}
    for name, figures in ours.items():
        for k in depths:
            assert figures[k] == pytest.approx(found[f"cosine_{name}@{k}"], abs=1e-6), (name, k)
    # At 10 nothing is cut: no query has more relevant documents.
    assert scores.mean_average_precision[10] == pytest.approx(found["cosine_map@10"], abs=1e-6)


def test_similarity():
    *_, vectors = made_task()
    first, second = list(vectors)[:90], list(vectors)[90:180]
    gold = np.random.default_rng(0).integers(0, 6, 90)
    options = {"write_csv": False, "show_progress_bar": False, "main_similarity": "cosine"}
    found = evaluation.EmbeddingSimilarityEvaluator(first, second, gold, **options)(Encoder(vectors))
    scores = score_similarity(first, second, gold, embed_as(vectors), num_resamples=1)
    assert scores.cosine_pearson.value == pytest.approx(found["pearson_cosine"], abs=1e-6)
    assert scores.spearman.value == pytest.approx(found["spearman_cosine"], abs=1e-6)


def test_bitext():
    queries, _, _, vectors = made_task(num_queries=60, gains=2)
    sources = list(queries.values())
    targets = [f"document {number}" for number in range(len(sources))]
    vectors |= {target: vectors[source] + vectors[target] for source, target in zip(sources, targets)}
    found = evaluation.TranslationEvaluator(sources, targets, write_csv=False)(Encoder(vectors))
    scores = score_bitext(sources, targets, embed_as(vectors))
    assert scores.forward_accuracy == found["src2trg_accuracy"] and 0 < scores.forward_accuracy < 1
    assert scores.backward_accuracy == found["trg2src_accuracy"]


def test_information_retrieval_by_trec_eval():
    """Graded judgements, queries without a relevant document, documents that are not in the corpus."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    queries, documents, relevance, vectors = made_task()
    relevance["q0"] = {"d0": 0}
    relevance["q1"]["gone"] = 3
    depths = [1, 3, 10, 100]
    scores = score_information_retrieval(queries, documents, relevance, embed_as(vectors), depths=depths)
    unit = {text: vector / np.linalg.norm(vector) for text, vector in vectors.items()}
    run = {
        query: {name: float(unit[text] @ unit[words]) for name, words in documents.items()}
        for query, text in queries.items()
    }
    cut = ",".join(map(str, depths))
    measures = {"ndcg_cut": scores.ndcg, "map_cut": scores.mean_average_precision}
    measures |= {"recall": scores.recall, "P": scores.precision}
    of_queries = pytrec_eval.RelevanceEvaluator(relevance, {f"{name}.{cut}" for name in measures}).evaluate(run)
    for name, figures in measures.items():
        for k in depths:
            wanted = np.mean([found[f"{name}_{k}"] for found in of_queries.values()])
            assert figures[k] == pytest.approx(wanted, abs=1e-9), (name, k)
