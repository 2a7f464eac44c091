import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.models import SentenceEncoder
from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.text import SubwordTokenizer
from tests import made_data

TEXTS = ["red dog", "", "  ", "blue house runs", *made_data.sentences(70, seed=4)]


def test_equals_the_embedder(tmp_path):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    embedder = TextEmbedder(encoder, tokenizer, max_length=50)
    embedder.export(tmp_path / "1")
    exported = ExportedEmbedder(tmp_path / "1")
    assert (exported.max_length, exported.output_dim) == (50, 7)
    texts = ["", "dog", "x dog" * 60]
    np.testing.assert_array_equal(exported.num_tokens(texts), embedder.num_tokens(texts))
    wanted = embedder.embed(TEXTS)
    np.testing.assert_allclose(exported.embed(iter(TEXTS), batch_size=2), wanted, atol=1e-5)
    np.testing.assert_allclose(exported(TEXTS[:4]), wanted[:4], atol=1e-5)
    np.testing.assert_allclose(exported.similarity(TEXTS[:2], TEXTS[:2], paired=True), [1, 0.5], atol=1e-3)
    with pytest.warns(UserWarning, match="1 of 3 texts have more than max_length=50 tokens \\(number 3\\)"):
        exported.embed(texts)


def save(function, path, signature):
    root = tf.Module()
    root.__call__ = tf.function(function, input_signature=[tf.TensorSpec([None], tf.string)])
    signatures = root.__call__.get_concrete_function() if signature else {}
    tf.saved_model.save(root, path, signatures=signatures)
    return path


def vectors_of(texts):
    return tf.cast(tf.stack([tf.strings.length(texts), tf.ones_like(tf.strings.length(texts))], axis=1), tf.float64)


@pytest.mark.parametrize("signature", [True, False])
def test_another_projects_model(signature, tmp_path):
    exported = ExportedEmbedder(save(vectors_of, str(tmp_path), signature))
    vectors = exported.embed(["a", "", "long" * 1000])
    np.testing.assert_array_equal(vectors, [[1, 1], [0, 1], [4000, 1]])
    assert vectors.dtype == "float32" and exported.max_length is None


def test_other_models_are_refused(tmp_path):
    path = save(tf.strings.upper, str(tmp_path / "strings"), True)
    with pytest.raises(ValueError, match=r"from strings to vectors in .*strings. Received: .* to .*string \(None,\)"):
        ExportedEmbedder(path)
    path = save(tf.strings.length, str(tmp_path / "lengths"), False)
    with pytest.raises(ValueError, match=r"from strings to vectors in .*lengths. Received: .* to int32 \(None,\)"):
        ExportedEmbedder(path)
    path = save(lambda texts: tf.ones([1, 3]), str(tmp_path / "one"), False)
    with pytest.raises(ValueError, match=r"vectors \(N, D\) in .*one. Received: float32 \(1, 3\) for 2 strings"):
        ExportedEmbedder(path)
    with pytest.raises(FileNotFoundError, match="Expected the folder of a SavedModel. Received: .*nowhere"):
        ExportedEmbedder(tmp_path / "nowhere")
