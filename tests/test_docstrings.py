"""The `Example:` of every docstring runs as a doctest, and every public class has one."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import keras_transformer
from keras_transformer.models import PRESETS

HAS_BEAM = importlib.util.find_spec("apache_beam") is not None
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules():
    """The package's modules; a `__main__` would run. Those of Beam where it is installed, as by `make test-beam`."""
    yield keras_transformer
    for module in pkgutil.walk_packages(keras_transformer.__path__, f"{keras_transformer.__name__}."):
        is_beam = module.name.startswith("keras_transformer.beam")
        if not module.name.endswith(".__main__") and (HAS_BEAM or not is_beam):
            yield importlib.import_module(module.name)


def documented():
    """Every class and function of the package, and the methods of its classes, by their full names."""
    for module in modules():
        for name, value in vars(module).items():
            if not (inspect.isclass(value) or inspect.isfunction(value)) or value.__module__ != module.__name__:
                continue
            yield f"{module.__name__}.{name}", value
            for method_name, method in vars(value).items() if inspect.isclass(value) else ():
                method = getattr(method, "__func__", getattr(method, "fget", method))  # of a class, of a property
                if inspect.isfunction(method):
                    yield f"{module.__name__}.{name}.{method_name}", method


def public_classes():
    """The classes that the package's rooms export, by `room.name`."""
    exported = {
        f"{module.__name__.partition('.')[2]}.{name}": getattr(module, name)
        for module in modules()
        if module is not keras_transformer
        for name in getattr(module, "__all__", ())
    }
    return {name: value for name, value in exported.items() if inspect.isclass(value)}


def example(value):
    """The lines of a docstring's section `Example:`, or None."""
    lines = (inspect.cleandoc(value.__doc__) if value.__doc__ else "").splitlines()
    if "Example:" not in lines:
        return None
    section = lines[lines.index("Example:") + 1 :]
    ends = [number for number, line in enumerate(section) if line and not line.startswith(" ")]
    return "\n".join(section[: min(ends, default=len(section))])


EXAMPLES = {name: value for name, value in documented() if example(value) is not None}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(PRESETS, "tiny", {**PRESETS["tiny"], "num_layers": 1})
    names = {"np": np, "keras": keras, "keras_transformer": keras_transformer, "tmp_path": tmp_path}
    test = doctest.DocTestParser().get_doctest(example(EXAMPLES[name]), names, name, None, 0)
    assert test.examples, f"{name}: expected lines that begin with >>> in the section `Example:`"
    report = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not report, "".join(report)


def test_every_public_class_has_an_example():
    assert not {name for name, value in public_classes().items() if example(value) is None}


def test_what_the_package_exports_is_a_room_s():
    """So that the test above sees it."""
    values = [value for value in vars(keras_transformer).values() if inspect.isclass(value)]
    classes = {value for value in values if value.__module__.startswith("keras_transformer")}
    assert classes <= set(public_classes().values())
