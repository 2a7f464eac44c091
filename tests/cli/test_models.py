import pytest

from keras_transformer.cli import models
from keras_transformer.pipelines.model_paths import EMBEDDER


def saved_model(path):
    path.mkdir(parents=True)
    (path / "saved_model.pb").touch()
    return str(path)


def test_a_checkout_has_models(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_SHIPPED", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"Expected --model MODEL, .* with saved_models/encoder. Received no --"
    ):
        models.shipped_model("encoder")
    saved_model(tmp_path / "saved_models" / "encoder" / "3")
    assert models.shipped_model("encoder") == "saved_models/encoder/3"
    newest = [saved_model(tmp_path / "package" / "encoder" / name) for name in ("9", "10")][1]
    assert models.shipped_model("encoder") == newest


def test_the_newest_of_several_versions_is_told(tmp_path, capsys):
    nine = saved_model(tmp_path / "9")
    assert models.newest(str(tmp_path), EMBEDDER) == models.newest(nine, EMBEDDER) == nine
    assert capsys.readouterr().err == ""
    ten = saved_model(tmp_path / "10")
    assert models.newest(str(tmp_path), EMBEDDER) == ten
    assert capsys.readouterr().err == f"keras-transformer: {tmp_path} has 2 versions. The newest is opened: {ten}\n"
