import keras
import numpy as np
import pytest

from keras_transformer.training import Trainer


def trainer(**options):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dropout(0.5)])
    head = keras.layers.Dense(1)
    head.build((None, 2))
    return Trainer(model, keras.optimizers.SGD(0.1, **options), [head])


def test_variables_are_of_the_model_then_the_heads_then_the_optimizer():
    one = trainer()
    assert one.variables == [*one.model.variables, *one.heads[0].variables, *one.optimizer.variables]
    assert one.trainable() == one.model.trainable_variables
    assert one.trainable(one.heads) == [*one.model.trainable_variables, *one.heads[0].trainable_variables]
    assert any("seed" in variable.path for variable in one.variables)  # dropout comes back


def test_one_device_has_all_rows_and_writes():
    one = trainer()
    rows = np.arange(6)
    assert one.share(rows) is rows and one.is_chief and one.num_devices == 1
    assert one.any_worker(True) is True and one.any_worker(0) is False
    assert one.compiled(lambda: one.share(rows) * 2)().numpy().tolist() == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("scaled", [False, True])
def test_averages_are_there_while_asked_for(scaled):
    one = trainer(use_ema=True, ema_momentum=0.5)
    if scaled:
        one = Trainer(one.model, keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1, use_ema=True)))
    weights = one.model.get_weights()
    with pytest.raises(OSError, match="disk full"), one.averaged_weights():
        assert not np.array_equal(one.model.get_weights()[0], weights[0])
        raise OSError("disk full")
    np.testing.assert_array_equal(one.model.get_weights()[0], weights[0])
