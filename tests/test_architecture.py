"""Imports go one way: a room may use the rooms before it, never those behind."""

import ast
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

from tests.test_docstrings import modules

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_transformer"

# Each room with the rooms that it may import.
ALLOWED = {
    "ops": set(),
    "quantization": set(),
    "layers": {"ops"},
    "text": {"data"},
    "data": set(),
    "export": set(),
    "hub": set(),
    "models": {"ops", "quantization", "layers"},
    "decoding": {"ops"},
    "pipelines": {"ops", "layers", "models", "decoding", "text", "data", "export", "hub", "quantization"},
    "evaluation": {
        "ops", "layers", "models", "decoding", "pipelines", "text", "data", "export", "hub", "quantization", "search",
    },
    "training": {
        "ops", "layers", "models", "decoding", "pipelines", "evaluation", "text", "data", "export", "hub", "search",
    },
    "convert": {"ops", "layers", "models", "decoding", "pipelines", "text", "data", "export", "hub"},
    "search": {
        "ops", "layers", "models", "decoding", "pipelines", "text", "data", "export", "hub", "quantization", "convert",
    },
    "beam": {"pipelines"},
    "testing": {"ops", "layers"},
}  # fmt: skip
ALLOWED["cli"] = set(ALLOWED)
ANYWHERE = {"arguments", "atomic", "disk", "lfs", "quiet", "types", "vector_similarity", "version"}
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


def test_imports_go_one_way():
    upward = []
    for path in FILES:
        room = path.relative_to(PACKAGE).parts[0]
        if room not in ALLOWED:
            continue  # top level: the table of contents
        others = [module.split(".")[1] for module in imported_modules(path) if module.startswith("keras_transformer.")]
        allowed = {room} | ALLOWED[room] | ANYWHERE
        upward += [f"{path.relative_to(PACKAGE)} imports {other}" for other in others if other not in allowed]
    assert not upward


# In rooms of numeric code: what deals with TensorFlow as such.
WITH_TENSORFLOW = {
    "backends.py",
    "distribution.py",
    "dropout.py",
    "fit_embedder.py",
    "fit_encoder.py",
    "fit_pair_scorer.py",
    "fit_question_answerer.py",
    "fit_translator.py",
    "gradient_step.py",
    "pair_batches.py",
    "sentence_training_loop.py",
    "tensorboard_scalars.py",
    "train_embedder.py",
    "train_pair_scorer.py",
    "train_question_answerer.py",
    "train_translator.py",
    "trainer.py",
    "training_loop.py",
    "translation_validation.py",
    "unpadding.py",
}


@pytest.mark.parametrize("room", ["ops", "layers", "models", "decoding", "training", "testing"])
def test_numeric_code_does_not_import_tensorflow(room):
    for path in (PACKAGE / room).glob("*.py"):
        if path.name not in WITH_TENSORFLOW or room in ("layers", "models"):
            assert not {m for m in imported_modules(path) if m.split(".")[0] == "tensorflow"}, path


# What the package uses of Keras, TensorFlow and their libraries that is private there, and why: (file, name).
PRIVATE = {
    ("composite.py", "_flatten_layers"): "Keras lists the layers inside a model, not those inside a layer",
    ("hub_layer.py", "keras.src.saving.serialization_lib"): "keras.saving has no way to ask whether the mode is safe",
    ("int8_matmul.py", "tensorflow.python.framework"): "tf.raw_ops leaves out operations that begin with _",
    ("litert_metadata.py", "tensorflow.lite.python"): "the schema of LiteRT's files has no public name",
    ("masks.py", "keras.src.backend"): "Keras has no accessor for a tensor's mask, which on JAX is no attribute",
    ("replaced_methods.py", "_flatten_layers"): "as in composite.py; Keras' own `quantize` walks like this",
    ("sentencepiece_model.py", "_create_resource"): "how a subclass of TrackableResource makes it",
    ("sentencepiece_model.py", "_model_resource"): "tensorflow_text's own is lost with TensorFlow's kernel cache",
    ("sentencepiece_model.py", "tensorflow_text.python.ops.sentencepiece_tokenizer"): "the operation has no other name",
    ("tf1_tables.py", "_create_resource"): "how a subclass of TrackableResource makes it",
    ("tf1_tables.py", "_trackable_children"): "TensorFlow has no way to save something along with a resource",
    ("trainer.py", "_registry"): "TensorFlow never lets a gradient go that it registered",
    ("trainer.py", "tensorflow.python.framework"): "its registry of gradients has no public name",
}


# Python documents them in spite of their names: of `os`, and of named tuples.
PUBLIC = {"_", "_exit", "_replace"}


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def own_names(tree):
    """What a file defines: functions, classes, variables, and attributes of `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield node.attr


def attributes(tree):
    """The names of attributes that a file uses, by `getattr` and its like too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("attr"):
            yield from (str(item.value) for item in node.args if isinstance(item, ast.Constant))


def overridden():
    """(file, name) of private methods of dependencies that a class of the package overrides."""
    for module in modules():
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                # What the classes of `typing` and `abc` set on those that have them as a base is no override.
                ours_or_python = ("keras_transformer", "typing", "abc")
                foreign = [base for base in value.__mro__ if not base.__module__.startswith(ours_or_python)]
                names = {name for base in foreign for name in vars(base)} & set(vars(value))
                yield from ((pathlib.Path(module.__file__).name, name) for name in names)


def test_what_is_private_in_dependencies_is_used_for_a_reason():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    own = {name for tree in trees.values() for name in own_names(tree)}
    used = {(path.name, name) for path, tree in trees.items() for name in attributes(tree) if name not in own}
    used |= {(file, name) for file, name in overridden()}
    found = {(file, name) for file, name in used if is_private(name)}
    for path in FILES:
        for module in imported_modules(path):
            library, *parts = module.split(".")
            if library != "keras_transformer" and any(part in ("src", "python") or is_private(part) for part in parts):
                found.add((path.name, module))
    assert found == set(PRIVATE)


def test_files_are_short():
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {name: length for name, length in lengths.items() if length > 300}


def function_lengths(path):
    """(name, lines without the docstring) of each function in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            without = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            yield f"{path.relative_to(PACKAGE)} {node.name}", node.end_lineno - node.lineno + 1 - without


def test_functions_are_short():
    assert not {name: length for path in FILES for name, length in function_lengths(path) if length > 60}


def unannotated(path):
    """Yields `function: parameters` for what a file's public functions and methods leave without annotation."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    classes = [node for node in body if isinstance(node, ast.ClassDef) and not is_private(node.name)]
    for owner, nodes in [("", body), *((f"{node.name}.", node.body) for node in classes)]:
        for node in nodes:
            if not isinstance(node, ast.FunctionDef) or is_private(node.name):
                continue
            arguments = node.args
            parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            is_static = any(ast.unparse(decorator) == "staticmethod" for decorator in node.decorator_list)
            parameters = parameters[1:] if owner and not is_static else parameters
            parameters += [parameter for parameter in (arguments.vararg, arguments.kwarg) if parameter]
            missing = [parameter.arg for parameter in parameters if parameter.annotation is None]
            missing += ["return"] if node.returns is None and node.name != "__init__" else []
            if missing:
                yield f"{path.relative_to(PACKAGE)} {owner}{node.name}: {', '.join(missing)}"


def test_public_functions_are_annotated():
    """So that a type checker tells a user's errors from none; it takes the package to be typed, by py.typed."""
    assert not [text for path in FILES for text in unannotated(path)]


# Modules without a test file of their own, and which one tests them.
TESTED_BY = {
    "types.py": "tests/typing",
    "version.py": "nothing to test",
    "search/names.py": "nothing to test",
    "training/names.py": "nothing to test",
    "cli/embedded_lines.py": "cli/test_embed.py, cli/test_index.py",
    "cli/embedder_measures.py": "cli/test_evaluate_embedder.py",
    "cli/encoder_options.py": "cli/test_train_embedder.py, cli/test_train_question_answerer.py",
    "cli/evaluate.py": "cli/test_main.py",
    "cli/export.py": "cli/test_main.py",
    "cli/figures.py": "cli/test_evaluate_embedder.py",
    "cli/objective_options.py": "cli/test_train_embedder.py",
    "cli/report_pictures.py": "cli/test_evaluate_embedder.py",
    "cli/pair_options.py": "cli/test_train_pair_scorer.py, cli/test_evaluate_pair_scorer.py",
    "cli/prompted.py": "cli/test_embed.py",
    "cli/standard_streams.py": "cli/test_command.py",
    "cli/train.py": "cli/test_main.py",
    "cli/training_options.py": "cli/test_main.py, cli/test_train_embedder.py",
    "hub/tf1_tables.py": "hub/test_hub_layer.py",
    "pipelines/embedding_of_answers.py": "pipelines/test_question_answer_embedder.py and of its export",
    "pipelines/exported.py": "pipelines/test_exported_embedder.py and its siblings",
    "pipelines/pair_scoring.py": "pipelines/test_text_pair_scorer.py and of its export",
    "testing/backends.py": "testing/test_layer_contract.py",
    "testing/layer_case.py": "testing/test_layer_contract.py",
    "testing/padding_checks.py": "testing/test_layer_contract.py",
    "training/fit_encoder.py": "training/test_fit_embedder.py, training/test_fit_question_answerer.py",
    "training/start.py": "training/test_train_question_answerer.py, training/test_train_pair_scorer.py",
    "training/tensorboard_scalars.py": "training/test_fit_translator.py",
    "training/translation_validation.py": "training/test_fit_translator.py",
}


def test_tests_mirror_the_package():
    """Each module.py of a room has a tests/room/test_module.py."""
    tests = pathlib.Path(__file__).parent
    modules = [path.relative_to(PACKAGE) for path in FILES if not path.name.startswith("__")]
    without = {str(path) for path in modules if not (tests / path.parent / f"test_{path.name}").exists()}
    assert without == set(TESTED_BY)


def test_the_documented_table_is_that_of_the_tests():
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|[^|]*\| ([^|]*) \|$", text, re.MULTILINE)
    documented = {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}
    assert documented == {**ALLOWED, "cli": set()}  # "all"


def test_heavy_packages_are_imported_when_needed():
    script = (
        "import sys, {}; heavy = {{'tensorflow_text', 'tensorflow_hub', 'sentencepiece', 'matplotlib', 'usearch', "
        "'bm25s', 'sacrebleu', 'babel', 'sklearn', 'scipy'}}; print(sorted(heavy & set(sys.modules)))"
    )
    ours, keras_alone = (
        subprocess.run([sys.executable, "-c", script.format(name)], capture_output=True, text=True, check=True)
        for name in ("keras_transformer", "keras")
    )
    assert ours.stdout == keras_alone.stdout
    assert ours.stderr == ""  # TensorFlow's banner is held back
