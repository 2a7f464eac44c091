"""What commands that measure write."""

import json
import math
from typing import Any

from keras_transformer.atomic import replacing


def as_json(figures: dict[str, Any]) -> str:
    """Figures as JSON; NaN, which JSON has not, as null."""
    return json.dumps(_without_nan(figures), indent=2, ensure_ascii=False) + "\n"


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Writes figures as JSON, whole or not at all."""
    # Names of files that are not UTF-8 are escaped, as JSON has it.
    options = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
    with replacing(path) as unfinished, open(unfinished, "w", **options) as file:
        file.write(as_json(figures))


def _without_nan(figures):
    if isinstance(figures, dict):
        return {name: _without_nan(value) for name, value in figures.items()}
    if isinstance(figures, (list, tuple)):
        return [_without_nan(value) for value in figures]
    return None if isinstance(figures, float) and math.isnan(figures) else figures
