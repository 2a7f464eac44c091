"""The small files of a checkpoint's folder."""

import contextlib
import json
import os
import warnings

from keras_transformer import lfs

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@contextlib.contextmanager
def reading(path):
    """Within it, whatever the content of a damaged file leads to becomes a `ValueError` that names the file."""
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


def check_no_pointer(path):
    """Raises `ValueError` if the file at `path` only tells what Git LFS would fetch."""
    if lfs.is_pointer(path):
        raise ValueError(f"Expected the file itself. Received: {path}, {lfs.POINTER}")


def read_lines(folder, name):
    """The lines of a text file.

    Raises:
        ValueError: if it is not UTF-8, or a Git LFS pointer.
    """
    path = os.path.join(folder, name)
    check_no_pointer(path)
    with reading(path), open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def report_unfollowed(config, source, followed, without_effect=(), neutral=None):
    """Warns of settings in a configuration that are not followed.

    Args:
        config: the object.
        source: the file, for the message.
        followed: the keys that are dealt with elsewhere.
        without_effect: keys that change no result.
        neutral: {key: value} of settings that ours has no counterpart of; with this value or null they change nothing.
    """
    neutral = neutral or {}
    further = {key: value for key, value in config.items() if key not in followed and key not in without_effect}
    dropped = [f"{k}={v!r}" for k, v in further.items() if k in neutral and v is not None and v != neutral[k]]
    if dropped:
        warnings.warn(f"Settings in {source} that are not followed: {', '.join(dropped)}", stacklevel=3)
    unknown = [key for key in further if key not in neutral and not key.startswith("_")]
    if unknown:
        warnings.warn(f"Unknown settings in {source}, which are not followed: {', '.join(unknown)}", stacklevel=3)


def read_json(folder, name, default=None, kind=dict):
    """The object, or list, in a JSON file.

    Args:
        folder: the checkpoint's.
        name: of the file.
        default: returned if there is no such file; without it the file must be there.
        kind: `dict` or `list`, what it must hold.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON, a Git LFS pointer, or holds something else.
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


def settings(config, source, **required):
    """The values of a configuration, each of the type that is asked for.

    Args:
        config: the object.
        source: the file, for messages.
        **required: {key: type}.

    Returns:
        The values, in this order.

    Raises:
        ValueError: for what is missing or of another type.
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


def weights_file(folder):
    """The path of model.safetensors in `folder`.

    Raises:
        ValueError: if there are only pickles, which run code when they are read, or parts of a model.
        FileNotFoundError: if there is nothing at all.
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


def vocabulary_list(ids, source):
    """The tokens of a vocabulary {token: id} by id.

    Raises:
        ValueError: unless the ids are 0, 1, 2, ...
    """
    numbers = list(ids.values())
    if not all(type(number) is int for number in numbers) or sorted(numbers) != list(range(len(ids))):
        raise ValueError(f"Expected the ids 0 to {len(ids) - 1} in {source}. Received others")
    return sorted(ids, key=ids.get)
