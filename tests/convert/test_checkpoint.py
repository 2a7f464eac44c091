"""What kind of checkpoint a folder holds."""

import pathlib
import shutil

import pytest

from keras_transformer import TextEmbedder, Translator
from keras_transformer.convert import convert
from keras_transformer.convert.checkpoint import convert as of_module

GOLDEN = pathlib.Path(__file__).parent / "golden"


def test_the_room_exports_it():
    assert convert is of_module


def test_each_kind(marian_folder):
    folders = GOLDEN / "bert", str(GOLDEN / "marian"), marian_folder
    assert [type(convert(folder)) for folder in folders] == [TextEmbedder, Translator, Translator]


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected the folder of a checkpoint. Received: .*/nothing"):
        convert(tmp_path / "nothing")


def test_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected sentence encoders .* Received a folder without config.json"):
        convert(tmp_path)


def test_another_architecture(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "t5", "architectures": ["T5Model"]}')
    with pytest.raises(ValueError, match=r"Expected .* Received: model_type='t5', architectures=\['T5Model'\] in"):
        convert(tmp_path)


def test_an_encoder_of_transformers_alone(tmp_path):
    """Without modules.json nobody says how it pools."""
    folder = shutil.copytree(GOLDEN / "bert", tmp_path / "copy")
    (folder / "modules.json").unlink()
    with pytest.raises(ValueError, match="Received: model_type='bert', .*, without modules.json in"):
        convert(folder)
