"""Imports go one way: a room may use the rooms before it, never those behind."""

import ast
import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_transformer"

# Each room with the rooms that it may import.
ALLOWED = {
    "layers": set(),
    "text": {"data"},
    "data": set(),
    "export": {"layers"},
    "hub": set(),
    "models": {"layers"},
    "decoding": {"layers", "models"},
    "pipelines": {"layers", "models", "decoding", "text", "data", "export", "hub"},
    "evaluation": {"layers", "models", "decoding", "pipelines", "text", "data", "export", "hub"},
    "training": {
        "layers", "models", "decoding", "pipelines", "evaluation", "text", "data", "export", "hub",
    },
    "convert": {"layers", "models", "decoding", "pipelines", "text", "data", "export", "hub"},
    "testing": {"layers"},
}  # fmt: skip
ALLOWED["cli"] = set(ALLOWED)
ANYWHERE = {"arguments", "atomic", "disk", "lfs", "quiet", "types", "version"}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported_modules(path):
    """Every module that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "keras_transformer":
                yield from (f"keras_transformer.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_the_rule_covers_every_room():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    room = path.relative_to(PACKAGE).parts[0]
    if room not in ALLOWED:
        return  # top level: the table of contents
    for module in imported_modules(path):
        if module.startswith("keras_transformer."):
            other = module.split(".")[1]
            assert other == room or other in ALLOWED[room] | ANYWHERE, f"{room} imports {other}"


# In rooms of numeric code: what deals with TensorFlow as such.
WITH_TENSORFLOW = {
    "backends.py",
    "distribution.py",
    "dropout.py",
    "fit_embedder.py",
    "fit_translator.py",
    "gradient_step.py",
    "integer_products.py",
    "packing.py",
    "sentence_training_loop.py",
    "tensorboard_scalars.py",
    "train_embedder.py",
    "train_translator.py",
    "trainer.py",
    "training_loop.py",
    "translation_validation.py",
}


@pytest.mark.parametrize("room", ["layers", "models", "decoding", "training", "testing"])
def test_numeric_code_does_not_import_tensorflow(room):
    for path in (PACKAGE / room).glob("*.py"):
        if path.name not in WITH_TENSORFLOW:
            assert not {m for m in imported_modules(path) if m.split(".")[0] == "tensorflow"}, path


def test_no_private_imports_of_dependencies():
    private = {
        (path.name, module)
        for path in FILES
        for module in imported_modules(path)
        if module.startswith(("keras.src", "tensorflow.python", "tensorflow_text.python"))
    }
    # The exceptions, with their reasons beside them.
    assert private == {
        ("hub_layer.py", "keras.src.saving.serialization_lib"),
        ("integer_products.py", "tensorflow.python.framework"),
        ("masks.py", "keras.src.backend"),
        ("sentencepiece_model.py", "tensorflow_text.python.ops.sentencepiece_tokenizer"),
    }


def test_heavy_packages_are_imported_when_needed():
    script = (
        "import sys, {}; heavy = {{'tensorflow_text', 'tensorflow_hub', 'sentencepiece', 'matplotlib', "
        "'sacrebleu', 'babel', 'sklearn', 'scipy'}}; print(sorted(heavy & set(sys.modules)))"
    )
    ours, keras_alone = (
        subprocess.run([sys.executable, "-c", script.format(name)], capture_output=True, text=True, check=True)
        for name in ("keras_transformer", "keras")
    )
    assert ours.stdout == keras_alone.stdout
    assert ours.stderr == ""  # TensorFlow's banner is held back
