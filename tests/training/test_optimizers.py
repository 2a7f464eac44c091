import keras
import numpy as np
import pytest

from keras_transformer.training import Adam, Muon

CONFIG = {"beta_1": 0.9, "beta_2": 0.98, "epsilon": 1e-4}


OF_MUON = {"adam_beta_2": 0.98, "epsilon": 1e-4, "weight_decay": None, "adam_weight_decay": None}


@pytest.mark.parametrize("ema", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs", "config"),
    [(Adam, keras.optimizers.Adam, CONFIG), (Muon, keras.optimizers.Muon, OF_MUON)],
)
def test_same_updates_as_keras_own(ours, theirs, config, ema):
    random = np.random.RandomState(0)
    starts = [random.normal(size=shape) for shape in [(5, 3), (4,)]]
    gradients = [[random.normal(size=start.shape) for start in starts] for _ in range(4)]
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 4)
    values = []
    for optimizer_class in (ours, theirs):
        variables = [keras.Variable(start.astype("float32")) for start in starts]
        optimizer = optimizer_class(schedule, **config, use_ema=ema)
        for step in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient.astype("float32")) for gradient in step], variables)
        values.append([np.asarray(state) for state in [*variables, *optimizer.variables]])
    for one, other in zip(*values):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_orthogonal_updates_in_bfloat16():
    gradient = np.random.RandomState(0).normal(size=(6, 9)).astype("float32")
    updates = []
    for dtype in ("float32", "bfloat16"):
        variable = keras.Variable(np.zeros((6, 9), "float32"))
        Muon(1.0, dtype).apply([keras.ops.convert_to_tensor(gradient)], [variable])
        updates.append(variable.numpy())
    np.testing.assert_allclose(*updates, atol=0.1)
    # Nearly orthogonal: singular values about 1, times 0.2 sqrt(9).
    singular = np.linalg.svd(updates[1], compute_uv=False) / 0.6
    assert singular.min() > 0.6
    assert singular.max() < 1.3


def test_the_first_step_by_hand():
    variable = keras.Variable([1.0])
    optimizer = Adam(0.5, **CONFIG)
    optimizer.apply([keras.ops.convert_to_tensor([4.0])], [variable])
    # m = 0.4, v = 0.32; rate * sqrt(1 - 0.98) / (1 - 0.9) * m / (sqrt(v) + epsilon)
    expected = 1 - 0.5 * 0.02**0.5 / 0.1 * 0.4 / (0.32**0.5 + 1e-4)
    np.testing.assert_allclose(variable.numpy(), [expected], rtol=1e-5)


def test_comes_back_from_its_config():
    optimizer = Adam(0.25, **CONFIG)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert isinstance(copy, Adam)
    assert copy.get_config() == optimizer.get_config()
