import numpy as np
import pytest

from keras_transformer.search.layout import Layout
from keras_transformer.search.unit_vectors import unit_vectors
from tests.search.made_vectors import vectors

PAIRS = [("float32", None), ("int8", None), ("int8", "float32"), ("binary", None), ("binary", "int8")]


@pytest.mark.parametrize("precision, rescoring", PAIRS)
def test_the_arrays(precision, rescoring):
    layout, corpus = Layout(precision, rescoring), unit_vectors(vectors(9, 70))
    kept = layout.encode(np.arange(9), corpus)
    assert {name: (x.dtype.name, x.shape[1:]) for name, x in kept.items()} == layout.columns(70)
    best = Layout(rescoring or precision)
    np.testing.assert_array_equal(
        layout.best_vectors({name: kept[name] for name in layout.best_names(70)}, 70),
        best.best_vectors(best.encode(np.arange(9), corpus), 70),
    )
    assert set(layout.searched(kept)) == set(Layout(precision).columns(70)) - {"ids"}
    assert layout.must_rescore == (precision == "binary" or rescoring is not None)


@pytest.mark.parametrize("precision, rescoring", [("float32", "float32"), ("float32", "int8"), ("int8", "int8")])
def test_rescoring_is_of_a_higher_precision(precision, rescoring):
    with pytest.raises(ValueError, match=f"above precision='{precision}'. Received: rescoring='{rescoring}'"):
        Layout(precision, rescoring)


def test_unknown_names():
    with pytest.raises(ValueError, match="Received: rescoring='binary'"):
        Layout("binary", "binary")
    with pytest.raises(ValueError, match="Received: precision='float16'"):
        Layout("float16")
