import pickle
import warnings

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("apache_beam")

from keras_transformer.beam import EmbedderHandler, TranslatorHandler
from keras_transformer.beam.model_handlers import Refused

TEXTS = ["a dog runs", "", "ein Hund", "a" * 5000, "고양이", "a dog runs"]


@pytest.mark.parametrize("kind", ["exported_embedder", "embedder_dir"])
def test_vectors_are_those_of_the_embedder(kind, embedder, request):
    handler = EmbedderHandler(request.getfixturevalue(kind), batch_size=2)
    with warnings.catch_warnings(action="error"):
        found = list(handler.run_inference(TEXTS, handler.load_model()))
    assert [result.example for result in found] == TEXTS
    assert {result.model_id for result in found} == {str(request.getfixturevalue(kind))}
    with pytest.warns(UserWarning, match="1 of 6 texts"):
        expected = embedder.embed(TEXTS)
    np.testing.assert_allclose([result.inference for result in found], expected, atol=1e-5)
    assert found[0].inference.dtype == np.float32


@pytest.mark.parametrize("kind", ["exported", "model_dir"])
def test_translations_are_those_of_the_translator(kind, translator, request):
    handler = TranslatorHandler(request.getfixturevalue(kind), batch_size=2)
    with warnings.catch_warnings(action="error"):
        found = list(handler.run_inference(TEXTS, handler.load_model()))
    assert [result.example for result in found] == TEXTS
    with pytest.warns(UserWarning, match="1 of 6 texts"):
        assert [result.inference for result in found] == list(translator.translate(TEXTS))


def test_counts_truncated_texts(exported_embedder, monkeypatch):
    handler, counted = EmbedderHandler(exported_embedder, batch_size=2), []
    monkeypatch.setattr(handler, "truncated", type("Counter", (), {"inc": lambda self, n: counted.append(n)})())
    list(handler.run_inference(TEXTS, handler.load_model()))
    assert sum(counted) == 1


def test_a_text_that_the_model_refuses_spoils_no_other(tmp_path):
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def call(texts):
        with tf.control_dependencies([tf.debugging.assert_none_equal(texts, "bad", message="no bad text")]):
            return tf.strings.upper(texts)

    module.__call__ = call
    tf.saved_model.save(module, str(tmp_path / "1"))
    handler = TranslatorHandler(tmp_path / "1", batch_size=3)
    results = [x.inference for x in handler.run_inference(["a", "bad", "c", "d"], handler.load_model())]
    assert [results[0], *results[2:]] == ["A", "C", "D"]
    assert isinstance(results[1], Refused) and "no bad text" in results[1].reason


def test_workers_get_the_path_and_not_the_model(exported_embedder):
    handler = EmbedderHandler(exported_embedder, batch_size=4, namespace="mine")
    handler = pickle.loads(pickle.dumps(handler))
    assert handler.model == str(exported_embedder) and handler.get_metrics_namespace() == "mine"
    assert handler.batch_elements_kwargs() == {"min_batch_size": 128, "max_batch_size": 128}


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="Expected a positive integer. Received: batch_size=0"):
        EmbedderHandler(tmp_path, batch_size=0)
    with pytest.raises(FileNotFoundError, match="Expected an embedder"):
        EmbedderHandler(tmp_path / "none").load_model()
