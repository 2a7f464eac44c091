import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.models import Transformer
from keras_transformer.pipelines import ExportedTranslator
from keras_transformer.text import SubwordTokenizer
from tests import made_data, reference

TEXTS = ["red dog", "", "  ", "blue house runs", *made_data.sentences(70, seed=4)]


@pytest.fixture(scope="module")
def translator():
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    transformer = Transformer(tokenizer.vocabulary_size, 1, 12, 19, 3)
    reference.randomize(transformer, seed=1)
    return Translator(transformer, tokenizer, max_extra_length=4)


def test_equals_the_translator(translator, tmp_path):
    translator.export(tmp_path / "1")
    exported = ExportedTranslator(tmp_path / "1")
    assert exported.max_source_length == translator.max_source_length
    lengths = exported.num_source_tokens(["", "dog", "x" * 600]).numpy().tolist()
    assert lengths == translator.num_source_tokens(["", "dog", "x" * 600]).numpy().tolist()
    wanted = list(translator.translate(TEXTS))
    assert list(exported.translate(iter(TEXTS), batch_size=2)) == wanted
    assert [text.decode() for text in exported(TEXTS[:4]).numpy()] == wanted[:4]
    assert list(exported.translate([])) == []
    source, target, weights = translator.attention("blue house runs")
    found = exported.attention("blue house runs")
    assert found[:2] == (source, target)
    np.testing.assert_allclose(found[2], weights[-1].mean(axis=0), atol=1e-5)
    with pytest.raises(ValueError, match="a text with tokens. Received: '  '"):
        exported.attention("  ")


def save(function, spec, path, signature):
    root = tf.Module()
    root.__call__ = tf.function(function, input_signature=[spec])
    signatures = root.__call__.get_concrete_function() if signature else {}
    tf.saved_model.save(root, path, signatures=signatures)
    return path


@pytest.mark.parametrize("signature", [True, False])
def test_another_projects_model(signature, tmp_path):
    path = save(tf.strings.upper, tf.TensorSpec([None], tf.string), str(tmp_path), signature)
    exported = ExportedTranslator(path)
    assert list(exported.translate(["a", "", "b"])) == ["A", "", "B"]
    assert exported.max_source_length is None
    with pytest.raises(ValueError, match="SavedModel with a signature \"alignment\" to .*'weights'.*Received: none"):
        exported.attention("a dog")


def test_other_models_are_refused(tmp_path):
    path = save(tf.strings.length, tf.TensorSpec([None], tf.string), str(tmp_path / "lengths"), True)
    with pytest.raises(ValueError, match=r"from strings to strings in .*lengths. Received: .* to .*int32 \(None,\)"):
        ExportedTranslator(path)
    tf.saved_model.save(tf.Module(), str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match="Expected a SavedModel with functions. Received: .*nothing"):
        ExportedTranslator(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="Expected the folder of a SavedModel. Received: .*nowhere"):
        ExportedTranslator(tmp_path / "nowhere")
