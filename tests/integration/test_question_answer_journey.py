"""Export a dual encoder -> load it from the hub in a fresh process -> rank responses by inner product."""

import json

import numpy as np

from keras_transformer import QuestionAnswerEmbedder
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder
from keras_transformer.text import SubwordTokenizer
from tests import made_data
from tests.integration.processes import run_python

QUESTIONS = ["red dog", "", "blue house runs", "?!", "漢"]
RESPONSES = ["one", "two birds", "", "three?"]
CONTEXTS = ["one red dog", "", "a tree", "!"]


def test_the_hub_loads_it_without_this_package(tmp_path):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=5)
    embedder = QuestionAnswerEmbedder(QuestionAnswerEncoder(encoder, hidden_dim=11, output_dim=7), tokenizer)
    embedder.export(tmp_path / "1")
    script = """
import json, sys
import tensorflow as tf, tensorflow_hub as hub, tensorflow_text
questions, responses, contexts = json.loads(sys.argv[2])
model = hub.load(sys.argv[1])
encode_question, encode_response = (model.signatures[name] for name in ("question_encoder", "response_encoder"))
asked = encode_question(tf.constant(questions))["outputs"]
answered = encode_response(input=tf.constant(responses), context=tf.constant(contexts))["outputs"]
nothing = tf.constant([], tf.string)
print(json.dumps({
    "signatures": sorted(model.signatures),
    "called": model(questions).numpy().tolist(),
    "questions": asked.numpy().tolist(),
    "responses": answered.numpy().tolist(),
    "scores": tf.tensordot(asked, answered, [[1], [1]]).numpy().tolist(),
    "lengths": model.signatures["lengths"](inputs=tf.constant(questions))["outputs"].numpy().tolist(),
    "empty": encode_response(input=nothing, context=nothing)["outputs"].shape.as_list(),
    "variables": [len(model.variables), len(model.trainable_variables)],
    "imported": "keras_transformer" in sys.modules,
}))
"""
    found = run_python(script, tmp_path / "1", json.dumps([QUESTIONS, RESPONSES, CONTEXTS]))
    questions, responses = embedder.embed_questions(QUESTIONS), embedder.embed_responses(RESPONSES, CONTEXTS)
    np.testing.assert_allclose(found["questions"], questions, atol=1e-5)
    np.testing.assert_allclose(found["called"], questions, atol=1e-5)
    np.testing.assert_allclose(found["responses"], responses, atol=1e-5)
    np.testing.assert_allclose(found["scores"], questions @ responses.T, atol=1e-5)
    assert found["signatures"] == ["lengths", "question_encoder", "response_encoder"]
    assert found["lengths"] == embedder.num_tokens(QUESTIONS).numpy().tolist() and found["lengths"][1] == 0
    assert found["variables"] == [len(embedder.weights)] * 2
    assert found["empty"] == [0, 7] and not found["imported"]
