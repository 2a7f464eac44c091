"""The small files of a checkpoint's folder."""

import json
import os

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def read_json(folder, name, default=None, kind=dict):
    """The object, or list, in a JSON file.

    Args:
        folder: the checkpoint's.
        name: of the file.
        default: returned if there is no such file; without it the file must be there.
        kind: `dict` or `list`, what it must hold.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not JSON, or holds something else.
    """
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        if default is not None:
            return default
        raise FileNotFoundError(f"Expected {name} in the checkpoint. Received a folder without: {folder}")
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except ValueError as error:
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
    if sorted(ids.values()) != list(range(len(ids))):
        raise ValueError(f"Expected the ids 0 to {len(ids) - 1} in {source}. Received others")
    return sorted(ids, key=ids.get)
