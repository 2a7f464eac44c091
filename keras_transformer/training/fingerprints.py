"""What a training depends on, so that it is resumed with nothing else, and what differs where it does."""

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_transformer.types import Config, PathLike

if TYPE_CHECKING:
    from keras_transformer.text import Tokenizer

TRAINED = "trained"  # in a description: "a translator", for example
_PREFIX = "sha256:"
_ROWS_AT_ONCE = 10_000


def fingerprint(*parts: np.ndarray | Iterable[str]) -> str:
    """A mark of content, which differs where the content does.

    Args:
        *parts: each an array, or an iterable of `str`.

    Returns:
        A `str`.
    """
    mark = hashlib.sha256()
    for part in parts:
        of_part = hashlib.sha256()
        for chunk in _chunks(part):
            of_part.update(chunk)
        mark.update(of_part.digest())
    return _PREFIX + mark.hexdigest()


def _chunks(part):
    if isinstance(part, np.ndarray):
        yield f"{part.dtype} {part.shape}".encode()
        for start in range(0, len(part), _ROWS_AT_ONCE):  # it may be on disk, and larger than memory
            yield part[start : start + _ROWS_AT_ONCE].tobytes()
        return
    for text in part:
        data = text.encode("utf-8", "surrogatepass")
        yield len(data).to_bytes(8, "little")
        yield data


def of_tokenizer(tokenizer: "Tokenizer") -> str:
    """The `fingerprint` of a tokenizer, whatever its name."""
    config = {name: value for name, value in tokenizer.get_config().items() if name != "name"}
    return fingerprint([type(tokenizer).__name__, json.dumps(config, sort_keys=True)])


def config_of(layer: Any) -> Config:
    """The class and the constructor's arguments of a layer, without its name, nor those of layers in it."""
    try:
        config = layer.get_config()
    except NotImplementedError:  # of the user's own, that cannot be saved
        config = {}
    return {"class": type(layer).__name__, **_nameless(config)}


def _nameless(config):
    if not isinstance(config, dict):
        return config
    return {key: _nameless(value) for key, value in config.items() if key != "name"}


def check_same(path: PathLike, now: Any, before: Any) -> None:
    """`ValueError`, with the `differences`, for a training in `path` that began with another description."""
    if now != before:
        raise ValueError(
            f"Expected the same arguments as those of the training in {path}, or another folder. "
            f"Received: {'; '.join(differences(now, before))}"
        )


def differences(now: Any, before: Any) -> list[str]:
    """What differs between two descriptions (nested dictionaries of what JSON can hold), in words.

    Returns:
        A list of `str`, each "NAME=VALUE (not OTHER)"; of two fingerprints only "other content of NAME". Where the
        descriptions say what is trained, under `TRAINED`, and it differs, nothing else is of interest.
    """
    kinds = [side.get(TRAINED) if isinstance(side, dict) else None for side in (now, before)]
    if kinds[0] != kinds[1] and all(kinds):
        return ["a training of {}, not of {}".format(*kinds)]
    now, before = dict(_flat(now)), dict(_flat(before))
    found = []
    for name in dict.fromkeys([*now, *before]):
        values = [side.get(name) for side in (now, before)]
        if values[0] == values[1]:
            continue
        if all(isinstance(value, str) and value.startswith(_PREFIX) for value in values):
            found.append(f"other content of {name}")
        else:
            found.append("{}={} (not {})".format(name, *map(_shown, values)))
    return found


def _flat(description, prefix=""):
    if not isinstance(description, dict):
        yield prefix or "description", description
        return
    for name, value in description.items():
        yield from _flat(value, f"{prefix} {name}".lstrip())


def _shown(value):
    if value is None:
        return "none"
    return "something" if isinstance(value, str) and value.startswith(_PREFIX) else json.dumps(value)
