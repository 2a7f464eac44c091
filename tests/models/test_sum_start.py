import numpy as np
import pytest

from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from keras_transformer.models.sum_start import begin_with, start_tokens

IDS = np.array([[4, 5, 4, 0], [6, 0, 0, 0]])
random = np.random.default_rng(0)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_an_averaging_encoder_begins_as_the_sum():
    network = DeepAveragingNetwork(7, 5, num_layers=1, hidden_dim=4, output_dim=6, token_weights=True)
    vectors, directions = random.normal(size=(network.num_summed, 3)), random.normal(size=(3, 6))
    before = network.hidden_layers[0].kernel.numpy()
    network.start_as_sum(vectors, directions)
    np.testing.assert_allclose(network.hidden_layers[0].kernel, before / 10, rtol=1e-6)
    network.hidden_layers[0].kernel.assign(0 * before)
    rows = np.asarray(network.summed_ids(IDS))
    assert ((rows >= 7).sum(axis=1) == [2, 0]).all() and (rows[:, :4] == [[4, 5, 4, -1], [6, -1, -1, -1]]).all()
    sums = np.stack([vectors[row[row >= 0]].sum(axis=0) for row in rows])
    np.testing.assert_allclose(network(IDS), unit(sums @ directions), atol=1e-5)
    assert DeepAveragingNetwork(7, 0, token_weights=True).num_summed == 7


def test_a_transformer_begins_near_the_sum():
    encoder = SentenceEncoder(7, 1, 8, 16, 2, 6, token_weights=True, norm_first=True)
    vectors, directions = random.normal(size=(encoder.num_summed, 8)), random.normal(size=(8, 6))
    encoder.start_as_sum(vectors, directions)
    encoder.embedding_residual.scale.assign(1e4)  # what the blocks add is nothing beside it
    rows = np.asarray(encoder.summed_ids(IDS))
    sums = np.stack([vectors[row[row >= 0]].sum(axis=0) for row in rows])
    np.testing.assert_allclose(encoder(IDS), unit(sums @ directions), atol=1e-3)


@pytest.mark.parametrize("vectors", [np.zeros((5, 2)), np.ones((5, 5)), np.full((5, 2), np.nan)])
def test_vectors_that_cannot_be(vectors):
    encoder = SentenceEncoder(5, 1, 4, 4, 1, 2, token_weights=True)
    before = encoder.get_weights()
    with pytest.raises(ValueError, match="Expected finite vectors of at most 4 numbers, not all of them zero"):
        start_tokens(encoder.token_embedding, encoder.token_weights, vectors)
    for weight, kept in zip(encoder.get_weights(), before):
        np.testing.assert_array_equal(weight, kept)


def test_a_matrix_keeps_its_other_rows():
    encoder = SentenceEncoder(5, 1, 4, 4, 1, 2, token_weights=True)
    before = encoder.projection.kernel.numpy()
    begin_with(encoder.projection.kernel, np.array([[3.0]]))
    np.testing.assert_array_equal(encoder.projection.kernel, np.concatenate([[[3.0, 0.0]], before[1:]]))
