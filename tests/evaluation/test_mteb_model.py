# ruff: noqa: E402
"""MTEB over our models, on tasks made of local files. `make test-mteb`."""

import numpy as np
import pytest

mteb = pytest.importorskip("mteb")

from datasets import Dataset, DatasetDict
from mteb.abstasks import AbsTaskClassification, AbsTaskRetrieval
from mteb.abstasks.clustering_legacy import AbsTaskClusteringLegacy
from mteb.abstasks.sts import AbsTaskSTS
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.abstasks.text.bitext_mining import AbsTaskBitextMining
from mteb.models.models_protocols import EncoderProtocol

from keras_transformer import TextEmbedder
from keras_transformer.data import read_beir, read_scored_pairs
from keras_transformer.evaluation import (
    MtebModel,
    score_bitext,
    score_clustering,
    score_information_retrieval,
    score_similarity,
)
from tests import made_data
from tests.data.test_beir import CORPUS, QUERIES, write
from tests.saved_pipelines import embedder, embedder_dir, exported_embedder  # noqa: F401

FIRST, SECOND = made_data.sentences(40, seed=1), made_data.sentences(40, seed=2)
GOLD = [round(i % 11 / 2, 2) for i in range(40)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path / "cache"))


def metadata(kind, main_score):
    return TaskMetadata(
        name=f"Local{kind}", type=kind, main_score=main_score, eval_splits=["test"], eval_langs=["eng-Latn"],
        dataset={"path": "local", "revision": "1"}, description="Made of a local file.", reference=None,
        category="t2t", modalities=["text"], date=("2026-01-01", "2026-01-01"), domains=[], task_subtypes=[],
        license="cc-by-4.0", annotations_creators="derived", dialect=[], sample_creation="found", bibtex_citation="",
    )  # fmt: skip


def task_of(base, kind, main_score, dataset, **attributes):
    """A task of mteb's class whose data are at hand."""

    def load_data(self, **options):
        self.dataset, self.data_loaded = dataset, True

    members = {"metadata": metadata(kind, main_score), "load_data": load_data, **attributes}
    return type(f"Local{kind}", (base,), members)(seed=0)


def scores_of(model, task):
    (result,) = mteb.evaluate(model, task, cache=None, show_progress_bar=False, co2_tracker=False).task_results
    (found,) = result.scores["test"]
    return found


def as_dataset(**columns):
    return DatasetDict({"test": Dataset.from_dict(columns)})


@pytest.fixture
def model(exported_embedder):  # noqa: F811
    return MtebModel(exported_embedder, "local/embedder")


def test_the_protocol(model):
    assert isinstance(model, EncoderProtocol)
    meta = model.mteb_model_meta
    assert (meta.name, meta.revision, meta.use_instructions) == ("local/embedder", "1", False)
    a, b = np.array([[1.0, 0], [1, 1]]), np.array([[0.0, 2], [3, 3]])
    np.testing.assert_allclose(model.similarity(a, b), [[0, 0.5**0.5], [0.5**0.5, 1]], atol=1e-6)
    np.testing.assert_allclose(model.similarity_pairwise(a, b), [0, 1], atol=1e-6)


def test_similarity(model, embedder, write_lines):  # noqa: F811
    pairs = read_scored_pairs(write_lines("sts.tsv", [f"{g}\t{a}\t{b}" for g, a, b in zip(GOLD, FIRST, SECOND)]))
    columns = {"score": pairs.scores, "sentence1": pairs.first, "sentence2": pairs.second}
    task = task_of(AbsTaskSTS, "STS", "cosine_spearman", as_dataset(**columns), min_score=0, max_score=5)
    found = scores_of(model, task)
    wanted = score_similarity(FIRST, SECOND, GOLD, embedder.embed, num_resamples=1)
    assert found["cosine_spearman"] == found["main_score"] == pytest.approx(wanted.spearman.value, abs=1e-5)
    assert found["cosine_pearson"] == pytest.approx(wanted.cosine_pearson.value, abs=1e-5)


def test_retrieval(model, embedder, write_lines):  # noqa: F811
    qrels = ["query-id\tcorpus-id\tscore", "q1\td1\t2", "q1\td3\t1", "2\td2\t1"]
    queries, documents, relevance = task_data = read_beir(*write(write_lines, QUERIES, CORPUS, qrels))
    corpus = {"id": list(documents), "text": list(documents.values()), "title": [""] * len(documents)}
    split = {
        "corpus": Dataset.from_dict(corpus),
        "queries": Dataset.from_dict({"id": list(queries), "text": list(queries.values())}),
        "relevant_docs": relevance,
        "top_ranked": None,
    }
    task = task_of(AbsTaskRetrieval, "Retrieval", "ndcg_at_10", {"default": {"test": split}})
    found = scores_of(model, task)
    wanted = score_information_retrieval(*task_data, embedder.embed)
    for k in (1, 3, 10):
        for name, of in (("ndcg", wanted.ndcg), ("map", wanted.mean_average_precision), ("recall", wanted.recall)):
            assert found[f"{name}_at_{k}"] == pytest.approx(of[k], abs=1e-4), (name, k)
        assert found[f"mrr_at_{k}"] == pytest.approx(wanted.mean_reciprocal_rank[k], abs=1e-4)


def test_bitext(model, embedder):  # noqa: F811
    dataset = as_dataset(sentence1=FIRST, sentence2=[f"{text}." for text in FIRST])
    found = scores_of(model, task_of(AbsTaskBitextMining, "BitextMining", "accuracy", dataset))
    unique = list(dict.fromkeys(FIRST))
    wanted = score_bitext(unique, [f"{text}." for text in unique], embedder.embed)
    # Repeated sentences, of which ours counts each once.
    assert len(unique) in (39, 40) and found["accuracy"] == pytest.approx(wanted.forward_accuracy, abs=0.06)


def test_clustering(model):
    labels = [i % 3 for i in range(40)]
    task = task_of(AbsTaskClusteringLegacy, "Clustering", "v_measure", as_dataset(sentences=[FIRST], labels=[labels]))
    vectors = model.encode([{"text": FIRST}], task_metadata=task.metadata, hf_split="test", hf_subset="default")
    wanted = score_clustering(vectors, labels, num_runs=43).run_v_measures[42]  # the seed that mteb takes
    assert scores_of(model, task)["v_measure"] == pytest.approx(wanted, abs=1e-6)


def test_classification(model):
    texts = [f"{'red dogs' if i % 2 else 'a blue house'} {i}" for i in range(40)]
    columns = {"text": texts, "label": [i % 2 for i in range(40)]}
    dataset = DatasetDict({name: Dataset.from_dict(columns) for name in ("train", "test")})
    found = scores_of(model, task_of(AbsTaskClassification, "Classification", "accuracy", dataset))
    assert found["accuracy"] > 0.8  # 0.5 by chance


def test_prompts_by_role(embedder):  # noqa: F811
    seen = []

    class Watched:
        def embed(self, texts, batch_size):
            seen.append((texts, batch_size))
            return embedder.embed(texts)

    prompts = {"query": "query: ", "document": "passage: "}
    model = MtebModel(Watched(), "local/embedder", prompts=prompts, batch_size=7)
    options = {"task_metadata": metadata("Retrieval", "ndcg_at_10"), "hf_split": "test", "hf_subset": "default"}
    for role in (mteb.types.PromptType.query, mteb.types.PromptType.document, None):
        model.encode([{"text": ["a"]}, {"text": ["b"]}], prompt_type=role, **options)
    model.encode([{"text": ["a"]}], batch_size=3, **options)
    assert seen == [
        (["query: a", "query: b"], 7), (["passage: a", "passage: b"], 7), (["a", "b"], 7), (["a"], 3),
    ]  # fmt: skip
    assert model.mteb_model_meta.use_instructions


def test_an_embedder_s_own_prompts(embedder):  # noqa: F811
    prompts = {"query": "query: ", "passage": "passage: "}
    prompted = TextEmbedder(embedder.encoder, embedder.tokenizer, prompts=prompts, default_prompt="query")
    model = MtebModel(prompted, "local/embedder")
    options = {"task_metadata": metadata("Retrieval", "ndcg_at_10"), "hf_split": "test", "hf_subset": "default"}
    roles = mteb.types.PromptType.query, mteb.types.PromptType.document, None
    for role, prompt in zip(roles, ("query: ", "passage: ", "query: ")):
        found = model.encode([{"text": ["a"]}, {"text": ["b"]}], prompt_type=role, **options)
        np.testing.assert_allclose(found, embedder.embed([f"{prompt}a", f"{prompt}b"]), atol=1e-6)


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="batch_size=0"):
        MtebModel(tmp_path, "local/embedder", batch_size=0)
    with pytest.raises(FileNotFoundError, match="Expected an embedder"):
        MtebModel(tmp_path / "nothing", "local/embedder")
