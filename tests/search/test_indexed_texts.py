import numpy as np
import pytest

from keras_transformer.search.indexed_texts import IndexedTexts
from keras_transformer.search.layout import Layout
from keras_transformer.search.unit_vectors import unit_vectors
from tests.search.made_vectors import vectors

TEXTS = [f"text {number}" for number in range(40)]


@pytest.fixture
def few_at_once(monkeypatch):
    monkeypatch.setattr("keras_transformer.search.indexed_texts.TEXTS_AT_ONCE", 7)


@pytest.mark.parametrize("precision, rescoring", [("float32", None), ("int8", None), ("binary", "float32")])
def test_what_is_written_is_read(precision, rescoring, few_at_once, tmp_path):
    corpus = vectors(40, 70)
    texts = IndexedTexts(Layout(precision, rescoring))
    texts.add(TEXTS[:23], corpus[:23])
    texts.add(iter(TEXTS[23:]), iter(corpus[23:]))
    texts.remove(np.array([3, 4, 39, 4]))
    atol = 0.01 if precision == "int8" else 1e-7
    left = np.setdiff1d(np.arange(40), [3, 4, 39])
    np.testing.assert_allclose(texts.vectors(), unit_vectors(corpus)[left], atol=atol)

    texts.write(tmp_path / "a", "model")
    read, model = IndexedTexts.read(tmp_path / "a")
    assert (model, read.width, read.next_id, read.layout.rescoring) == ("model", 70, 40, rescoring)
    np.testing.assert_array_equal(read.ids, left)  # what was removed has no row any more
    np.testing.assert_array_equal(read.vectors(), texts.vectors())
    assert [read.rows.text(read.row_of(number)) for number in left] == [TEXTS[number] for number in left]
    read.add(["more"], np.ones((1, 70)))
    assert read.ids[-1] == 40  # the id of 39 is not given again

    # Onto a file, without keeping it.
    whole = IndexedTexts(Layout(precision, rescoring))
    whole.write(tmp_path / "b", None, whole.encoded(iter(TEXTS), iter(corpus), None))
    assert len(whole.rows) == 0
    read, model = IndexedTexts.read(tmp_path / "b")
    assert model is None
    np.testing.assert_allclose(read.vectors(), unit_vectors(corpus), atol=atol)


def test_all_or_nothing(few_at_once):
    texts = IndexedTexts(Layout())
    for given, made, message in [
        (TEXTS, vectors(39), "Expected a vector for each text. Received: 4 for 5 texts"),
        (TEXTS, vectors(41), "Expected a vector for each text. Received: more vectors"),
        ([*TEXTS[:30], 3], None, "Expected strings. Received: 3"),
        ("text", vectors(4), "Expected an iterable of strings. Received a single one: 'text'"),
        (TEXTS, np.full((40, 2), np.inf), "Expected finite vectors"),
    ]:
        embed = (lambda texts: np.ones((len(texts), 3))) if made is None else None
        with pytest.raises(ValueError, match=message):
            texts.add(given, made, embed)
        assert (len(texts.rows), texts.next_id, texts.width) == (0, 0, None)
    with pytest.raises(ValueError, match="Expected vectors, or an index with an embedder"):
        texts.add(TEXTS)
    texts.add(TEXTS, vectors(40))
    with pytest.raises(ValueError, match=r"Expected vectors \(1, 8\)\. Received: shape \(1, 3\)"):
        texts.add(["a"], np.ones((1, 3)))
    with pytest.raises(ValueError, match="Expected ids of the index. Received: -1, 40"):
        texts.remove(np.array([1, 40, -1]))
    assert texts.is_there.all()
    texts.remove(np.array([1]))
    for gone in (1, 40, -1):
        with pytest.raises(ValueError, match=f"Expected an id of the index. Received: {gone}"):
            texts.row_of(gone)


def test_nothing(tmp_path):
    texts = IndexedTexts(Layout("int8"))
    texts.add([], np.zeros((0, 3)))
    texts.write(tmp_path / "a", None, texts.encoded([], None, lambda texts: 1 / 0))
    read, _ = IndexedTexts.read(tmp_path / "a")
    assert (len(read.rows), read.width) == (0, None)
    read.add(["a"], [[3.0, 4.0]])
    np.testing.assert_allclose(read.vectors(), [[0.6, 0.8]], atol=0.01)
