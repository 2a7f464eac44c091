"""The command `keras-transformer`, which checks its arguments before it imports Keras.

Keras and TensorFlow take seconds to import; `--help` and errors of arguments do not wait for them. They need modules
alone that import neither. But the packages around these modules import Keras in their `__init__`. So these packages
are created without running their `__init__`, which runs when the arguments are right.
"""

import importlib.util
import sys
from types import ModuleType

# In an order in which each `__init__` finds what it imports.
_PACKAGES = (
    "keras_transformer",
    "keras_transformer.models",
    "keras_transformer.pipelines",
    "keras_transformer.search",
    "keras_transformer.evaluation",
    "keras_transformer.training",
)


def main() -> int:
    """Runs the command that the arguments of this process name; returns its exit status."""
    waiting = [_make(name) for name in _PACKAGES if name not in sys.modules]
    from keras_transformer.cli.main import main

    return main(before_running=lambda: _run(waiting))


def check_arguments() -> None:
    """Exits if the arguments of this process are wrong, or only ask for help."""
    waiting = [_make(name) for name in _PACKAGES if name not in sys.modules]
    from keras_transformer.cli.main import check

    if status := check():
        sys.exit(status)
    from keras_transformer import quiet

    quiet.filter_standard_error()  # in `main` it would be too late, after TensorFlow has started threads
    _run(waiting)


def _make(name: str) -> ModuleType:
    """Creates a package whose `__init__` has not run; its modules can be imported."""
    spec = importlib.util.find_spec(name)
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    outer, _, inner = name.rpartition(".")
    if outer:
        setattr(sys.modules[outer], inner, package)
    return package


def _run(packages: list[ModuleType]) -> None:
    """Runs the `__init__` of each: the inner packages first, since the outer one imports names from them."""
    from keras_transformer.quiet import without_banner

    with without_banner():
        import keras  # noqa: F401
    for package in sorted(packages, key=lambda package: "." not in package.__name__):
        package.__spec__.loader.exec_module(package)
