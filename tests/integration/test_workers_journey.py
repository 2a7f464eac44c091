"""Devices of one machine, and worker processes, train one model: a translator, and a sentence encoder."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests import made_data
from tests.integration import small_trainings
from tests.integration.processes import cluster, history, run_python, start_command

KINDS = ("translator", "embedder", "embedder in micro-batches")

# Trainings with gradients clipped, accumulated and scaled as float16 needs it: `train` gives the number of devices, and
# losses and weights of each kind.
TRAIN = """
import json, sys
import keras
import numpy as np
import tensorflow as tf
from keras_transformer.training import make_strategy
if two_devices:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
else:
    strategy = make_strategy()
from keras_transformer import training
from keras_transformer.data import ParallelText
from keras_transformer.models import SentenceEncoder, Transformer
from keras_transformer.text import ByteTokenizer

def optimizer():
    return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), initial_scale=1024.0)

def weights(layers):
    return [float(value) for layer in layers for weight in layer.get_weights() for value in weight.ravel()]

def train(strategy):
    keras.utils.set_random_seed(3)
    with strategy.scope():
        model = Transformer(260, 1, 12, 19, 3, dropout=0.0)
        model.compile(optimizer(), training.LabelSmoothedCrossEntropy(0.1))
    loop = training.TrainingLoop(model, strategy, micro_batches=2, clip_norm=0.5)
    pairs = ParallelText(sys.argv[1], sys.argv[2], ByteTokenizer(), max_length=64)
    losses = [loss for loss, _ in loop.steps(pairs.batches(512, seed=1, epoch=0))]
    found = {"translator": [losses, weights([model])]}

    rows = list(zip(pairs.source_lines(), pairs.target_lines()))
    for name, tokens in (("embedder", 16384), ("embedder in micro-batches", 100)):
        keras.utils.set_random_seed(3)
        tasks = [
            training.SentenceTask("ranking", rows, training.ResponseRanking(response_network=4), batch_size=7),
            training.SentenceTask(
                "inference", rows, training.NaturalLanguageInference(3, 5, 0.0), [i % 3 for i in range(len(rows))], 7
            ),
        ]
        with strategy.scope():
            encoder = SentenceEncoder(260, 1, 12, 19, 3, output_dim=5, dropout=0.0)
            scaled = optimizer()
        loop = training.SentenceTrainingLoop(
            encoder, ByteTokenizer(), tasks, scaled, 64, tokens, clip_norm=0.5, strategy=strategy
        )
        losses = [loss for loss, _ in loop.steps([(0, 0), (1, 0), (0, 1)])]
        found[name] = [losses, weights([encoder, *(task.objective for task in tasks)])]
    return [strategy.num_replicas_in_sync, found]
"""
WORKER = f"two_devices = False\n{TRAIN}\nprint(json.dumps(train(strategy)))"
# On one device, on two, and a step where one of the two overflows in float16: the weights of the devices after it, and
# the loss scale.
DEVICES = f"""
two_devices = True
{TRAIN}
alone = train(tf.distribute.get_strategy())
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
both = train(strategy)
with strategy.scope():
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
loop = training.TrainingLoop(model, strategy)
x = np.array([[1.0], [30000.0]], "float32")  # the second row, for the second device, is too much
list(loop.steps(tf.data.Dataset.from_tensors((x, np.zeros_like(x)))))
after = [value.numpy().item() for value in strategy.experimental_local_results(model.trainable_weights[0].value)]
print(json.dumps([alone, both, [after, model.optimizer.dynamic_scale.numpy().item()]]))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    paths = []
    for side, lines in zip(("source", "target"), made_data.pairs(61)):
        paths.append(folder / side)
        paths[-1].write_text("\n".join(lines) + "\n")
    return paths


@pytest.fixture(scope="module")
def devices(files):
    return run_python(DEVICES, *files)


@pytest.fixture(scope="module")
def alone(devices):
    number, found = devices[0]
    assert number == 1
    return found


@pytest.fixture(scope="module")
def on_two_devices(devices):
    number, found = devices[1]
    assert number == 2
    return found


@pytest.fixture(scope="module")
def by_two_workers(files):
    command = [sys.executable, "-c", WORKER, *map(str, files)]
    processes = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for env in cluster(2)]
    (number, first), (_, second) = (json.loads(one.communicate()[0].splitlines()[-1]) for one in processes)
    assert number == 2 and first == second
    return first


@pytest.mark.parametrize("kind", KINDS)
def test_two_devices_of_one_machine_equal_one(on_two_devices, alone, kind):
    for found, wanted in zip(on_two_devices[kind], alone[kind], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_two_workers_equal_one_process(by_two_workers, alone, kind):
    for found, wanted in zip(by_two_workers[kind], alone[kind], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_micro_batches_of_an_embedder_change_nothing(alone):
    for found, wanted in zip(alone[KINDS[2]], alone[KINDS[1]], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_an_overflow_on_one_device_skips_the_step_on_all(devices):
    weights, scale = devices[2]
    assert weights == [1.0, 1.0] and scale == 2.0**14


def test_a_lost_worker_comes_back(tmp_path):
    """The command line: the chief validates alone; one worker is killed and started again, the other waits for it."""
    kind = "translator"  # what the command line does then is the same for all kinds
    command = [*small_trainings.arguments(kind, small_trainings.write_files(tmp_path)), "--dropout", 0, "--out"]
    environments = cluster(2)
    chief = start_command(*command, tmp_path / "both", env=environments[0])
    start, more = small_trainings.killed("step 6")
    lost = subprocess.run([*start, *map(str, command), tmp_path / "both"], env={**environments[1], **more}, check=False)
    assert lost.returncode == -signal.SIGKILL
    other = start_command(*command, tmp_path / "both", env=environments[1])
    assert start_command(*command, tmp_path / "alone").wait() == 0
    assert chief.wait() == 0 and other.wait() == 0
    both, alone = (small_trainings.figures(history(tmp_path / folder)) for folder in ("both", "alone"))
    assert len(alone) == 3
    np.testing.assert_allclose(both, alone, atol=1e-4)
    assert (tmp_path / "both" / f"{kind}.keras").exists()
