import numpy as np
import pytest

from keras_transformer.training import PairData


def file(tmp_path, text):
    path = tmp_path / "pairs.tsv"
    path.write_text(text)
    return path


def test_kinds_of_files(tmp_path):
    data = PairData.similarity(file(tmp_path, "5\ta\tb\n2.5\tc\td\n"))
    assert (data.pairs, data.targets.tolist(), data.activation) == ([("a", "b"), ("c", "d")], [1, 0.5], "sigmoid")
    data = PairData.matches([file(tmp_path, "1\ta\tb\n0\tc\td\n")] * 2)
    assert data.targets.tolist() == [1, 0, 1, 0]
    data = PairData.scores(file(tmp_path, "-7.5\ta\tb\n"))
    assert (data.targets.tolist(), data.activation) == ([-7.5], "linear")
    data = PairData.ranking(file(tmp_path, "q\tr\tx\ty\np\ts\n"))
    assert data.pairs == [("q", "r"), ("q", "x"), ("q", "y"), ("p", "s")] and data.targets.tolist() == [1, 0, 0, 1]
    path = file(tmp_path, "no\ta\tb\nyes\tc\td\n")
    data = PairData.classes(path)
    assert (data.labels, data.targets.tolist(), data.activation) == (["no", "yes"], [0, 1], "softmax")
    assert PairData.classes(path, labels=["yes", "maybe", "no"]).targets.tolist() == [2, 0]


def test_what_cannot_be_learned_from(tmp_path):
    with pytest.raises(ValueError, match="line 1: expected label to be one of"):
        PairData.matches(file(tmp_path, "2\ta\tb\n"))
    with pytest.raises(ValueError, match="line 1: expected class to be one of"):
        PairData.classes(file(tmp_path, "x\ta\tb\n"), labels=["yes", "no"])
    with pytest.raises(ValueError, match=r"two classes. Received: \['x'\]"):
        PairData.classes(file(tmp_path, "x\ta\tb\n"))
    with pytest.raises(ValueError, match="from 0 to 1 for activation='sigmoid'. Received: 0 to 2"):
        PairData([("a", "b"), ("c", "d")], [0, 2])
    with pytest.raises(ValueError, match=r"as many targets. Received: 1, and targets of shape \(2,\)"):
        PairData([("a", "b")], [0, 1])
    with pytest.raises(ValueError, match="whole numbers, of classes. Received: array"):
        PairData([("a", "b")], [0.7], labels=["x", "y"])
    with pytest.raises(ValueError, match="Expected pairs of strings. Received: .'a', 'b'"):
        PairData(["ab"], [1])
    with pytest.raises(ValueError, match="or labels. Received: activation='softmax'"):
        PairData([("a", "b")], [0], activation="softmax")


def test_a_description_tells_data_apart():
    pairs = [("a", "b"), ("c", "d")]
    described = [
        PairData(*given).description()
        for given in ((pairs, [0, 1]), (pairs, [1, 1]), (pairs[::-1], [0, 1]), (pairs, [0, 1], ["x", "y"]))
    ]
    assert all(np.sum([one == other for other in described]) == 1 for one in described)
