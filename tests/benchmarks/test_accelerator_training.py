import math

import numpy as np
import pytest

from benchmarks.accelerator_training import SIZES, benchmark, utilisation
from benchmarks.training_step import Training
from keras_transformer.models import PRESETS, Transformer

TRAINING = Training(
    "tiny", 3, 7, 2, num_layers=4, hidden_dim=128, intermediate_dim=256, num_heads=4, vocabulary_size=50
)


@pytest.mark.parametrize("size", list(SIZES))
def test_sizes_are_the_presets(size):
    assert {name: getattr(SIZES[size], name) for name in PRESETS[size] if name != "dropout"} == {
        name: value for name, value in PRESETS[size].items() if name != "dropout"
    }


def test_operations_are_those_of_the_model():
    model = Transformer.from_preset("tiny", 50)
    weights = sum(math.prod(weight.shape) for weight in model.weights if len(weight.shape) > 1)
    # Three attentions in each pair of blocks; a score and its part of the sum are a multiplication and an addition a
    # channel.
    scores = 4 * 3 * 2 * 2 * 7 * 128
    assert TRAINING.operations == 3 * (3 * 7) * (2 * weights + scores)


def test_written_inputs(tmp_path):
    TRAINING.write(tmp_path)
    arrays = np.load(tmp_path / "transformer.npz")
    lengths = (arrays["source_ids"] != 0).sum(axis=1)
    assert lengths[0] == 7 and lengths.min() >= 2
    assert arrays["table"].shape == (50, 128) and arrays["decoder/3/cross_query_key_value"].shape == (128, 384)
    for name in "target_ids", "labels":
        np.testing.assert_array_equal(arrays[name] != 0, arrays["source_ids"] != 0)


def test_utilisation():
    subjects = {
        "ours": {"seconds": [3.0, 2.0, 1.0], "device": "NVIDIA H200"},
        "other": {"seconds": [4.0], "device": "abacus"},
    }
    assert list(utilisation({"operations": 989e12, "subjects": subjects})) == [
        "  ours: 494 TFLOP/s of the model on NVIDIA H200, 50.0% of 989",
        "  other: 247 TFLOP/s of the model on abacus",
    ]


def test_every_subject_is_compared():
    assert (
        set(benchmark.tolerance)
        == set(benchmark.subjects)
        == {"keras_transformer", "KerasHub", "torch", "torch compiled"}
    )
