import warnings

import pytest

from keras_transformer.convert import files


def test_other_errors_become_value_errors_that_name_the_file():
    for error in (KeyError("x"), RecursionError("deep"), ValueError("too many")):
        message = "Expected here/a.json as its own library writes it. .*(x|deep|many)"
        with pytest.raises(ValueError, match=message), files.reading("here/a.json"):
            raise error


def test_errors_that_name_the_file_and_those_of_the_system_pass():
    for error in (ValueError("Expected a number in a.json. Received: 'x'"), FileNotFoundError("a.json")):
        with pytest.raises(type(error)) as raised, files.reading("here/a.json"):
            raise error
        assert raised.value is error


def test_json(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}')
    assert files.read_json(str(tmp_path), "a.json") == {"a": 1}
    assert files.read_json(str(tmp_path), "b.json", {"b": 2}) == {"b": 2}
    with pytest.raises(FileNotFoundError, match="Expected b.json in the checkpoint. Received a folder without: "):
        files.read_json(str(tmp_path), "b.json")
    with pytest.raises(ValueError, match="Expected a list in .*a.json. Received: dict"):
        files.read_json(str(tmp_path), "a.json", kind=list)
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ValueError, match="Expected JSON in .*a.json. Received: "):
        files.read_json(str(tmp_path), "a.json")


def test_lines_and_bytes(tmp_path):
    (tmp_path / "a.txt").write_bytes("é\nb".encode())
    assert files.read_lines(str(tmp_path), "a.txt") == ["é", "b"]
    assert files.read_bytes(str(tmp_path), "a.txt") == b"\xc3\xa9\nb"
    (tmp_path / "a.txt").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="Expected .*a.txt as its own library writes it.*utf-8"):
        files.read_lines(str(tmp_path), "a.txt")
    with pytest.raises(FileNotFoundError, match="Expected b.bin in the checkpoint"):
        files.read_bytes(str(tmp_path), "b.bin")


def test_required_settings():
    config = {"size": 3, "bias": True, "name": "x"}
    assert files.settings(config, "a.json", bias=bool, size=int) == (True, 3)
    with pytest.raises(ValueError, match=r"Expected bias \(int\), absent \(str\) in a.json. .* bias=True, absent=None"):
        files.settings(config, "a.json", bias=int, absent=str)


def test_ignored_settings_are_reported():
    neutral = {"penalty": 1.0, "sides": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files.warn_of_ignored(
            {"size": 3, "path": "x", "penalty": 1.0, "_own": 1}, "a.json", {"size"}, {"path"}, neutral
        )
    with pytest.warns(UserWarning) as warned:
        files.warn_of_ignored({"penalty": 2.0, "sides": 3, "surprise": 1}, "a.json", {"size"}, neutral=neutral)
    assert [str(warning.message) for warning in warned] == [
        "Unsupported settings in a.json are ignored: penalty=2.0, sides=3",
        "Unknown settings in a.json are ignored: surprise",
    ]


def test_the_file_with_the_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected model.safetensors in .* Received a folder without"):
        files.weights_file(tmp_path)
    (tmp_path / "model-00001-of-00002.safetensors").touch()
    with pytest.raises(
        ValueError, match="Expected one model.safetensors .* Received: model-00001-of-00002.safetensors"
    ):
        files.weights_file(tmp_path)
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ValueError, match="Expected model.safetensors .* Received: pytorch_model.bin; a pickle can run"):
        files.weights_file(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert files.weights_file(tmp_path) == str(tmp_path / "model.safetensors")


def test_a_vocabulary_by_id():
    assert files.vocabulary_list({"b": 1, "a": 0}, "here") == ["a", "b"]
    for ids in ({"a": 0, "b": 2}, {"a": 0, "b": "1"}, {"a": 0, "b": True}):
        with pytest.raises(ValueError, match="Expected the ids 0 to 1 in here. Received others"):
            files.vocabulary_list(ids, "here")
