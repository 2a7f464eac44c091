import numpy as np
import pytest

import keras_transformer
from keras_transformer.search import Hit, SemanticIndex, nearest_vectors
from tests.saved_pipelines import embedder, embedder_dir, question_answer_embedder  # noqa: F401
from tests.search.made_vectors import vectors

TEXTS = [f"a {colour} {noun}" for colour in ("red", "blue", "green") for noun in ("dog", "cat", "house", "漢字")] + [""]


def check(found, queries, vectors_of_texts, texts, top_k, ids=None):
    """That `Hit`s are right; vectors of texts differ by rounding from batch to batch, so that near ones may swap."""
    ids = np.arange(len(texts)) if ids is None else np.asarray(ids)
    scores = queries @ vectors_of_texts.T
    for hits, row, expected in zip(
        found, scores, nearest_vectors(queries, vectors_of_texts, top_k).scores, strict=True
    ):
        np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-5)
        rows = np.searchsorted(ids, [hit.id for hit in hits])
        np.testing.assert_allclose(row[rows], expected, atol=1e-5)
        assert [hit.text for hit in hits] == [texts[place] for place in rows] and len(set(rows)) == len(rows)


def test_texts_are_found_by_their_vectors(embedder):  # noqa: F811
    index = SemanticIndex(embedder)
    np.testing.assert_array_equal(index.add(TEXTS[:5]), np.arange(5))
    np.testing.assert_array_equal(index.add(iter(TEXTS[5:])), np.arange(5, 13))
    queries = ["a dog", "blue"]
    vectors_of_queries, vectors_of_texts = embedder.embed(queries), embedder.embed(TEXTS)
    check(index.search(queries, top_k=4), vectors_of_queries, vectors_of_texts, TEXTS, 4)
    by_vectors = index.search(vectors_of_queries, top_k=4)
    check(by_vectors, vectors_of_queries, vectors_of_texts, TEXTS, 4)
    assert len(index) == 13 and list(index.texts) == TEXTS and index.text(4) == TEXTS[4]
    assert isinstance(by_vectors[0][0], Hit) and type(by_vectors[0][0].id) is int


def test_remove_mask_save_load(embedder, tmp_path):  # noqa: F811
    path = tmp_path / "texts.index"
    index = SemanticIndex.build(path, iter(TEXTS), embedder, model="here")
    index.remove([0, 7])
    left = [text for number, text in enumerate(TEXTS) if number not in (0, 7)]
    ids = [number for number in range(13) if number not in (0, 7)]
    mask = np.array(["dog" not in text for text in left])
    allowed = [text for text in left if "dog" not in text]
    allowed_ids = [number for number, text in zip(ids, left) if "dog" not in text]
    queries = ["a dog", "red", ""]
    of_queries, of_left, of_allowed = (embedder.embed(some) for some in (queries, left, allowed))
    for number in range(3):
        check(index.search(queries, top_k=99), of_queries, of_left, left, 99, ids)
        check(index.search(queries, top_k=3, mask=mask), of_queries, of_allowed, allowed, 3, allowed_ids)
        np.testing.assert_array_equal(index.ids, ids)
        index.save(path)  # over the file that it is mapped from
        index = SemanticIndex.load(path, embedder if number else None)
        assert index.model == "here"
        queries = queries if number else of_queries
    np.testing.assert_array_equal(index.add(["new"]), [13])
    np.testing.assert_allclose(index.vectors(), embedder.embed([*left, "new"]), atol=1e-6)


@pytest.mark.parametrize("precision, rescoring", [("int8", None), ("binary", "int8"), ("binary", "float32")])
def test_low_precision_finds_about_the_same(precision, rescoring, tmp_path):
    corpus, queries = vectors(500, 96, groups=40), vectors(20, 96, groups=40)
    texts = [str(number) for number in range(500)]
    exact = nearest_vectors(queries, corpus, 10).ids
    SemanticIndex.build(tmp_path / "a", texts, vectors=corpus, precision=precision, rescoring=rescoring)
    index = SemanticIndex.load(tmp_path / "a")
    found = [[hit.id for hit in hits] for hits in index.search(queries, rescore_multiplier=10)]
    same = [len(set(a) & set(b)) for a, b in zip(found, exact.tolist())]
    assert sum(same) > 0.9 * 200


def test_approximate(tmp_path):
    pytest.importorskip("usearch")
    corpus, queries = vectors(500, 24, groups=40), vectors(20, 24, seed=3)
    texts = [str(number) for number in range(500)]
    index = SemanticIndex.build(tmp_path / "a", texts, vectors=corpus, approximate=True)
    exact = index.search(queries, exact=True)
    assert [[hit.id for hit in hits] for hits in exact] == nearest_vectors(queries, corpus).ids.tolist()
    near = index.search(queries)
    same = [len({hit.id for hit in a} & {hit.id for hit in b}) for a, b in zip(exact, near, strict=True)]
    assert sum(same) > 0.9 * 200
    index.remove(range(0, 500, 2))
    assert all(hit.id % 2 for hits in index.search(queries) for hit in hits)
    index.save(tmp_path / "a")
    again = SemanticIndex.load(tmp_path / "a")
    again.add(["new"], queries[:1])
    assert again.search(queries[:1])[0][0] == (500, pytest.approx(1), "new")
    allowed = again.ids < 20
    assert {hit.id for hit in again.search(queries, mask=allowed)[0]} == set(range(1, 20, 2))


def test_questions_find_responses(question_answer_embedder):  # noqa: F811
    index = SemanticIndex(question_answer_embedder)
    index.add(TEXTS)
    vectors_ = question_answer_embedder.embed_responses(TEXTS, [""] * len(TEXTS))
    questions = question_answer_embedder.embed_questions(["who?"])
    check(index.search(["who?"], top_k=3), questions, vectors_, TEXTS, 3)


def test_another_embedder_is_refused(embedder, tmp_path):  # noqa: F811
    class Other:
        def embed(self, texts):
            return -embedder.embed(texts)

    for precision in ("float32", "binary"):
        SemanticIndex.build(tmp_path / "a", ["", *TEXTS], embedder, precision=precision)
        assert len(SemanticIndex.load(tmp_path / "a", embedder)) == 14
        with pytest.raises(ValueError, match="Expected the embedder that the index was made with. .* cosine of -"):
            SemanticIndex.load(tmp_path / "a", Other())
        with pytest.raises(TypeError, match="Received: int"):
            SemanticIndex.load(tmp_path / "a", 3)


def test_an_error_leaves_the_file_as_it_was(embedder, tmp_path):  # noqa: F811
    path = tmp_path / "a"
    path.write_text("earlier")
    with pytest.raises(ValueError, match="Expected strings. Received: 3"):
        SemanticIndex.build(path, [*TEXTS, 3], embedder)
    assert path.read_text() == "earlier" and list(tmp_path.iterdir()) == [path]


def test_nothing(embedder, tmp_path):  # noqa: F811
    index = SemanticIndex.build(tmp_path / "a", [], embedder)
    assert index.search(["a", "b"]) == [[], []] and len(index) == 0
    index.add(TEXTS)
    assert index.search([]) == [] and len(index.search(["a"], mask=np.zeros(13, bool))[0]) == 0


@pytest.mark.parametrize(
    "change, message",
    [
        ({"top_k": 0}, "Received: top_k=0"),
        ({"rescore_multiplier": 0}, "Received: rescore_multiplier=0"),
        ({"mask": [True]}, r"Expected a boolean mask \(3,\)"),
        ({"queries": ["a"]}, "Expected embed with texts"),
        ({"queries": np.ones((1, 5))}, r"Expected vectors \(1, 8\)"),
    ],
)
def test_bad_searches(change, message):
    index = SemanticIndex()
    index.add(["a", "b", "c"], vectors(3))
    with pytest.raises(ValueError, match=message):
        index.search(**{"queries": vectors(1), **change})


def test_it_is_a_room_of_the_package():
    assert keras_transformer.search.SemanticIndex is SemanticIndex
