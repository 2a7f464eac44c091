import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.models import SentenceEncoder
from keras_transformer.pipelines import similarity
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data

TEXTS = ["red dog", "", "blue house runs", b"\xff", "cat"]


@pytest.fixture(scope="module")
def embedder():
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    return TextEmbedder(encoder, tokenizer, max_length=20)


def test_any_number_of_texts(embedder):
    texts = [*made_data.sentences(90, seed=3, longest=3), "", "?!", "  "]
    vectors = embedder.embed(texts, batch_size=2)
    assert vectors.dtype == "float32" and vectors.shape == (93, 7)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1)[-3:], [0, 1, 1], atol=1e-6)
    np.testing.assert_allclose(embedder.embed(iter(texts)), vectors, atol=1e-5)
    np.testing.assert_allclose(list(embedder.embed_stream(texts, batch_size=5)), vectors, atol=1e-5)
    assert embedder.embed([]).shape == (0, 7)


def test_a_text_gives_the_same_vector_alone_among_many_and_beside_longer_ones(embedder):
    texts = [*made_data.sentences(70, seed=4, longest=3), "x" * 20, "dog"]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    for batch_size in (3, 72):
        np.testing.assert_allclose(embedder.embed(texts, batch_size), alone, atol=1e-5)
        np.testing.assert_allclose(embedder.embed([*texts, "y" * 20], batch_size)[:-1], alone, atol=1e-5)


@pytest.mark.parametrize("tokenizer", [ByteTokenizer(), None], ids=["bytes", "subwords"])
def test_a_million_characters_are_cut_with_a_warning(tokenizer):
    tokenizer = tokenizer or SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    embedder = TextEmbedder(SentenceEncoder(260, 1, 12, 19, 3, output_dim=7), tokenizer, max_length=20)
    texts = ["dog", "red " * 250_000, "", "cat " * 30]
    with pytest.warns(UserWarning, match="2 of 4 texts .* max_length=20 tokens \\(number 2, 4\\)") as warned:
        vectors = embedder.embed(texts)
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_allclose(vectors[1], embedder(["red " * 40])[0], atol=1e-5)
    with pytest.warns(UserWarning, match="2 of 4") as warned:
        for _ in embedder.embed_stream(texts):
            pass
    assert [warning.filename for warning in warned] == [__file__]
    assert embedder.num_tokens(["", "cat " * 30]).numpy().tolist()[0] == 0


def test_a_bar_on_request(embedder, capsys):
    embedder.embed(["dog"] * 3)
    assert capsys.readouterr().out == ""
    embedder.embed(["dog"] * 3, show_progress=True)
    assert "3/3" in capsys.readouterr().out
    embedder.embed(iter(["dog"] * 3), show_progress=True)
    shown = capsys.readouterr().out
    assert "3/Unknown" in shown and shown.endswith("\n")


def test_similarity_of_texts(embedder):
    texts = ["red dog", "blue house", ""]
    angular = embedder.similarity(texts, texts)
    np.testing.assert_allclose(np.diag(angular), [1, 1, 0.5], atol=1e-3)
    np.testing.assert_array_equal(angular, similarity(embedder.embed(texts), embedder.embed(texts)))
    cosines = embedder.similarity(texts, ["red dog"] * 3, kind="cosine", paired=True)
    np.testing.assert_allclose(cosines, embedder(texts).numpy() @ embedder(["red dog"])[0].numpy(), atol=1e-5)
    with pytest.raises(ValueError, match="kind='dot'"):
        embedder.similarity(texts, texts, kind="dot")


def test_bad_texts(embedder):
    with pytest.raises(ValueError, match="a single one: 'dog' \\(texts\\)"):
        embedder.embed("dog")
    with pytest.raises(ValueError, match="Received: 7 \\(texts, number 2\\)"):
        embedder.embed(["dog", 7])
    with pytest.raises(ValueError, match="batch_size=0"):
        embedder.embed(["dog"], batch_size=0)
