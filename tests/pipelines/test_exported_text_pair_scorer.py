import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_transformer
from keras_transformer.hub import HubLayer
from keras_transformer.pipelines import ExportedTextPairScorer
from tests import operations
from tests.pipelines.test_text_pair_scorer import LABELS, PAIRS, make

LISTED = pathlib.Path(__file__).parents[2] / "examples" / "serving" / "operations.txt"
COLUMNS = dict(zip(("first", "second"), map(tf.constant, map(list, zip(*PAIRS)))))


@pytest.fixture(scope="module")
def scorer():
    return make(1)


@pytest.fixture(scope="module")
def exported(scorer, tmp_path_factory):
    path = tmp_path_factory.mktemp("scorer") / "1"
    scorer.export(path, warmup_texts=PAIRS[0])
    return keras_transformer.load(path)


def test_gives_what_python_gives(scorer, exported):
    assert type(exported) is ExportedTextPairScorer
    assert (exported.num_labels, exported.labels, exported.max_length) == (1, None, 20)
    np.testing.assert_allclose(exported.score(PAIRS), scorer.score(PAIRS), atol=1e-5)
    np.testing.assert_allclose(exported.logits(PAIRS), scorer.logits(PAIRS), atol=1e-5)
    np.testing.assert_allclose(exported(COLUMNS), scorer.score(PAIRS), atol=1e-5)
    assert exported.rank("red", ["a", "b"])[0].index == scorer.rank("red", ["a", "b"])[0].index
    columns = COLUMNS["first"], COLUMNS["second"]
    np.testing.assert_array_equal(exported.num_tokens(columns), scorer.num_tokens(columns))
    with pytest.warns(UserWarning, match="1 of 1 texts .* max_length=20"):
        exported.score([("x" * 20, "a")])


def test_the_root_can_be_called_and_trained(scorer, exported):
    root = exported.saved_model
    np.testing.assert_allclose(root(COLUMNS), scorer.score(PAIRS), atol=1e-5)
    assert np.abs(root(COLUMNS, training=True) - root(COLUMNS)).max() > 1e-4
    layer = HubLayer(exported.path, trainable=True)
    np.testing.assert_allclose(layer(COLUMNS), scorer.score(PAIRS), atol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(COLUMNS))
    gradients = tape.gradient(loss, layer.trainable_variables)
    assert len(gradients) == len(scorer.trainable_variables) and all(gradient is not None for gradient in gradients)


def test_classes_have_names(tmp_path):
    classifier = make(3, labels=LABELS)
    classifier.export(tmp_path / "1", frozen=True, warmup_texts=())
    exported = ExportedTextPairScorer(tmp_path / "1")
    assert (exported.num_labels, exported.labels) == (3, LABELS)
    np.testing.assert_allclose(exported.score(PAIRS), classifier.score(PAIRS), atol=1e-5)
    classified = exported.saved_model.signatures["classify"](**COLUMNS)
    assert classified["classes"].numpy().tolist() == [[label.encode() for label in LABELS]] * len(PAIRS)
    np.testing.assert_allclose(classified["scores"], classifier.score(PAIRS), atol=1e-5)


def test_only_operations_that_servers_have(exported):
    wanted = {line.split()[0] for line in LISTED.read_text().splitlines() if line.strip()}
    found = operations.of_saved_model(pathlib.Path(exported.path))
    assert not operations.of_xla(found) and not found - wanted


def test_a_server_may_send_unequal_columns(exported):
    score = exported.saved_model.signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many second texts as inputs"):
        score(first=COLUMNS["first"], second=COLUMNS["second"][:1])


def test_another_savedmodel_is_refused(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).export(tmp_path / "1", verbose=False)
    with pytest.raises(ValueError, match="a SavedModel of pairs"):
        ExportedTextPairScorer(tmp_path / "1")
