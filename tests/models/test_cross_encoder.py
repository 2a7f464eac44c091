import keras
import numpy as np
import pytest

from keras_transformer.models import BertEncoder, CrossEncoder, DeepAveragingNetwork, SentenceEncoder
from tests import reference

IDS = np.array([[2, 7, 3, 8, 9, 3], [2, 7, 3, 8, 3, 0]])
SEGMENTS = np.array([[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 7]])
INPUTS = {"ids": IDS, "segment_ids": SEGMENTS}


def sentence_encoder():
    return SentenceEncoder(19, 1, 12, 13, 3, output_dim=5)


def bert_encoder():
    return BertEncoder(19, 1, 12, 13, 3, max_length=11, pooling="first", normalize=False)


@pytest.fixture(params=[sentence_encoder, bert_encoder], ids=["sentence", "bert"])
def model(request):
    model = CrossEncoder(request.param(), num_labels=2, hidden_dim=7)
    reference.randomize(model, seed=1)
    return model


def test_is_encoder_hidden_layer_and_classifier(model):
    """By hand, from the encoder's own vector: with segments that add nothing."""
    model.segment_embedding.embeddings.assign(np.zeros((2, 12)))
    vectors = np.asarray(model.encoder(IDS), "float64")
    if model.encoder.unit_normalization:
        vectors *= 5**0.5
    for layer, activation in ((model.hidden, np.tanh), (model.classifier, np.asarray)):
        kernel, bias = layer.get_weights()
        vectors = activation(vectors @ kernel + bias)
    np.testing.assert_allclose(model(INPUTS), vectors, atol=1e-5)


def test_segments_are_added_to_embeddings(model):
    """A vector for all of the first text is what its tokens' embeddings have more."""
    same = {"ids": IDS, "segment_ids": np.zeros_like(IDS)}
    assert np.abs(model(INPUTS) - model(same)).max() > 1e-3
    before = np.asarray(model(same))
    segment = model.segment_embedding.embeddings.numpy()[0]
    scale = (model.encoder.token_embedding.scale and 12**0.5) or 1
    table = model.encoder.token_embedding.embedding.embeddings
    table.assign(table + segment / scale)
    model.segment_embedding.embeddings.assign(np.zeros((2, 12)))
    np.testing.assert_allclose(model(same), before, atol=1e-4)


def test_padding_changes_nothing(model):
    alone = model({"ids": IDS[1:, :5], "segment_ids": SEGMENTS[1:, :5]})
    np.testing.assert_allclose(model(INPUTS)[1:], alone, atol=1e-5)
    unpadded = model.logits(IDS, SEGMENTS, unpadding=True)
    np.testing.assert_allclose(unpadded, model(INPUTS), atol=1e-5)
    model.unpadding = True
    np.testing.assert_allclose(model(INPUTS), unpadded, atol=1e-6)


def test_is_saved_with_its_encoder(model, tmp_path):
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(INPUTS), model(INPUTS))


def test_bad_arguments():
    with pytest.raises(ValueError, match="SentenceEncoder or a BertEncoder. Received: DeepAveragingNetwork"):
        CrossEncoder(DeepAveragingNetwork(19, 7, 1, 6, output_dim=5))
    with pytest.raises(ValueError, match="num_labels=0"):
        CrossEncoder(sentence_encoder(), num_labels=0)
