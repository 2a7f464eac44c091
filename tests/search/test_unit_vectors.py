import numpy as np
import pytest

from keras_transformer.search.unit_vectors import as_embed, unit_vectors


def test_lengths_are_one_or_zero():
    vectors = np.array([[3, 4], [0, 0], [1e-30, 0], [0, -1e30]], "float32")
    np.testing.assert_allclose(unit_vectors(vectors), [[0.6, 0.8], [0, 0], [1, 0], [0, -1]], rtol=1e-6)
    assert vectors[0, 0] == 3
    assert unit_vectors(np.zeros((0, 3))).shape == (0, 3)


def test_texts_are_embedded():
    np.testing.assert_array_equal(
        unit_vectors(("aa", "b"), lambda texts: [[len(text), 0] for text in texts]), [[1, 0]] * 2
    )


@pytest.mark.parametrize(
    "texts, embed, message",
    [
        ("dog", None, "Expected a list of texts.*'dog'"),
        (["dog"], None, "Expected embed with texts"),
        ([1.0, 2.0], None, r"Expected vectors \(2, D\)\. Received: shape \(2,\)"),
        (["dog"], lambda texts: np.zeros((2, 3)), r"Expected vectors \(1, D\)\. Received: shape \(2, 3\)"),
        ([[np.nan, 0]], None, "Expected finite vectors"),
    ],
)
def test_bad_input(texts, embed, message):
    with pytest.raises(ValueError, match=message):
        unit_vectors(texts, embed)


def test_another_width_is_refused():
    with pytest.raises(ValueError, match=r"Expected vectors \(1, 3\)\. Received: shape \(1, 2\)"):
        unit_vectors([[1.0, 2.0]], expected_width=3)


def test_the_method_of_an_embedder():
    class Embedder:
        def embed(self, texts):
            return "vectors"

    assert as_embed(Embedder(), ("embed_questions", "embed"))(["a"]) == "vectors"
    with pytest.raises(TypeError, match="Expected an embedder with a method embed_questions or embed. Received: int"):
        as_embed(3, ("embed_questions", "embed"))
