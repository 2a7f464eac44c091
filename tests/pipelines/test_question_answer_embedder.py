import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import QuestionAnswerEmbedder
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder
from keras_transformer.text import ByteTokenizer
from tests import made_data

TEXTS = ["red dog", "", "blue house runs", "?!"]
CONTEXTS = ["a tree", "", "", "x"]


@pytest.fixture(scope="module")
def embedder():
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=5)
    return QuestionAnswerEmbedder(QuestionAnswerEncoder(encoder, hidden_dim=11, output_dim=7), tokenizer, max_length=20)


def test_is_tokenizer_then_encoder(embedder):
    texts, contexts = embedder.tokenizer(TEXTS), embedder.tokenizer(CONTEXTS)
    questions = embedder.embed_questions(TEXTS)
    np.testing.assert_allclose(questions, embedder.encoder.encode_questions(texts), atol=1e-5)
    np.testing.assert_allclose(embedder(TEXTS), questions, atol=1e-6)
    responses = embedder.embed_responses(TEXTS, CONTEXTS)
    np.testing.assert_allclose(responses, embedder.encoder.encode_responses(texts, contexts), atol=1e-5)
    assert (questions.shape, questions.dtype, responses.shape) == ((4, 7), "float32", (4, 7))


def test_unit_vectors_and_zero_for_nothing(embedder):
    np.testing.assert_allclose(np.linalg.norm(embedder.embed_questions(TEXTS), axis=1), [1, 0, 1, 1], atol=1e-6)
    lengths = np.linalg.norm(embedder.embed_responses(["a", "", ""], ["", "b", ""]), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 0], atol=1e-6)
    assert embedder.embed_questions([]).shape == embedder.embed_responses([], []).shape == (0, 7)


def test_no_contexts_are_empty_ones(embedder):
    without = embedder.embed_responses(iter(TEXTS))
    np.testing.assert_array_equal(without, embedder.embed_responses(TEXTS, [""] * 4))
    with_contexts = embedder.embed_responses(TEXTS, CONTEXTS)
    assert (np.abs(without - with_contexts).max(axis=1) > 1e-3).tolist() == [True, False, False, True]


def test_an_export_refuses_fewer_contexts_than_texts(embedder):
    """One would do for all of them, if nobody counted."""
    respond = embedder.export_functions(trainable=False)[1]["response_encoder"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"as many contexts as inputs. Received.*\] \[1\] \[4\]"):
        respond(input=tf.constant(TEXTS), context=tf.constant(["a tree"]))


def test_a_text_gives_the_same_vector_in_any_batch(embedder):
    texts, contexts = made_data.sentences(70, longest=3), made_data.sentences(70, seed=1, longest=3)
    alone = [embedder.embed_responses([text], [context])[0] for text, context in zip(texts, contexts)]
    np.testing.assert_allclose(embedder.embed_responses(texts, contexts, batch_size=2), alone, atol=1e-5)


def test_long_texts_and_contexts_are_cut_with_a_warning(embedder):
    with pytest.warns(UserWarning, match="2 of 3 texts .* max_length=20 tokens \\(number 1, 2\\)") as warned:
        vectors = embedder.embed_responses(["x" * 21, "a", "b"], ["", "y" * 30, "z"])
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_allclose(vectors, embedder.embed_responses(["x" * 20, "a", "b"], ["", "y" * 20, "z"]), atol=1e-6)
    with pytest.warns(UserWarning, match="1 of 1 texts"):
        embedder.embed_questions(["x" * 21])


def test_reloads_with_equal_outputs(embedder, tmp_path):
    embedder.save(tmp_path / "qa.keras")
    reloaded = keras.models.load_model(tmp_path / "qa.keras")
    assert type(reloaded) is QuestionAnswerEmbedder and reloaded.max_length == 20
    np.testing.assert_array_equal(reloaded.embed_questions(TEXTS), embedder.embed_questions(TEXTS))
    np.testing.assert_array_equal(reloaded.embed_responses(TEXTS, CONTEXTS), embedder.embed_responses(TEXTS, CONTEXTS))


def test_bad_input(embedder):
    with pytest.raises(ValueError, match="Expected equally many texts and contexts. Received: 1 contexts"):
        embedder.embed_responses(["a", "b"], ["c"])
    with pytest.raises(ValueError, match="a single one: 'ab' \\(contexts\\)"):
        embedder.embed_responses(["a", "b"], "ab")
    with pytest.raises(ValueError, match="max_length=0"):
        QuestionAnswerEmbedder(embedder.encoder, embedder.tokenizer, max_length=0)
