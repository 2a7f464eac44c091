import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_transformer
from keras_transformer import TextEmbedder
from keras_transformer.models import BertEncoder, DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import (
    DenoisingDecoder,
    EmbeddingRecipe,
    SentenceTask,
    SentenceTrainingLoop,
    fit_embedder,
)
from tests import made_data, reference
from tests.training.test_fit_embedder import Cut, cut_after

TEXTS = made_data.sentences(12, longest=4)
IDS = np.array([[2, 7, 9, 8, 3], [2, 5, 3, 0, 0]])


def sentence_encoder(dropout=0.0):
    return SentenceEncoder(260, 1, 12, 13, 3, output_dim=5, dropout=dropout)


def bert_encoder():
    return BertEncoder(260, 1, 12, 13, 3)


def bound(encoder):
    objective = DenoisingDecoder(dropout=0.0)
    objective.bind(encoder)
    vectors = np.random.default_rng(3).normal(size=(2, encoder.output_shape[-1])).astype("float32")
    objective([vectors], IDS)
    reference.randomize(objective, seed=2)
    return objective, vectors


@pytest.mark.parametrize("make", [sentence_encoder, bert_encoder])
def test_the_loss_is_the_mean_of_the_tokens(make):
    objective, vectors = bound(make())
    whole = float(objective([vectors], IDS))
    alone = [float(objective([vectors[i : i + 1]], IDS[i : i + 1, :length])) for i, length in ((0, 5), (1, 3))]
    assert whole == pytest.approx((4 * alone[0] + 2 * alone[1]) / 6, abs=1e-5)
    other = float(objective([-vectors], IDS))
    assert abs(whole - other) > 1e-4  # the vector matters
    # Without embeddings all ids are equally likely.
    objective.token_embedding.embedding.embeddings.assign(np.zeros((260, 12)))
    assert float(objective([vectors], IDS)) == pytest.approx(np.log(260), abs=1e-5)


def test_a_token_does_not_see_itself():
    """Other last tokens change the loss of nothing before them."""
    objective, vectors = bound(sentence_encoder())
    losses = [float(objective([vectors[:1]], np.array([[2, 7, 9, last]]))) for last in (8, 11)]
    before = float(objective([vectors[:1]], np.array([[2, 7, 9]])))
    logs = [3 * loss - 2 * before for loss in losses]  # - log of the last token's probability
    assert all(log > 0 for log in logs) and logs[0] != pytest.approx(logs[1], abs=1e-4)


def task(**options):
    objective = DenoisingDecoder(dropout=0.0)
    return SentenceTask("denoising", [(text,) for text in TEXTS], objective, batch_size=4, deletion=0.6, **options)


def loop_of(encoder, micro_batch_tokens=16384):
    return SentenceTrainingLoop(
        encoder, ByteTokenizer(), [task()], keras.optimizers.SGD(1.0), micro_batch_tokens=micro_batch_tokens
    )


def test_a_step_takes_the_gradient_of_all_weights_the_shared_ones_too():
    steps = []
    for micro_batch_tokens in (16384, 32):
        keras.utils.set_random_seed(3)
        encoder = sentence_encoder()
        loop = loop_of(encoder, micro_batch_tokens)
        objective = loop.tasks[0].objective
        batch = loop.tasks[0].batch(0, 0)
        ids, batch = loop._without_some(0, batch, 0)
        variables = loop.trainable([objective])
        with tf.GradientTape() as tape:
            loss = objective([encoder(ids.padded(batch.texts[:, 0]))], batch.targets)
        gradients = tape.gradient(loss, variables)
        wanted = [variable - tf.convert_to_tensor(gradient) for variable, gradient in zip(variables, gradients)]
        ((found, rows),) = loop.steps(loop.batches(0, 1))
        assert (found, rows) == (pytest.approx(float(loss), abs=1e-5), 4)
        for variable, value in zip(variables, wanted):
            np.testing.assert_allclose(variable.numpy(), value, atol=1e-4, err_msg=variable.path)
        steps.append(encoder.get_weights())
    table = encoder.token_embedding.embedding.embeddings
    assert sum(weight is table for weight in variables) == 1


def fit(folder, cut=None):
    keras.utils.set_random_seed(4)
    embedder = TextEmbedder(sentence_encoder(dropout=0.1), ByteTokenizer(), max_length=30)
    tasks = [task()] if cut is None else cut_after(cut, [task()])
    recipe = EmbeddingRecipe(steps=3, evaluation_steps=3, warmup_steps=3, learning_rate=3e-3, max_length=30)
    return fit_embedder(embedder, tasks, path=folder / "embedder.keras", recipe=recipe, verbose=0, checkpoint_minutes=0)


def test_a_training_that_was_cut_off_ends_as_the_unbroken_one(tmp_path):
    unbroken = fit(tmp_path / "a")
    with pytest.raises(Cut):
        fit(tmp_path / "b", cut=2)
    resumed = fit(tmp_path / "b")
    assert [logs["loss"] for logs in resumed] == pytest.approx([logs["loss"] for logs in unbroken], abs=1e-4)
    a, b = (keras_transformer.load(tmp_path / name).embed(TEXTS) for name in "ab")
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"bind\(encoder\) before"):
        DenoisingDecoder()([np.ones((2, 3))], IDS)
    with pytest.raises(ValueError, match="Expected a transformer .* Received: DeepAveragingNetwork"):
        DenoisingDecoder().bind(DeepAveragingNetwork(260, 13, 1, 6, output_dim=5))
    with pytest.raises(ValueError, match="num_layers=0"):
        DenoisingDecoder(num_layers=0)
    with pytest.raises(ValueError, match="Expected rows of one text"):
        SentenceTask("pairs", [("a", "b")], DenoisingDecoder(), deletion=0.5)
