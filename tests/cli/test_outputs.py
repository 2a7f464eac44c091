import os

import pytest

from keras_transformer.cli.outputs import (
    STANDARD_OUTPUT,
    check_folder,
    check_outputs,
    check_training_outputs,
)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "in.txt").write_text("dog")
    return str(tmp_path / "in.txt")


def test_what_is_free_may_be_written(file, tmp_path):
    new = str(tmp_path / "new.txt")
    check_outputs([("--output", new), ("--json", None)], [file], folders=[("--out", str(tmp_path / "folder"))])
    check_outputs([("--output", file)], [], overwrite=True)
    check_outputs([("--output", os.devnull), ("--json", os.devnull)], [os.devnull])
    check_outputs([("--output", STANDARD_OUTPUT)], [file])


def test_an_input_is_never_an_output(file, tmp_path):
    (tmp_path / "link").symlink_to(file)
    os.link(file, tmp_path / "hard")
    for path in (file, str(tmp_path / "link"), str(tmp_path / "hard")):
        with pytest.raises(ValueError, match="Expected --output to be no file that is read. Received: "):
            check_outputs([("--output", path)], [file], overwrite=True)
        with pytest.raises(ValueError, match=f"Received: {path}"):
            check_outputs([("--output", path)], [str(tmp_path)], overwrite=True)


def test_what_is_there_stays(file, tmp_path):
    with pytest.raises(FileExistsError, match="Expected --output not to exist, or --overwrite. Received: .*in.txt"):
        check_outputs([("--output", file)], [])
    with pytest.raises(IsADirectoryError, match="Expected a file for --output. Received a folder: "):
        check_outputs([("--output", str(tmp_path))], [], overwrite=True)
    with pytest.raises(FileExistsError, match="Expected --out not to exist. Received: "):
        check_outputs([], [], overwrite=True, folders=[("--out", str(tmp_path))])
    with pytest.raises(ValueError, match="Expected different paths for --output and --json. Received: .*new"):
        check_outputs([("--output", str(tmp_path / "new")), ("--json", str(tmp_path / "new"))], [])


def test_names_that_are_empty():
    with pytest.raises(ValueError, match="Expected the name of a file for --output. Received: ''"):
        check_outputs([("--output", "")], [])
    with pytest.raises(ValueError, match="Expected the name of a folder for --export. Received: ''"):
        check_outputs([], [], folders=[("--export", "")])
    with pytest.raises(NotADirectoryError, match="Expected a folder for --out. Received: ''"):
        check_folder("--out", "")


def test_a_training_does_not_replace_what_it_reads(file, tmp_path):
    check_training_outputs(str(tmp_path), ["translator.keras"], [file])
    for name in ("in.txt", "history.csv"):
        with pytest.raises(ValueError, match=f"Expected --out to be no file that is read. Received: .*{name}"):
            check_training_outputs(str(tmp_path), ["in.txt"], [str(tmp_path / name)])
