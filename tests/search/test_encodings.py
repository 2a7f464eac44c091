import numpy as np
import pytest

from keras_transformer.search.encodings import encoding_of
from keras_transformer.search.unit_vectors import unit_vectors
from tests.search.made_vectors import vectors

WIDTHS = (5, 64, 70)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("precision", ["float32", "int8", "binary"])
def test_the_arrays_are_those_that_are_announced(precision, width):
    encoding = encoding_of(precision)
    found = {name: (x.dtype.name, x.shape[1:]) for name, x in encoding.encode(unit_vectors(vectors(9, width))).items()}
    assert found == encoding.columns(width)


def test_float32_is_exact():
    corpus, queries = unit_vectors(vectors(50)), unit_vectors(vectors(6, seed=1))
    kept = encoding_of("float32").encode(corpus)
    np.testing.assert_array_equal(encoding_of("float32").decode(kept, 8), corpus)
    np.testing.assert_array_equal(encoding_of("float32").scores(queries, kept), queries @ corpus.T)


@pytest.mark.parametrize("width", WIDTHS)
def test_int8_is_right_to_half_a_step(width, monkeypatch):
    monkeypatch.setattr("keras_transformer.search.encodings._ROWS_OF_INT8", 7)
    corpus, queries = unit_vectors(vectors(50, width)), unit_vectors(vectors(6, width, seed=1))
    kept = encoding_of("int8").encode(corpus)
    assert np.abs(kept["vectors"].astype(int)).max(axis=1).tolist() == [127] * 49 + [0]
    decoded = encoding_of("int8").decode(kept, width)
    assert (np.abs(decoded - corpus) <= kept["scales"][:, None] * 0.5001).all()
    np.testing.assert_allclose(encoding_of("int8").scores(queries, kept), queries @ decoded.T, atol=1e-6)
    assert decoded.dtype == "float32"


@pytest.mark.parametrize("width", WIDTHS)
def test_binary_counts_equal_signs(width):
    corpus, queries = unit_vectors(vectors(50, width)), unit_vectors(vectors(6, width, seed=1))
    kept = encoding_of("binary").encode(corpus)
    np.testing.assert_array_equal(kept["bits"][:, : width // 8], np.packbits(corpus > 0, axis=1)[:, : width // 8])
    distances = ((queries > 0)[:, None] != (corpus > 0)[None]).sum(axis=2)
    np.testing.assert_array_equal(encoding_of("binary").scores(queries, kept), -distances)
    decoded = encoding_of("binary").decode(kept, width)
    np.testing.assert_allclose(decoded, np.where(corpus > 0, 1, -1) / np.sqrt(width), rtol=1e-6)


def test_no_vectors():
    for precision in ("float32", "int8", "binary"):
        encoding = encoding_of(precision)
        kept = encoding.encode(np.zeros((0, 70), "float32"))
        assert encoding.decode(kept, 70).shape == (0, 70)
        assert encoding.scores(np.ones((2, 70), "float32"), kept).shape == (2, 0)


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="Received: precision='int4'"):
        encoding_of("int4")
