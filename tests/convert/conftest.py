import json
import pathlib
import shutil

import pytest

from keras_transformer.convert import convert
from tests.convert import marian_files

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def translator():
    return convert(GOLDEN / "marian")


@pytest.fixture
def marian_folder(tmp_path):
    """The golden model in Marian's own format."""
    return marian_files.write_npz(tmp_path / "npz")


@pytest.fixture
def copy_golden(tmp_path):
    """Copies a golden checkpoint: (folder, a function that changes a JSON file in it)."""

    def copy(kind):
        folder = shutil.copytree(GOLDEN / kind, tmp_path / "copy")

        def change(name, **values):
            config = json.loads((folder / name).read_text())
            (folder / name).write_text(json.dumps({**config, **values}))

        return folder, change

    return copy
