import pathlib

import keras
import numpy as np
import pytest

from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from keras_transformer.pipelines import TextEmbedder
from keras_transformer.text import WordTokenizer
from keras_transformer.training import (
    EmbeddingRecipe,
    SentenceTask,
    SimilarityRegression,
    TeacherVectors,
    fit_embedder,
    least_squares_start,
    start_from_least_squares,
)
from tests.integration.processes import run_python

# One training on one device, and on two.
SCRIPT = """
import json, sys
import keras
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path.insert(0, sys.argv[1])
from tests.training.test_least_squares_start import fitted
one, two = (tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)]) for count in (1, 2))
print(json.dumps([fitted(one, sys.argv[2] + "/one/e.keras"), fitted(two, sys.argv[2] + "/two/e.keras")]))
"""
random = np.random.default_rng(0)
WORDS = [first + second for first in "abcdef" for second in "uvwxyz"]
TOKENIZER = WordTokenizer(WORDS)
TEXTS = [random.choice(len(WORDS), size=random.integers(1, 8)) for _ in range(1500)]
# A teacher of 10 numbers that adds up hidden vectors of words, and of pairs that stand together.
HIDDEN = random.normal(size=(len(WORDS), 10))
VECTORS = np.array([HIDDEN[text].sum(axis=0) for text in TEXTS])


def task(count=None):
    rows = [(" ".join(WORDS[i] for i in text),) for text in TEXTS[:count]]
    return SentenceTask("teacher", rows, TeacherVectors(), targets=VECTORS[:count])


def ids(count):
    return TOKENIZER([" ".join(WORDS[i] for i in text) for text in TEXTS[:count]]).numpy()


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def test_embeddings_are_the_solution():
    network = DeepAveragingNetwork(40, 0, 1, 10, output_dim=12, token_weights=True)
    learnt = task()
    start_from_least_squares(network, TOKENIZER, [learnt])
    counts = np.zeros((len(TEXTS), 40))
    for row, text in zip(counts, TEXTS):
        np.add.at(row, 4 + text, len(text) ** -0.5)
    directions = np.linalg.eigh(VECTORS.T @ VECTORS)[1].T[::-1]
    wanted = np.linalg.solve(counts.T @ counts + 0.2 * np.eye(40), counts.T @ unit(VECTORS))
    found = network.token_embedding.embedding.embeddings.numpy() * network.token_weights.factors.numpy()[:, None]
    projected = found @ network.projection.kernel.numpy() @ learnt.objective.projection.kernel.numpy()
    np.testing.assert_allclose(unit(projected[4:]), unit(wanted[4:]), atol=1e-3)
    lengths = [np.linalg.norm(vectors[4:], axis=1) for vectors in (projected, wanted)]
    np.testing.assert_allclose(lengths[0] / lengths[0].mean(), lengths[1] / lengths[1].mean(), rtol=1e-3)
    # The strongest direction is the first number.
    first = learnt.objective.projection.kernel.numpy()[0]
    np.testing.assert_allclose(abs(first @ directions[0]), 1.0, atol=1e-3)


@pytest.mark.parametrize(
    "make, least",  # made in the test: its weights are random, and seeded there
    [
        (lambda: SentenceEncoder(40, 1, 16, 32, 2, 10, token_weights=True, norm_first=True), 0.9),
        (lambda: SentenceEncoder(40, 1, 16, 32, 2, 12, token_weights=True), 0.9),
        (lambda: DeepAveragingNetwork(40, 50, 1, 16, output_dim=12, token_weights=True), 0.97),
        (lambda: DeepAveragingNetwork(40, 0, 1, 16, output_dim=8, token_weights=True), 0.95),
    ],
)
def test_untrained_encoders_give_the_teachers_cosines(make, least):
    encoder = make()
    seen, teacher = ids(200), unit(VECTORS[:200])
    pairs = np.triu_indices(200, 1)

    def agreement():
        vectors = np.asarray(encoder(seen))
        return np.corrcoef((vectors @ vectors.T)[pairs], (teacher @ teacher.T)[pairs])[0, 1]

    assert agreement() < 0.4
    others = SentenceTask("pairs", [("au", "av")], SimilarityRegression(), targets=[1.0])
    start_from_least_squares(encoder, TOKENIZER, [others, task()])
    assert agreement() > least


def test_systems_of_several_blocks(monkeypatch):
    monkeypatch.setattr(least_squares_start, "_BLOCK", 7)
    factors, right = random.normal(size=(50, 23)), random.normal(size=(23, 4))
    matrix = factors.T @ factors + np.eye(23)
    expected = np.linalg.solve(matrix, right)
    least_squares_start._solve_in_place(matrix, right)
    np.testing.assert_allclose(right, expected, rtol=1e-9)


def test_words_that_no_text_has_keep_their_embedding():
    network = DeepAveragingNetwork(40, 0, 1, 10, output_dim=12, token_weights=True)
    before = network.token_embedding.embedding.embeddings.numpy()
    start_from_least_squares(network, TOKENIZER, [task(count=4)])
    never = np.setdiff1d(np.arange(4, 40), 4 + np.concatenate(TEXTS[:4]))
    np.testing.assert_array_equal(network.token_embedding.embedding.embeddings.numpy()[never], before[never])
    factors = network.token_weights.factors.numpy()
    assert (factors > 0).all() and (factors[never] == factors.min()).all()


def test_what_has_no_such_start():
    network = DeepAveragingNetwork(40, 0, 1, 10, output_dim=12, token_weights=True)
    pairs = SentenceTask("pairs", [("au", "av")], SimilarityRegression(), targets=[1.0])
    with pytest.raises(ValueError, match=r"Expected a task with TeacherVectors. Received: \['pairs'\]"):
        start_from_least_squares(network, TOKENIZER, [pairs])
    plain = DeepAveragingNetwork(40, 0, 1, 10, output_dim=12, name="plain")
    with pytest.raises(ValueError, match="Expected an encoder with token_weights=True. Received: 'plain'"):
        start_from_least_squares(plain, TOKENIZER, [task()])


def fitted(strategy, path):
    """Vectors after some steps from the solution, within the scope of a strategy."""
    with strategy.scope():
        keras.utils.set_random_seed(0)
        network = DeepAveragingNetwork(40, 50, 1, 16, output_dim=12, dropout=0, word_dropout=0, token_weights=True)
        embedder = TextEmbedder(network, TOKENIZER)
        learnt = task(count=300)
    recipe = EmbeddingRecipe(
        encoder="averaging", steps=4, evaluation_steps=2, warmup_steps=1, learning_rate=1e-2, least_squares_start=True
    )
    fit_embedder(embedder, [learnt], path=path, recipe=recipe, strategy=strategy, verbose=0)
    return embedder.embed(["au bv", "cw"]).tolist()


def test_two_devices_equal_one(tmp_path):
    one, two = map(np.array, run_python(SCRIPT, pathlib.Path(__file__).parents[2], tmp_path))
    np.testing.assert_allclose(one, two, atol=1e-5)
    assert np.isfinite(one).all()
