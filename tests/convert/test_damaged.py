"""Damaged checkpoints: a `ValueError` or an `OSError`, which names the file or its folder, and nothing else."""

import json
import pathlib
import random
import shutil
import warnings
import zipfile

import pytest

from keras_transformer.convert import convert

GOLDEN = pathlib.Path(__file__).parent / "golden"
ROUNDS = 12
VALUES = [None, True, -1, 0, 2**70, 1e400, "", "x", "\0", [], [[]], {}, {"type": {}}, [None], {"": None}]


def outcome(folder):
    """How a conversion ends: `None`, or the error that a user may get."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            convert(folder)
        except (ValueError, OSError) as error:
            assert str(folder) in str(error), error
            return error


def with_another_value(value, place, replacement):
    """JSON with one of its values, counted in depth, replaced; and how many values are left to count."""
    if place == 0:
        return replacement, -1
    place -= 1
    if isinstance(value, (dict, list)):
        copy = value.copy()
        for key in value if isinstance(value, dict) else range(len(value)):
            if place < 0:
                break
            copy[key], place = with_another_value(value[key], place, replacement)
        return copy, place
    return value, place


def damage(path, generator):
    """One random change of a file: of a JSON value, of some bytes, or of its length."""
    content = bytearray(path.read_bytes())
    kind = generator.choice(["value", "bytes", "length"] if path.suffix == ".json" else ["bytes", "length"])
    if kind == "value":
        value = json.loads(content)
        size = 20 if path.name == "tokenizer.json" else max(2, len(content) // 30)
        changed, _ = with_another_value(value, generator.randrange(size), generator.choice(VALUES))
        path.write_text(json.dumps(changed))
    elif kind == "length":
        path.write_bytes(content[: generator.randrange(len(content))])
    else:
        for _ in range(generator.randint(1, 4)):
            content[generator.randrange(min(len(content), 3000))] = generator.randrange(256)
        path.write_bytes(content)


@pytest.mark.parametrize("kind", ["bert", "marian", "npz"])
def test_random_damage(kind, tmp_path, request):
    original = request.getfixturevalue("marian_folder") if kind == "npz" else GOLDEN / kind
    names = sorted(str(path.relative_to(original)) for path in original.rglob("*") if path.is_file())
    generator, errors = random.Random(8), []
    for number in range(ROUNDS):
        folder = shutil.copytree(original, tmp_path / f"copy{number}")
        damage(folder / generator.choice(names), generator)
        errors.append(outcome(folder))
        shutil.rmtree(folder)
    assert sum(error is not None for error in errors) > ROUNDS // 3


@pytest.mark.parametrize(
    "kind, name, content, message",
    [
        ("bert", "tokenizer.json", "[" * 100_000, "Expected JSON in .*tokenizer.json"),
        ("bert", "modules.json", '{"a":' * 100_000, "Expected JSON in .*modules.json"),
        ("bert", "tokenizer.json", "[1]", r"Expected an object in .*tokenizer.json. Received: list"),
        ("bert", "modules.json", "[]", "Expected the modules Transformer, Pooling"),
        ("bert", "modules.json", "[3]", "Expected a list of modules with path and type in .*modules.json"),
        ("bert", "tokenizer.json", '{"model": 3}', "tokenizer.json as its own library writes it. .*AttributeError"),
        ("marian", "vocab.json", '{"a": 0, "b": "1"}', "Expected the ids 0 to 1 in .*vocab.json"),
        (
            "marian",
            "source.spm",
            "junk",
            "source.spm as its own library writes it. .* a serialized SentencePiece",
        ),
    ],
)
def test_damage_that_once_was_a_traceback(kind, name, content, message, tmp_path):
    folder = shutil.copytree(GOLDEN / kind, tmp_path / "copy")
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        convert(folder)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (((((",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % 10**17,
        b"{'descr': 'O', 'fortran_order': False, 'shape': (3,), }",
    ],
)
def test_damaged_arrays(header, marian_folder):
    """What NumPy makes of them: TokenError, MemoryError, ZeroDivisionError and others."""
    (path,) = marian_folder.glob("*.npz")
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 12
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Wemb.npy", data)
    with pytest.raises(ValueError, match="Expected an .npz file of numbers. Received: .*best-perplexity.npz"):
        convert(marian_folder)


@pytest.mark.parametrize(
    "kind, name",
    [
        ("bert", "model.safetensors"),
        ("bert", "2_Dense/model.safetensors"),
        ("bert", "tokenizer.json"),
        ("marian", "source.spm"),
        ("npz", "opus.npz.best-perplexity.npz"),
        ("npz", "opus.vocab.yml"),
    ],
)
def test_a_git_lfs_pointer_is_called_one(kind, name, tmp_path, request):
    original = request.getfixturevalue("marian_folder") if kind == "npz" else GOLDEN / kind
    folder = shutil.copytree(original, tmp_path / "copy")
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    with pytest.raises(ValueError, match=f"Received: .*{name}, a Git LFS pointer: `git lfs pull`"):
        convert(folder)
