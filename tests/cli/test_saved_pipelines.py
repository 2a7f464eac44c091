"""Damaged `.keras` files: one line that names the file, whatever Keras makes of them."""

import json
import random
import zipfile

import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.cli.main import main
from keras_transformer.cli.saved_pipelines import load_pipeline

NUM_FLIPS = 24


@pytest.fixture(scope="module")
def whole(embedder_dir):
    """The bytes of a good file."""
    return (embedder_dir / "embedder.keras").read_bytes()


@pytest.fixture
def load(tmp_path):
    """A function that loads bytes as an embedder."""

    def load(data):
        (tmp_path / "e.keras").write_bytes(data)
        return load_pipeline(str(tmp_path / "e.keras"), TextEmbedder, "embedder.keras", "an embedder")

    return load


def rewritten(embedder_dir, path, **members):
    """The file with other members: bytes in the place of theirs, `None` for one that is left out."""
    with zipfile.ZipFile(embedder_dir / "embedder.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = members.get(name.replace(".", "_"), old.read(name))
            if data is not None:
                new.writestr(name, data)
    return path.read_bytes()


def config_with(embedder_dir, **changes):
    with zipfile.ZipFile(embedder_dir / "embedder.keras") as file:
        config = json.loads(file.read("config.json"))
    return json.dumps({**config, **changes}).encode()


def test_a_flipped_bit_is_told_or_harmless(whole, load, embedder):
    """Half of the bits are among the names and places at the end of the archive."""
    generator = random.Random(7)
    starts = [0] * (NUM_FLIPS // 2) + [len(whole) - 400] * (NUM_FLIPS // 2)
    refused = 0
    for start in starts:
        place, bit = generator.randrange(start, len(whole)), generator.randrange(8)
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        try:
            loaded = load(damaged)
        except (ValueError, OSError) as error:
            assert "Expected a .keras file with an embedder. Received" in str(error) and "e.keras" in str(error)
            assert "\n" not in str(error)
            refused += 1
        else:  # a date, or another field that nobody reads
            for weight, wanted in zip(loaded.weights, embedder.weights, strict=True):
                np.testing.assert_array_equal(weight.numpy(), wanted.numpy(), err_msg=f"byte {place}, bit {bit}")
    assert refused > NUM_FLIPS // 2


@pytest.mark.parametrize(
    "members, fault",
    [
        ({"config_json": None}, "damaged, or of a later version (KeyError: "),
        ({"config_json": b"[1]"}, "damaged, or of a later version ("),
        ({"config_json": b'{"module": "keras'}, "damaged, or of a later version (JSONDecodeError: "),
        ({"config_json": b"[" * 100_000}, "damaged, or of a later version (RecursionError: "),
        ({"model_weights_h5": None}, "damaged, or of a later version ("),
        ({"model_weights_h5": b"\x89HDF\r\n"}, "damaged, or of a later version ("),
    ],
)
def test_members_that_are_damaged(members, fault, embedder_dir, tmp_path, capsys):
    rewritten(embedder_dir, tmp_path / "e.keras", **members)
    assert main(["embed", "--model", str(tmp_path / "e.keras"), "--output", str(tmp_path / "o.npy")]) == 1
    shown = capsys.readouterr().err
    assert f"Expected a .keras file with an embedder. Received {tmp_path / 'e.keras'}: it is {fault}" in shown
    assert shown.count("\n") == 1 and not (tmp_path / "o.npy").exists()


def test_a_class_that_this_version_lacks_is_named(embedder_dir, tmp_path, load):
    config = config_with(embedder_dir, class_name="EmbedderOfTomorrow", registered_name="keras_transformer>Tomorrow")
    with pytest.raises(ValueError, match="it is damaged, or of a later version .TypeError: .*EmbedderOfTomorrow"):
        load(rewritten(embedder_dir, tmp_path / "new.keras", config_json=config))


@pytest.mark.parametrize(
    "data, fault",
    [
        (b"", "truncated, or something else"),
        (b"PK\x03\x04", "truncated, or something else"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a Git LFS pointer: `git lfs pull`"),
    ],
)
def test_what_is_no_archive(data, fault, load):
    with pytest.raises(ValueError, match=f"Expected a .keras file with an embedder. Received .*e.keras: it is {fault}"):
        load(data)


def test_a_truncated_file_and_a_folder_in_its_place(whole, load, tmp_path):
    for length in (100, len(whole) // 2, len(whole) - 1):
        with pytest.raises(ValueError, match="e.keras: it is truncated, or something else"):
            load(whole[:length])
    (tmp_path / "e.keras").unlink()
    (tmp_path / "e.keras").mkdir()
    with pytest.raises(FileNotFoundError, match="Received: .*e.keras, a folder without embedder.keras$"):
        load_pipeline(str(tmp_path / "e.keras"), TextEmbedder, "embedder.keras", "an embedder")


def test_what_there_is_where_no_keras_file_is(tmp_path):
    for version in ("1", "9", "10"):
        (tmp_path / "model" / version).mkdir(parents=True)
        (tmp_path / "model" / version / "saved_model.pb").touch()
    for path, fault in (
        ("nowhere", ", which does not exist"),
        ("model", r", a folder without embedder.keras; a SavedModel is in .*model/10"),
        ("model/1", ", an exported SavedModel"),
    ):
        with pytest.raises(
            FileNotFoundError, match=f"Expected a .keras file with an embedder. Received: .*{path}{fault}$"
        ):
            load_pipeline(str(tmp_path / path), TextEmbedder, "embedder.keras", "an embedder")


def test_our_own_faults_stay_tracebacks(embedder_dir, tmp_path, monkeypatch):
    def faulty(*arguments, **kwargs):
        raise KeyError("ours")

    (tmp_path / "in.txt").write_text("dog\n")
    monkeypatch.setattr(TextEmbedder, "embed", faulty)
    with pytest.raises(KeyError, match="ours"):
        main(["embed", "--model", str(embedder_dir), str(tmp_path / "in.txt"), "--output", str(tmp_path / "o.npy")])
