import keras
import numpy as np

from keras_transformer.training.weight_snapshots import WeightSnapshots


def test_the_mean_of_the_last_ones(tmp_path):
    weight, snapshots = keras.Variable([0.0, 0.0]), WeightSnapshots(tmp_path / "w-", 2)
    means = []
    for step, value in ((3, 2.0), (6, 4.0), (6, 5.0), (9, 7.0)):  # step 6 is taken again, as after a kill
        weight.assign([value, 1.0])
        with snapshots.averaged([weight], step):
            means.append(weight.numpy().tolist())
        np.testing.assert_array_equal(weight.numpy(), [value, 1.0])
    assert means == [[2.0, 1.0], [3.0, 1.0], [3.5, 1.0], [6.0, 1.0]]
    assert snapshots.steps == [6, 9]


def test_others_are_removed(tmp_path):
    weight, snapshots = keras.Variable(0.0), WeightSnapshots(tmp_path / "w-", 1)
    (tmp_path / "else").touch()
    for step in (1, 2):
        with snapshots.averaged([weight], step):
            pass
    snapshots.remove_others()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["else", "w-2"]
