import keras
import numpy as np
import pytest

from keras_transformer.models import BertEncoder, SentenceEncoder, Transformer

IDS = np.array([[4, 5, 6, 7], [8, 0, 0, 0], [0, 0, 0, 0]])
SIZES = {"vocabulary_size": 19, "num_layers": 1, "hidden_dim": 6, "intermediate_dim": 8, "num_heads": 2}


@pytest.mark.parametrize("kind", [SentenceEncoder, BertEncoder])
def test_unpadding_changes_no_result(kind):
    model = kind(**SIZES)
    padded = model(IDS)
    model.unpadding = True
    np.testing.assert_allclose(model(IDS), padded, atol=1e-5)
    np.testing.assert_allclose(model.predict(IDS, verbose=0), padded, atol=1e-5)
    model.unpadding = False
    np.testing.assert_allclose(model.predict(IDS, verbose=0), padded, atol=1e-5)


def test_what_was_compiled_follows_the_switch():
    """Through the graph that `fit` keeps, too: dropout of unpadded tokens draws other numbers."""
    model = SentenceEncoder(output_dim=5, dropout=0.0, **SIZES)
    model.compile("sgd", "mse", jit_compile=False)
    targets = np.ones((3, 5), "float32")
    first = model.fit(IDS, targets, verbose=0).history["loss"][0]
    assert model.train_function is not None
    model.unpadding = True
    assert model.train_function is None
    assert model.fit(IDS, targets, verbose=0).history["loss"][0] < first


def test_a_norm_stands_behind_pre_norm_blocks_alone():
    assert SentenceEncoder(**SIZES).encoder_norm is None
    assert isinstance(SentenceEncoder(norm_first=True, **SIZES).encoder_norm, keras.layers.LayerNormalization)


def test_inputs_in_the_order_of_the_graph():
    model = Transformer(19, 1, 6, 8, 2)
    source, target = IDS, np.array([[2, 5], [2, 6], [2, 0]])
    wanted = model({"source_ids": source, "target_ids": target})
    model.unpadding = True
    is_real = target[..., None] != 0
    np.testing.assert_allclose(model([source, target]), np.where(is_real, wanted, 0.0), atol=1e-5)


def test_not_for_what_xla_compiles():
    model = SentenceEncoder(**SIZES)
    model.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(ValueError, match="Expected unpadding before compile.* Received: jit_compile=True"):
        model.unpadding = True
    assert not model.unpadding
