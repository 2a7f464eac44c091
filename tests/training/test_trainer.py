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


def test_heads_have_their_averages_too():
    """After two steps of gradient 1 from w: w - 0.1, and half of that and half of w - 0.2."""
    one = trainer(use_ema=True, ema_momentum=0.5)
    variables = one.trainable(one.heads)
    starts = [variable.numpy() for variable in variables]
    for _ in range(2):
        one.step.apply(variables, [keras.ops.ones_like(variable) for variable in variables], 1.0, 1.0)
    assert len(variables) == 4
    with one.averaged_weights():
        for variable, start in zip(variables, starts):
            np.testing.assert_allclose(variable.numpy(), start - 0.15, atol=1e-6)
    for variable, start in zip(variables, starts):
        np.testing.assert_allclose(variable.numpy(), start - 0.2, atol=1e-6)


def test_what_heads_share_is_there_once():
    shared, model = keras.layers.Dense(2, use_bias=False), keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    heads = [keras.Sequential([keras.Input((2,)), shared, keras.layers.Dense(1, use_bias=False)]) for _ in range(2)]
    one = Trainer(model, keras.optimizers.SGD(0.1), heads)
    own = [shared.kernel, *(head.layers[-1].kernel for head in heads)]
    assert [id(v) for v in one.trainable(heads)] == [id(v) for v in (*model.trainable_variables, *own)]
    assert [id(v) for v in one.variables] == [id(v) for v in (*model.variables, *own, *one.optimizer.variables)]
    assert [id(v) for v in one.trainable(heads[1:])[2:]] == [id(own[0]), id(own[2])]
