"""The command `keras-transformer`, which reads its arguments before it imports Keras.

`--help`, and what is wrong with the arguments, takes none of the seconds that Keras and TensorFlow take. Modules of the
package that need neither read the arguments. So that Python imports these alone, the packages around them, which import
Keras in their first lines, are made without being run; they are run when there is something to do.
"""

import importlib.util
import sys

# In an order in which the inner ones can be run.
_PACKAGES = (
    "keras_transformer",
    "keras_transformer.models",
    "keras_transformer.pipelines",
    "keras_transformer.evaluation",
    "keras_transformer.training",
)


def main():
    """Runs the command that the arguments of this process name; returns its exit status."""
    waiting = [_make(name) for name in _PACKAGES if name not in sys.modules]
    from keras_transformer.cli.main import main

    return main(before_running=lambda: _run(waiting))


def check_arguments():
    """Exits if the arguments of this process are wrong, or ask for help only."""
    waiting = [_make(name) for name in _PACKAGES if name not in sys.modules]
    from keras_transformer.cli.main import check

    if status := check():
        sys.exit(status)
    from keras_transformer import quiet

    quiet.filter_standard_error()  # which `main` does too late, after the threads of TensorFlow
    _run(waiting)


def _make(name):
    """The package without what its first import would run; its modules can be imported."""
    spec = importlib.util.find_spec(name)
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    outer, _, inner = name.rpartition(".")
    if outer:
        setattr(sys.modules[outer], inner, package)
    return package


def _run(packages):
    """Runs what `_make` left out: of the inner packages first, since the outer one takes names from them."""
    from keras_transformer.quiet import without_banner

    with without_banner():
        import keras  # noqa: F401
    for package in sorted(packages, key=lambda package: "." not in package.__name__):
        package.__spec__.loader.exec_module(package)
