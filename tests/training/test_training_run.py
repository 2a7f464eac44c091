import csv
import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.training import HistoryFile, SaveBest, Trainer, TrainingLoop, TrainingRun
from keras_transformer.training.checkpoint import write_checkpoint

STEPS_OF_EPOCH = 4


class Killed(Exception):
    pass


class KillAt(keras.callbacks.Callback):
    """Ends the training at the end of the n-th step, as if the process were gone."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step -= 1
        if not self.step:
            raise Killed


def batches_of_epoch(epoch):
    random = np.random.default_rng(epoch)
    x = random.normal(size=(STEPS_OF_EPOCH, 6, 3)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[..., :1] * 2))


def make_run(folder, kill_at=None, **kwargs):
    """A run of a model with dropout, a moving average and a schedule, from the same random weights each time."""
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.4), keras.layers.Dense(1)])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.8)
    ema = {} if "average_last" in kwargs else {"use_ema": True, "ema_momentum": 0.6}
    model.compile(keras.optimizers.Adam(schedule, **ema), keras.losses.MeanSquaredError())

    def validate():
        return {"val_loss": float(abs(model.get_weights()[0]).sum())}

    callbacks = [SaveBest(model, os.path.join(folder, "best.keras")), HistoryFile(os.path.join(folder, "history.csv"))]
    if kill_at:
        callbacks.append(KillAt(kill_at))
    defaults = {"epochs": 3, "validate": validate, "callbacks": callbacks, "checkpoint_minutes": 0.0}
    return TrainingRun(TrainingLoop(model), batches_of_epoch, folder, **{**defaults, **kwargs})


def outcome(run):
    """All that a run leaves, apart from times."""
    history = [{name: value for name, value in logs.items() if name != "minutes"} for logs in run.history]
    best = keras.models.load_model(os.path.join(run.folder, "best.keras")).get_weights()
    with open(os.path.join(run.folder, "history.csv"), encoding="utf-8") as file:
        rows = [[row["epoch"], row["loss"], row["val_loss"]] for row in csv.DictReader(file)]
    return history, rows, [variable.numpy() for variable in run.loop.variables], best


def assert_equal_outcomes(one, other):
    assert one[:2] == other[:2]
    for a, b in zip(one[2] + one[3], other[2] + other[3], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kwargs", [{}, {"evaluation_steps": 3}, {"average_last": 2}, {"average_last": 1}], ids=str)
def test_killed_at_any_step_ends_as_if_unbroken(tmp_path, kwargs):
    unbroken = make_run(tmp_path / "unbroken", **kwargs)
    unbroken.run(verbose=0)
    wanted = outcome(unbroken)
    assert len(wanted[0]) == (4 if kwargs == {"evaluation_steps": 3} else 3)
    for step in (1, 4, 7):  # of the first epoch, at its end, within the second
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            make_run(folder, kill_at=step, **kwargs).run(verbose=0)
        again = make_run(folder, **kwargs)
        again.run(verbose=0)
        assert_equal_outcomes(outcome(again), wanted)


def test_killed_many_times(tmp_path):
    unbroken = make_run(tmp_path / "unbroken", epochs=2)
    unbroken.run(verbose=0)
    for _ in range(7):
        with pytest.raises(Killed):
            make_run(tmp_path / "broken", epochs=2, kill_at=2).run(verbose=0)  # one step each survives
    again = make_run(tmp_path / "broken", epochs=2)
    again.run(verbose=0)
    assert_equal_outcomes(outcome(again), outcome(unbroken))


def test_a_finished_run_is_not_repeated_but_goes_on_to_more_epochs(tmp_path):
    run = make_run(tmp_path / "a", epochs=2)
    run.run(verbose=0)
    again = make_run(tmp_path / "a", epochs=2)
    assert again.run(verbose=0) == run.history
    more = make_run(tmp_path / "a", epochs=3)
    more.run(verbose=0)
    whole = make_run(tmp_path / "b", epochs=3)
    whole.run(verbose=0)
    assert_equal_outcomes(outcome(more), outcome(whole))


def test_says_where_it_goes_on_and_how_far_it_will_go(tmp_path, capsys):
    with pytest.raises(Killed):
        make_run(tmp_path, kill_at=6, epochs=2).run()
    first = capsys.readouterr().out
    assert first.startswith("epoch 1 of 2, step 4: loss ") and first.count("\n") == 1
    make_run(tmp_path, epochs=2).run()
    assert capsys.readouterr().out.startswith("Resuming at epoch 2 of 2, step 5\nepoch 2 of 2, step 8: loss ")
    make_run(tmp_path, epochs=2).run()
    assert capsys.readouterr().out == "Nothing left to train: ended at epoch 2 of 2, step 8\n"
    make_run(tmp_path, epochs=3).run()
    shown = capsys.readouterr().out
    assert shown.startswith("Resuming at epoch 3 of 3, step 8\nepoch 3 of 3, step 12: loss ")
    assert "\x1b" not in shown and "Unknown" not in shown


def test_the_mean_of_the_last_rounds_is_what_is_validated_and_saved(tmp_path):
    ends, validated = [], []
    run = make_run(tmp_path, average_last=2)
    model = run.loop.model

    class AtTheEnd(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            ends.append(model.get_weights())  # of the round before

    run.callbacks.append(AtTheEnd())
    run.validate = lambda: validated.append(model.get_weights()) or {"val_loss": -float(len(validated))}
    run.run(verbose=0)
    ends = [*ends[1:], model.get_weights()]
    for i, weights in enumerate(validated):
        for value, *parts in zip(weights, *ends[max(0, i - 1) : i + 1]):
            np.testing.assert_allclose(value, np.mean(parts, axis=0), atol=1e-7)
    best = keras.models.load_model(tmp_path / "best.keras")
    np.testing.assert_array_equal(best.get_weights()[0], validated[-1][0])
    left = sorted(name for name in os.listdir(tmp_path) if "weights" in name)
    assert left == ["training-state-weights-12", "training-state-weights-8"]


class Counted(Trainer):
    """Has the number of the step as the weight of its model, and ten times that as the weight of its head."""

    def __init__(self):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        head = keras.layers.Dense(1, use_bias=False)
        head.build((None, 1))
        super().__init__(model, keras.optimizers.SGD(), [head])

    def steps(self, batches, first=0):
        for number in batches[first:]:
            for variable, value in zip(self.trainable(self.heads), (number, 10 * number), strict=True):
                variable.assign([[value]])
            yield 1.0, 1.0


def test_the_mean_is_taken_of_heads_too(tmp_path):
    loop, found = Counted(), []

    def validate():
        found.append([float(variable.numpy()[0, 0]) for variable in loop.trainable(loop.heads)])
        return {}

    options = {"steps": 3, "evaluation_steps": 1, "average_last": 2, "validate": validate}
    TrainingRun(loop, lambda epoch: [1, 2, 3], tmp_path, **options).run(verbose=0)
    assert found == [[1, 10], [1.5, 15], [2.5, 25]]
    assert loop.heads[0].get_weights()[0] == 30


def test_stops_after_steps_minutes_or_without_progress(tmp_path):
    run = make_run(tmp_path / "steps", epochs=None, steps=6)
    assert [logs["step"] for logs in run.run(verbose=0)] == [4, 6]
    run = make_run(tmp_path / "minutes", minutes=1e-9)
    assert [logs["step"] for logs in run.run(verbose=0)] == [1] or not run.history
    run = make_run(tmp_path / "patience", epochs=50)
    run.callbacks[0].patience = 2
    values = iter([3.0, 2.0, 2.5, float("nan"), 1.0])
    run.validate = lambda: {"val_loss": next(values)}
    assert len(run.run(verbose=0)) == 4
    again = make_run(tmp_path / "patience", epochs=50)
    again.callbacks[0].patience = 2
    assert len(again.run(verbose=0)) == 4  # it has stopped for good


def test_a_damaged_state_is_refused_by_name(tmp_path):
    run = make_run(tmp_path, epochs=1)
    run.run(verbose=0)
    with open(run.checkpoint_path, "r+b") as file:
        file.truncate(500)
    with pytest.raises(ValueError, match="Expected a whole checkpoint. Received .*training-state"):
        make_run(tmp_path).run(verbose=0)


def test_the_state_of_another_run_is_refused(tmp_path):
    make_run(tmp_path, epochs=1, description={"rate": 1, "width": 3}).run(verbose=0)
    message = r"the training in .*training-state, or another folder. Received: rate=2 \(not 1\)$"
    with pytest.raises(ValueError, match=message):
        make_run(tmp_path, description={"rate": 2, "width": 3}).run(verbose=0)


def test_the_checkpoint_of_an_older_version_is_refused(tmp_path):
    run = make_run(tmp_path, epochs=1)
    run.run(verbose=0)
    for older in ({"format": 1}, {}):  # as before there were formats
        write_checkpoint(run.checkpoint_path, run.loop.variables, older)
        with pytest.raises(
            ValueError, match="of format 2. Received .*training-state, of format 1: end that training with"
        ):
            make_run(tmp_path).run(verbose=0)


def test_a_failure_of_the_first_worker_ends_the_run_after_the_step(tmp_path):
    def fail():
        raise OSError("disk full")

    run = make_run(tmp_path, validate=fail)
    with pytest.raises(OSError, match="disk full"):
        run.run(verbose=0)
    again = make_run(tmp_path, epochs=1)  # from the state before the round's end
    again.run(verbose=0)
    whole = make_run(tmp_path / "whole", epochs=1)
    whole.run(verbose=0)
    assert_equal_outcomes(outcome(again), outcome(whole))


def test_leftovers_of_killed_processes_go(tmp_path):
    for name in (".unfinished-abcdefgh-training-state", ".unfinished-abcdefgh-training-state-weights-7"):
        (tmp_path / name / "new").mkdir(parents=True)
        (tmp_path / name / "lock").touch()
    make_run(tmp_path, epochs=1).run(verbose=0)
    assert not list(tmp_path.glob(".unfinished*"))


def test_an_epoch_without_batches_is_no_training(tmp_path):
    run = make_run(tmp_path)
    run.batches_of_epoch = lambda epoch: batches_of_epoch(epoch).take(STEPS_OF_EPOCH * (epoch == 0))
    with pytest.raises(ValueError, match="Expected batches in epoch 1. Received: none"):
        run.run(verbose=0)


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="epochs, steps or minutes. Received: none"):
        make_run(tmp_path, epochs=None)
    with pytest.raises(TypeError, match="not JSON serializable"):
        make_run(tmp_path, description={"x": np.float32(1)})
    with pytest.raises(ValueError, match="checkpoint_minutes=-1"):
        make_run(tmp_path, checkpoint_minutes=-1)
    with pytest.raises(ValueError, match="evaluation_steps=0"):
        make_run(tmp_path, evaluation_steps=0)


def test_what_callbacks_keep_is_json():
    assert json.loads(json.dumps(SaveBest(None, "x").get_state()))["best"] == float("inf")
