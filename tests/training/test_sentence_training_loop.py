import keras
import numpy as np
import pytest

from keras_transformer.models import DeepAveragingNetwork, QuestionAnswerEncoder
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import (
    NaturalLanguageInference,
    QuestionAnswerRanking,
    ResponseRanking,
    SentenceTask,
    SentenceTrainingLoop,
    SimilarityRegression,
)
from tests import made_data, reference

SENTENCES = made_data.sentences(60)
# Tokens; a batch has some 350.
MICRO_BATCH = 100
PAIRS = list(zip(SENTENCES[:30], SENTENCES[30:]))


def tasks():
    return [
        SentenceTask("ranking", PAIRS, ResponseRanking(response_network=5), batch_size=10, weight=3.0),
        SentenceTask(
            "inference", PAIRS, NaturalLanguageInference(3, 7, dropout=0.0), targets=np.arange(30) % 3, batch_size=8
        ),
        SentenceTask(
            "similarity", PAIRS, SimilarityRegression(), targets=np.linspace(0, 1, 30).astype("float32"), batch_size=8
        ),
    ]


def loop(dropout=0.0, optimizer=None, of=tasks, dtype="float32", **options):
    encoder = DeepAveragingNetwork(260, 13, 1, 12, output_dim=6, dropout=dropout, word_dropout=0.0, dtype=dtype)
    reference.randomize(encoder, seed=1)
    keras.utils.set_random_seed(0)
    return SentenceTrainingLoop(encoder, ByteTokenizer(), of(), optimizer or keras.optimizers.Adam(1e-2), **options)


def weights(of):
    return np.concatenate([np.ravel(variable.numpy()) for variable in of.model.trainable_variables])


@pytest.mark.parametrize("task", [0, 1, 2])
def test_a_step_is_gradient_descent_on_the_objective(task):
    of = loop(optimizer=keras.optimizers.SGD(1.0), of=lambda: tasks()[task : task + 1])
    (only,) = of.tasks
    batch = only.batch(0, of.seed)
    texts = [only.texts[i] for i in batch.texts.T.ravel()]
    before, head = weights(of), only.objective.get_weights()

    def loss():
        vectors = np.split(of.model(ByteTokenizer()(texts)).numpy(), only.num_vectors)
        return float(only.objective(vectors, batch.targets))

    expected = loss()
    ((found, rows),) = list(of.steps([(0, 0)]))
    assert rows == len(batch.texts)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    # The step is minus the gradient: along it the loss falls at the rate of its squared length.
    step = weights(of) - before
    assert np.abs(step).max() > 0
    size = 1e-3 / np.linalg.norm(step)
    values = []
    for sign in (1, -1):
        at = 0
        for variable in of.model.trainable_variables:
            part = slice(at, at + variable.numpy().size)
            variable.assign(np.reshape((before + sign * size * step)[part], variable.shape))
            at = part.stop
        only.objective.set_weights(head)
        values.append(loss())
    slope = (values[0] - values[1]) / (2 * size)
    np.testing.assert_allclose(slope, -np.square(step).sum(), rtol=0.05)


def test_a_batch_in_micro_batches_gives_the_same_step():
    whole, split = loop(micro_batch_tokens=1 << 20), loop(micro_batch_tokens=MICRO_BATCH)
    for number in range(3):
        (a,), (b,) = (list(of.steps([(number, 0)])) for of in (whole, split))
        np.testing.assert_allclose(a, b, rtol=1e-5)
    np.testing.assert_allclose(weights(whole), weights(split), atol=1e-4)
    assert any("micro-batch" in key for key in split._functions)
    assert not any("micro-batch" in key for key in whole._functions)


@pytest.mark.parametrize("tokens", [1 << 20, MICRO_BATCH])
def test_the_unscaled_gradient_is_clipped(tokens):
    """By a learning rate of 0.5 the norm of the update is half of `clip_norm`, whether the loss is scaled or not."""
    steps = []
    for optimizer in (
        keras.optimizers.SGD(0.5),
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=1024.0),
    ):
        of = loop(optimizer=optimizer, micro_batch_tokens=tokens, clip_norm=0.1)
        trained = of.trainable([of.tasks[0].objective])
        before = np.concatenate([variable.numpy().ravel() for variable in trained])
        list(of.steps([(0, 0)]))
        steps.append(np.concatenate([variable.numpy().ravel() for variable in trained]) - before)
    np.testing.assert_allclose(np.linalg.norm(steps[0]), 0.05, rtol=1e-4)
    np.testing.assert_allclose(steps[1], steps[0], atol=1e-6)


def test_an_objective_in_float16_has_its_loss_scaled():
    """Though the encoder is in float32."""
    encoder = DeepAveragingNetwork(260, 0, 1, 6, output_dim=5)
    model = QuestionAnswerEncoder(encoder, hidden_dim=7, output_dim=6, dtype="mixed_float16")
    task = SentenceTask("answers", PAIRS, QuestionAnswerRanking(model), batch_size=10)
    of = SentenceTrainingLoop(encoder, ByteTokenizer(), [task], keras.optimizers.SGD(0.1))
    assert isinstance(of.optimizer, keras.optimizers.LossScaleOptimizer)
    assert np.isfinite(next(of.steps([(0, 0)]))[0])


@pytest.mark.parametrize("tokens", [1 << 20, MICRO_BATCH])
def test_float16_scales_its_loss(tokens):
    """Steps as in float32, with gradients that float16 could not hold without."""
    options = {"micro_batch_tokens": tokens, "clip_norm": 0.1}
    half, single = (loop(optimizer=keras.optimizers.SGD(0.1), dtype=d, **options) for d in ("mixed_float16", "float32"))
    assert isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    start = weights(half)
    for of in (half, single):
        losses = [loss for loss, _ in of.steps([(0, 0), (1, 0), (2, 0)])]
        assert np.isfinite(losses).all()
    assert np.abs(weights(single) - start).max() > 1e-3
    np.testing.assert_allclose(weights(half), weights(single), atol=2e-3)


def test_both_passes_of_a_micro_batch_have_the_same_dropout():
    """A batch in micro-batches, with learning rate 0, so that the second pass differs by nothing but dropout."""
    of = loop(0.5, optimizer=keras.optimizers.SGD(0.0), micro_batch_tokens=MICRO_BATCH)
    seen = []
    encode = of._encode
    of._encode = lambda groups: seen.append(vectors := encode(groups)) or vectors
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        list(of.steps([(0, 0)]))
    finally:
        tf.config.run_functions_eagerly(False)
    count = len(seen) // 2
    assert count > 1
    for first, second in zip(seen[:count], seen[count:], strict=True):
        np.testing.assert_array_equal(first.numpy(), second.numpy())
    assert len({vectors.numpy().tobytes() for vectors in seen}) == count


def test_tasks_come_by_their_weights_and_their_batches_in_order():
    of = loop()
    steps = of.batches(0, 1000)
    shares = np.bincount([task for task, _ in steps]) / 1000
    np.testing.assert_allclose(shares, [0.6, 0.2, 0.2], atol=0.05)
    for task in range(3):
        numbers = [number for which, number in steps if which == task]
        assert numbers == list(range(len(numbers)))
    assert of.batches(700, 300) == steps[700:]


def test_the_loss_falls_and_is_told_for_each_task():
    of = loop(0.1)
    list(of.steps(of.batches(0, 30)))
    before = of.take_losses()
    assert set(before) == {"loss_ranking", "loss_inference", "loss_similarity"}
    list(of.steps(of.batches(30, 120)))
    after = of.take_losses()
    assert after["loss_ranking"] < before["loss_ranking"]
    assert of.take_losses() == {}


def test_texts_without_tokens_and_long_ones_are_counted():
    rows = [("", "ab"), ("abcdef", "x" * 20)]
    of = loop(of=lambda: [SentenceTask("t", rows, ResponseRanking(), batch_size=2)], max_length=5)
    assert (of.num_empty, of.num_truncated) == (1, 2)
    assert np.isfinite(next(of.steps([(0, 0)]))[0])


def test_bad_values():
    with pytest.raises(ValueError, match=r"different names, .* Received: \['ranking', 'inference', 'ranking'\]"):
        loop(of=lambda: [*tasks()[:2], tasks()[0]])
    with pytest.raises(ValueError, match="at least one task"):
        loop(of=list)
    with pytest.raises(ValueError, match="micro_batch_tokens=0"):
        loop(micro_batch_tokens=0)
