import keras
import numpy as np
import pytest

from keras_transformer.training import InverseSquareRootSchedule, LinearDecaySchedule, NoamSchedule


@pytest.mark.parametrize("step", [1, 2, 100, 3999, 4000, 4001, 100_000])
def test_noam_is_equation_3(step):
    schedule = NoamSchedule(512, warmup_steps=4000)
    wanted = 512**-0.5 * min(step**-0.5, step * 4000**-1.5)
    assert float(schedule(step - 1)) == pytest.approx(wanted, rel=1e-5)  # Keras counts from 0


def test_inverse_square_root_by_hand():
    schedule = InverseSquareRootSchedule(0.8, warmup_steps=4)
    rates = [float(schedule(step - 1)) for step in (1, 2, 4, 16)]
    np.testing.assert_allclose(rates, [0.2, 0.4, 0.8, 0.4], rtol=1e-6)


@pytest.mark.parametrize("schedule", [NoamSchedule(128, 10), InverseSquareRootSchedule(0.1, 7)])
def test_optimizer_with_it_round_trips(schedule):
    optimizer = keras.optimizers.Adam(schedule)
    revived = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert float(revived.learning_rate) == float(optimizer.learning_rate)
    assert type(revived._learning_rate) is type(schedule)


@pytest.mark.parametrize(
    "make",
    [
        lambda: NoamSchedule(0),
        lambda: NoamSchedule(8, warmup_steps=0),
        lambda: InverseSquareRootSchedule(-1.0),
    ],
)
def test_bad_arguments(make):
    with pytest.raises(ValueError, match="Received: "):
        make()


def test_linear_decay_by_hand():
    schedule = LinearDecaySchedule(0.4, warmup_steps=4, steps=12)
    rates = [float(schedule(step)) for step in (0, 1, 3, 4, 7, 10, 11, 12, 100)]  # Keras counts from 0
    np.testing.assert_allclose(rates, [0.1, 0.2, 0.4, 0.35, 0.2, 0.05, 0.0, 0.0, 0.0], atol=1e-7)
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config()
    with pytest.raises(ValueError, match="fewer warmup_steps than steps=4. Received: warmup_steps=4"):
        LinearDecaySchedule(0.4, 4, 4)
