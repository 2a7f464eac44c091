import pathlib

import keras
import pytest

from keras_transformer.training import HistoryFile, SaveBest


def model():
    one = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    one.compile("sgd", "mse")
    return one


def test_save_best_keeps_the_best(tmp_path):
    saved, path = model(), tmp_path / "best.keras"
    callback = SaveBest(saved, path)
    assert not callback.has_saved
    for epoch, (value, weight) in enumerate([(2.0, 20.0), (1.0, 10.0), (3.0, 30.0), (float("nan"), 5.0)]):
        saved.layers[0].bias.assign([weight])
        callback.on_epoch_end(epoch, {"val_loss": value})
    assert callback.has_saved and float(keras.models.load_model(path).layers[0].bias[0]) == 10.0
    assert [p.name for p in tmp_path.iterdir()] == ["best.keras"]


def test_save_best_without_a_monitor_keeps_the_last(tmp_path):
    saved, path = model(), tmp_path / "last.keras"
    callback = SaveBest(saved, path, monitor=None)
    for weight in (1.0, 2.0):
        saved.layers[0].bias.assign([weight])
        callback.on_epoch_end(0, {})
    assert float(keras.models.load_model(path).layers[0].bias[0]) == 2.0


def test_save_best_names_a_missing_value(tmp_path):
    with pytest.raises(ValueError, match=r"'val_loss' among the logs. Received: \['loss'\]"):
        SaveBest(model(), tmp_path / "x.keras").on_epoch_end(0, {"loss": 1.0})


def test_a_failed_save_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "best.keras"

    class Broken:
        def save(self, path):
            pathlib.Path(path).write_bytes(b"half")
            raise OSError("disk full")

    path.write_bytes(b"whole")
    with pytest.raises(OSError, match="disk full"):
        SaveBest(Broken(), path, monitor=None).on_epoch_end(0)
    assert path.read_bytes() == b"whole" and len(list(tmp_path.iterdir())) == 1


def test_save_best_of_what_should_rise_and_patience(tmp_path):
    saved = model()
    callback = SaveBest(saved, tmp_path / "best.keras", "val_bleu", higher_is_better=True, patience=2)
    callback.set_model(saved)
    stopped = []
    for epoch, value in enumerate([10.0, 9.0, 12.0, float("nan"), 11.0]):
        saved.stop_training = False
        saved.layers[0].bias.assign([value])
        callback.on_epoch_end(epoch, {"val_bleu": value})
        stopped.append(saved.stop_training)
    assert stopped == [False, False, False, False, True]
    assert float(keras.models.load_model(tmp_path / "best.keras").layers[0].bias[0]) == 12.0
    with pytest.raises(ValueError, match="patience=0"):
        SaveBest(saved, "x.keras", patience=0)


def test_history_file_has_every_column_of_every_epoch(tmp_path):
    path = tmp_path / "history.csv"
    callback = HistoryFile(path)
    callback.on_epoch_end(0, {"loss": 2.5})
    again = HistoryFile(path)
    again.set_state(callback.get_state())
    again.on_epoch_end(1, {"loss": 1.5, "val_loss": 2.0})
    assert path.read_text() == "epoch,loss,val_loss\n1,2.5,\n2,1.5,2.0\n"
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"]
