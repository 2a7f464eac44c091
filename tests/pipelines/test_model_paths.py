import re
import zipfile

import pytest

from keras_transformer.pipelines.model_paths import (
    EMBEDDER,
    QUESTION_ANSWERER,
    TRANSLATOR,
    find_keras_file,
    find_model,
    is_litert,
    version_note,
    versions,
)


def saved_model(path):
    """What looks like a SavedModel from outside."""
    path.mkdir(parents=True)
    (path / "saved_model.pb").touch()
    return path


def keras_file(path):
    path.parent.mkdir(exist_ok=True)
    zipfile.ZipFile(path, "w").close()
    return path


def test_a_keras_file_and_its_folder(tmp_path):
    file = keras_file(tmp_path / "embedder.keras")
    for path in (file, tmp_path):
        assert find_model(path) == find_model(path, EMBEDDER) == find_keras_file(path, EMBEDDER) == str(file)
    with pytest.raises(FileNotFoundError, match="Expected a question answerer: .*a folder without question_answerer.k"):
        find_model(tmp_path, QUESTION_ANSWERER)
    answerer = keras_file(tmp_path / "answers" / "question_answerer.keras")
    assert find_model(answerer.parent) == find_model(answerer.parent, QUESTION_ANSWERER) == str(answerer)
    other = keras_file(tmp_path / "any name")
    assert find_model(other) == str(other)


def test_a_keras_file_goes_before_a_saved_model(tmp_path):
    folder = saved_model(tmp_path / "1")
    assert find_model(folder) == str(folder)
    file = keras_file(folder / "embedder.keras")
    assert find_model(folder) == find_model(folder, EMBEDDER) == str(file)
    assert find_model(folder, TRANSLATOR) == str(folder)


def test_a_file_of_litert(tmp_path):
    path = tmp_path / "encoder.tflite"
    path.write_bytes(b"\0\0\0\0TFL3")
    assert is_litert(path) and not is_litert(tmp_path) and not is_litert(keras_file(tmp_path / "embedder.keras"))
    assert find_model(path) == find_model(path, EMBEDDER) == str(path)
    for kind in (TRANSLATOR, QUESTION_ANSWERER):
        with pytest.raises(ValueError, match="Received .*encoder.tflite: it is a model of LiteRT"):
            find_model(path, kind)
    with pytest.raises(ValueError, match="Expected a .keras file with an embedder.*it is a model of LiteRT"):
        find_keras_file(path, EMBEDDER)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("source.model", "")
    assert find_model(path) == find_model(path, TRANSLATOR) == str(path)


def test_the_newest_version_is_that_of_the_highest_number(tmp_path):
    for name in ("2", "9", "10", "10-unfinished", "x"):
        saved_model(tmp_path / name)
    (tmp_path / "11").mkdir()
    assert versions(tmp_path) == [str(tmp_path / name) for name in ("2", "9", "10")]
    assert find_model(tmp_path) == str(tmp_path / "10")
    assert version_note(tmp_path, str(tmp_path / "10")) == (
        f"{tmp_path} has 3 versions. The newest is opened: {tmp_path / '10'}"
    )
    assert version_note(tmp_path / "10", str(tmp_path / "10")) == ""
    assert versions(tmp_path / "x") == versions(tmp_path / "nowhere") == []


def test_nothing_is_said_of_a_single_version(tmp_path):
    saved_model(tmp_path / "3")
    assert find_model(tmp_path) == str(tmp_path / "3")
    assert version_note(tmp_path, str(tmp_path / "3")) == ""


@pytest.mark.parametrize(
    "path, fault",
    [
        ("nowhere", ", which does not exist"),
        ("empty", ", a folder without embedder.keras"),
        ("model", ", a folder without embedder.keras; a SavedModel is in PATH/10"),
        ("model/1", ", an exported SavedModel"),
    ],
)
def test_what_there_is_instead_of_a_keras_file(path, fault, tmp_path):
    (tmp_path / "empty").mkdir()
    for version in ("1", "9", "10"):
        saved_model(tmp_path / "model" / version)
    path = tmp_path / path
    message = f"Expected a .keras file with an embedder. Received: {path}{fault.replace('PATH', str(path))}"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        find_keras_file(path, EMBEDDER)


def test_what_there_is_instead_of_a_model(tmp_path):
    kinds = "a translator, an embedder, a question answerer or a pair scorer"
    expected = f"Expected {kinds}: a .keras file or a SavedModel. Received: "
    with pytest.raises(FileNotFoundError, match=f"^{expected}.*nowhere, which does not exist$"):
        find_model(tmp_path / "nowhere")
    names = "translator.keras, embedder.keras, question_answerer.keras or pair_scorer.keras"
    with pytest.raises(FileNotFoundError, match=f"a folder without {names}$"):
        find_model(tmp_path)
    with pytest.raises(FileNotFoundError, match="/dev/null, which is no file$"):
        find_model("/dev/null")


@pytest.mark.parametrize(
    "data, fault",
    [
        (b"", "truncated, or something else"),
        (b"PK\x03\x04", "truncated, or something else"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a Git LFS pointer: `git lfs pull`"),
    ],
)
def test_what_is_no_archive(data, fault, tmp_path):
    (tmp_path / "e.keras").write_bytes(data)
    for find in (find_model, find_keras_file):
        with pytest.raises(ValueError, match=f"file with an embedder. Received .*e.keras: it is {fault}"):
            find(tmp_path / "e.keras", EMBEDDER)
