import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.pipelines import ExportedQuestionAnswerEmbedder

TEXTS, CONTEXTS = ["red dog", "", "blue house runs", "?!"], ["a tree", "", "", "x"]


def test_equals_the_embedder(question_answer_embedder, exported_question_answer_embedder):
    exported = ExportedQuestionAnswerEmbedder(exported_question_answer_embedder)
    assert (exported.max_length, exported.output_dim) == (30, 5)
    np.testing.assert_array_equal(exported.num_tokens(TEXTS), question_answer_embedder.num_tokens(TEXTS))
    wanted = question_answer_embedder.embed_questions(TEXTS)
    np.testing.assert_allclose(exported.embed_questions(iter(TEXTS), batch_size=2), wanted, atol=1e-5)
    np.testing.assert_allclose(exported(TEXTS), wanted, atol=1e-5)
    for contexts in (CONTEXTS, None):
        wanted = question_answer_embedder.embed_responses(TEXTS, contexts)
        np.testing.assert_allclose(exported.embed_responses(TEXTS, contexts, batch_size=3), wanted, atol=1e-5)
    assert exported.embed_questions([]).shape == exported.embed_responses([]).shape == (0, 5)


def test_truncated_texts_are_told(exported_question_answer_embedder):
    exported = ExportedQuestionAnswerEmbedder(exported_question_answer_embedder)
    with pytest.warns(UserWarning, match="1 of 2 texts have more than max_length=30 tokens \\(number 2\\)"):
        exported.embed_questions(["a", "b" * 31])
    with pytest.warns(UserWarning, match="1 of 2 texts have more than max_length=30 tokens \\(number 1\\)") as told:
        exported.embed_responses(["a", "b"], ["c" * 31, ""])
    assert told[0].filename == __file__


def test_bad_inputs(exported_question_answer_embedder):
    exported = ExportedQuestionAnswerEmbedder(exported_question_answer_embedder)
    with pytest.raises(ValueError, match="Expected an iterable of strings. Received a single one: 'a'"):
        exported.embed_questions("a")
    with pytest.raises(ValueError, match="Expected equally many texts and contexts. Received: 1 contexts and more tex"):
        exported.embed_responses(["a", "b"], ["c"])


def test_another_projects_module(tmp_path):
    """With the signatures of TF-Hub's universal-sentence-encoder-qa and nothing else."""
    spec = tf.TensorSpec([None], tf.string)
    root = tf.Module()
    lengths = lambda x: tf.cast(tf.strings.length(x), tf.float32)[:, None]  # noqa: E731
    root.questions = tf.function(lambda input: {"outputs": lengths(input)}, input_signature=[spec])
    root.responses = tf.function(
        lambda input, context: {"outputs": lengths(input) + lengths(context)}, input_signature=[spec, spec]
    )
    signatures = {"question_encoder": root.questions, "response_encoder": root.responses}
    tf.saved_model.save(root, str(tmp_path / "1"), signatures=signatures)
    module = ExportedQuestionAnswerEmbedder(tmp_path / "1")
    assert (module.max_length, module.output_dim) == (None, 1)
    np.testing.assert_array_equal(module.embed_questions(["ab", "c" * 1000]), [[2], [1000]])
    np.testing.assert_array_equal(module.embed_responses(["ab", "c"], ["d", "efg"]), [[3], [4]])


def test_other_models_are_refused(exported_embedder):
    with pytest.raises(ValueError, match=r"one of the signatures \['ids', .*Received: 'question_encoder'"):
        ExportedQuestionAnswerEmbedder(exported_embedder)
