"""The configuration and vocabulary files in a checkpoint's folder."""

import contextlib
import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from keras_transformer import lfs
from keras_transformer.types import Config, PathLike

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """A context in which every error becomes a `ValueError` that names the file, except an `OSError`.

    A damaged file can raise anything in the code that interprets it: a `KeyError`, a `TypeError`, a `RecursionError`.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        names = os.path.basename(path), os.path.join(os.path.dirname(path), "")
        if isinstance(error, ValueError) and any(name and name in str(error) for name in names):
            raise
        reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"Expected {path} as its own library writes it. Received one that is not: {reason}") from error


def check_no_pointer(path: str) -> None:
    """Raises `ValueError` if the file is a Git LFS pointer."""
    if lfs.is_pointer(path):
        raise ValueError(f"Expected the file itself. Received: {path}, {lfs.POINTER}")


def read_lines(folder: str, name: str) -> list[str]:
    """The lines of a text file.

    Raises:
        ValueError: if it is not UTF-8, or a Git LFS pointer.
    """
    path = os.path.join(folder, name)
    check_no_pointer(path)
    with reading(path), open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def read_bytes(folder: str, name: str) -> bytes:
    """The content of a binary file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is a Git LFS pointer.
    """
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"Expected {name} in the checkpoint. Received a folder without: {folder}")
    check_no_pointer(path)
    with open(path, "rb") as file:
        return file.read()


def read_json(folder: str, name: str, default: Any = None, kind: type = dict) -> Any:
    """The object, or list, in a JSON file.

    Args:
        folder: the checkpoint's.
        name: the name of the file.
        default: returned if there is no such file; without a default the file must exist.
        kind: `dict` or `list`, the type that the file must hold.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON, a Git LFS pointer, or holds another type.
    """
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        if default is not None:
            return default
        raise FileNotFoundError(f"Expected {name} in the checkpoint. Received a folder without: {folder}")
    check_no_pointer(path)
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"Expected JSON in {path}. Received: {error}") from None
    if not isinstance(value, kind):
        expected = {dict: "an object", list: "a list"}[kind]
        raise ValueError(f"Expected {expected} in {path}. Received: {type(value).__name__}")
    return value


def warn_of_ignored(
    config: Config,
    source: str,
    supported: Collection[str],
    without_effect: Collection[str] = (),
    neutral: Mapping[str, Any] | None = None,
) -> None:
    """Warns of the settings in a configuration that a conversion ignores although they may change results.

    Args:
        config: the configuration.
        source: its file, for the message.
        supported: the keys that the conversion reads.
        without_effect: keys that change no result.
        neutral: {key: value} of unsupported settings; with this value, or null, such a setting changes nothing.
    """
    neutral = neutral or {}
    others = {key: value for key, value in config.items() if key not in supported and key not in without_effect}
    ignored = [f"{k}={v!r}" for k, v in others.items() if k in neutral and v is not None and v != neutral[k]]
    if ignored:
        warnings.warn(f"Unsupported settings in {source} are ignored: {', '.join(ignored)}", stacklevel=3)
    unknown = [key for key in others if key not in neutral and not key.startswith("_")]
    if unknown:
        warnings.warn(f"Unknown settings in {source} are ignored: {', '.join(unknown)}", stacklevel=3)


def settings(config: Config, source: str, **required: type) -> tuple[Any, ...]:
    """The values of required settings.

    Args:
        config: the configuration.
        source: its file, for messages.
        **required: {key: type}.

    Returns:
        The values, in the order of `required`.

    Raises:
        ValueError: for settings that are missing or of another type.
    """
    faults = [
        f"{key}={config.get(key)!r}"
        for key, kind in required.items()
        if not isinstance(config.get(key), kind) or (isinstance(config.get(key), bool) and kind is not bool)
    ]
    if faults:
        kinds = ", ".join(f"{key} ({kind.__name__})" for key, kind in required.items())
        raise ValueError(f"Expected {kinds} in {source}. Received: {', '.join(faults)}")
    return tuple(config[key] for key in required)


def weights_file(folder: PathLike) -> str:
    """The path of model.safetensors in `folder`.

    Raises:
        ValueError: if there are only pickles, which run code when they are read, or the parts of a sharded model.
        FileNotFoundError: if there are no weights.
    """
    path = os.path.join(folder, "model.safetensors")
    if os.path.isfile(path):
        return path
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    pickles = [name for name in names if name.endswith(_PICKLES)]
    if pickles:
        raise ValueError(
            f"Expected model.safetensors in {folder}. Received: {', '.join(pickles)}; a pickle can run any code when "
            "it is read, and is refused. transformers writes safetensors with save_pretrained"
        )
    parts = [name for name in names if name.endswith((".safetensors", ".safetensors.index.json"))]
    if parts:
        raise ValueError(f"Expected one model.safetensors in {folder}. Received: {', '.join(parts)}")
    raise FileNotFoundError(f"Expected model.safetensors in {folder}. Received a folder without")


def vocabulary_list(ids: Mapping[str, int], source: str) -> list[str]:
    """The tokens of a vocabulary {token: id}, ordered by id.

    Raises:
        ValueError: unless the ids are 0, 1, 2, ...
    """
    numbers = list(ids.values())
    if not all(type(number) is int for number in numbers) or sorted(numbers) != list(range(len(ids))):
        raise ValueError(f"Expected the ids 0 to {len(ids) - 1} in {source}. Received others")
    return sorted(ids, key=ids.__getitem__)
