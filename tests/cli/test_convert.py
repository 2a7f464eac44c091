"""keras-transformer convert, in this process."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.cli.main import main

GOLDEN = pathlib.Path(__file__).parents[1] / "convert" / "golden"


def run(*arguments):
    return main(["convert", *(str(argument) for argument in arguments)])


def test_a_keras_file(tmp_path, capsys):
    out = tmp_path / "new" / "embedder.keras"
    assert run(GOLDEN / "bert", "--out", out) == 0
    assert capsys.readouterr().out.splitlines() == ["TextEmbedder, 4,161 parameters", f"Wrote {out}"]
    wanted = json.loads((GOLDEN / "bert.json").read_text())
    embedder = keras.models.load_model(out)
    assert type(embedder) is TextEmbedder
    np.testing.assert_allclose(embedder(wanted["texts"][:5]), wanted["vectors"][:5], atol=1e-5)
    assert run(GOLDEN / "bert", "--out", out) == 1
    assert "Expected --out not to exist, or --overwrite. Received: " in capsys.readouterr().err


def without_a_tensor(folder):
    """Renames a tensor in the header, to a name of equal length."""
    path = folder / "model.safetensors"
    path.write_bytes(
        path.read_bytes().replace(b"encoder.layer.0.output.dense.bias", b"encoder.layer.0.output.dense.bios")
    )


def truncated(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def of_another_type(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "t5", "architectures": ["T5Model"]}))
    (folder / "modules.json").unlink()


def emptied(folder):
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    "spoil, messages",
    [
        (
            without_a_tensor,
            ["missing: encoder.layer.0.output.dense.bias", "unexpected: encoder.layer.0.output.dense.bios"],
        ),
        (truncated, ["Expected a safetensors file of 20,", "model.safetensors of 20,"]),
        (pickled, ["Received: pytorch_model.bin; a pickle can run any code"]),
        (of_another_type, ["model_type bert or mpnet", "Received: model_type='t5', architectures=['T5Model']"]),
        (emptied, ["Received a folder without config.json"]),
        (shutil.rmtree, ["Expected the folder of a checkpoint. Received: "]),
    ],
)
def test_bad_checkpoints_leave_nothing(spoil, messages, tmp_path, capsys):
    folder, out = tmp_path / "checkpoint", tmp_path / "out"
    shutil.copytree(GOLDEN / "bert", folder)
    spoil(folder)
    out.mkdir()
    assert run(folder, "--out", out / "e.keras", "--export", out / "saved") == 1
    shown = capsys.readouterr().err
    assert all(message in shown for message in messages), shown
    assert list(out.iterdir()) == []


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "Expected --out, --export, or both"),
        (["--out", "model"], "Expected an --out that ends in .keras. Received: model"),
        (["--export", "."], "Expected --export not to exist. Received: ."),
    ],
)
def test_bad_options(options, message, capsys):
    assert run(GOLDEN / "bert", *options) == 1
    assert message in capsys.readouterr().err
