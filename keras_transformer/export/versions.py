"""Versions of a model, as TensorFlow Serving wants them: folders named by numbers."""

import os

from keras_transformer.types import PathLike


def next_version(folder: PathLike) -> str:
    """The path of the version after those in `folder`: `folder`/1 if there is none.

    Args:
        folder: of the versions; it need not exist.

    Returns:
        The path, which does not exist.

    Raises:
        NotADirectoryError: if `folder` is a file.

    Example:
        >>> from keras_transformer.export import next_version
        >>> (tmp_path / "3").mkdir()
        >>> next_version(tmp_path)[-2:]
        '/4'
    """
    folder = os.fspath(folder)
    versions = [int(name) for name in os.listdir(folder) if name.isdecimal()] if os.path.lexists(folder) else []
    return os.path.join(folder, str(max(versions, default=0) + 1))
