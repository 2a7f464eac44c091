"""Two worker processes on this machine train one model."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import made_data
from tests.integration.processes import cluster, history, run_python, start_command

# A training of its own loop, with gradients clipped and accumulated; prints the weights.
SCRIPT = """
import json, sys
import keras
import tensorflow as tf
from keras_transformer.training import make_strategy
devices = int(sys.argv[3])
if devices > 1:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)])
else:
    strategy = make_strategy()
from keras_transformer.data import ParallelText
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import LabelSmoothedCrossEntropy, TrainingLoop
keras.utils.set_random_seed(3)
with strategy.scope():
    model = Transformer(260, 1, 12, 19, 3, dropout=0.0)
    model.compile(keras.optimizers.SGD(0.5), LabelSmoothedCrossEntropy(0.1))
loop = TrainingLoop(model, strategy, micro_batches=2, clip_norm=0.5)
pairs = ParallelText(sys.argv[1], sys.argv[2], ByteTokenizer(), max_length=64)
losses = [loss for loss, _ in loop.steps(pairs.batches(512, seed=1, epoch=0))]
weights = [float(value) for weight in model.get_weights() for value in weight.ravel()]
print(json.dumps([strategy.num_replicas_in_sync, losses, weights]))
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
def alone(files):
    return run_python(SCRIPT, *files, 1)


def assert_the_same_training(one, other):
    for a, b in zip(one[1:], other[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_two_workers_equal_one_process(files, alone):
    command = [sys.executable, "-c", SCRIPT, *map(str, files), "1"]
    processes = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) for env in cluster(2)]
    first, second = (json.loads(process.communicate()[0].splitlines()[-1]) for process in processes)
    assert first[0] == second[0] == 2 and alone[0] == 1
    assert first == second
    assert_the_same_training(first, alone)


def test_two_devices_of_one_machine_equal_one(files, alone):
    mirrored = run_python(SCRIPT, *files, 2)
    assert mirrored[0] == 2
    assert_the_same_training(mirrored, alone)


# One device overflows in float16: prints the weights of the devices before and after, and the loss scale.
OVERFLOW = """
import json
import keras
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from keras_transformer.training import TrainingLoop
with strategy.scope():
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
loop = TrainingLoop(model, strategy)
x = np.array([[1.0], [30000.0]], "float32")  # the second row, for the second device, is too much
list(loop.steps(tf.data.Dataset.from_tensors((x, np.zeros_like(x)))))
after = [value.numpy().item() for value in strategy.experimental_local_results(model.trainable_weights[0].value)]
print(json.dumps([after, model.optimizer.dynamic_scale.numpy().item()]))
"""


def test_an_overflow_on_one_device_skips_the_step_on_all():
    weights, scale = run_python(OVERFLOW)
    assert weights == [1.0, 1.0] and scale == 2.0**14


def test_a_lost_worker_comes_back(files, tmp_path):
    """The command line: the chief validates alone; one worker is killed and started again, the other waits for it."""

    def arguments(out):
        return [
            "train", "translator", "--source", files[0], "--target", files[1], "--validation-source", files[0],
            "--validation-target", files[1], "--out", tmp_path / out, "--byte-level", "--num-layers", 1,
            "--hidden-dim", 12, "--intermediate-dim", 19, "--num-heads", 3, "--dropout", 0, "--warmup-steps", 10,
            "--epochs", 12, "--tokens-per-batch", 512, "--max-length", 64, "--checkpoint-minutes", 0,
        ]  # fmt: skip

    assert start_command(*arguments("alone")).wait() == 0
    environments = cluster(2)
    chief, other = (start_command(*arguments("both"), env=env) for env in environments)
    while len(history(tmp_path / "both")) < 3:
        assert chief.poll() is None and other.poll() is None
        time.sleep(0.05)
    other.kill()
    other.wait()
    other = start_command(*arguments("both"), env=environments[1])
    assert chief.wait() == 0 and other.wait() == 0
    both, alone = history(tmp_path / "both"), history(tmp_path / "alone")
    assert len(both) == len(alone) == 12
    for column in ("loss", "val_loss"):
        np.testing.assert_allclose(
            [float(row[column]) for row in both], [float(row[column]) for row in alone], atol=1e-4
        )
    assert (tmp_path / "both" / "translator.keras").exists()
