import pytest

from keras_transformer import training
from keras_transformer.cli.main import main
from keras_transformer.pipelines import loading


class Reached(Exception):
    pass


def test_workers_are_joined_before_anything_is_loaded(model_dir, write_lines, tmp_path, monkeypatch):
    """A strategy of several workers has to be the first of TensorFlow's."""
    order = []

    def load_pipeline(*arguments):
        order.append("load")
        raise Reached

    make_strategy = training.make_strategy
    monkeypatch.setattr(training, "make_strategy", lambda name: (order.append("strategy"), make_strategy(name))[1])
    monkeypatch.setattr(loading, "load_pipeline", load_pipeline)
    files = [f"--{side}={write_lines(side, ['a b', 'c d'])}" for side in ("source", "target")]
    with pytest.raises(Reached):
        main(["train", "translator", *files, "--start-from", str(model_dir), "--out", str(tmp_path / "out")])
    assert order == ["strategy", "load"]
