"""What the scripts of this folder share: sources that no shipped model learns from, texts that are held out, lines."""

import os
import re
from collections.abc import Iterable

from keras_transformer.atomic import replacing
from keras_transformer.data import read_lines

# Of parallel text: "stylekqc" is share-alike, "safety" has offensive statements.
LEFT_OUT = ("stylekqc", "safety")


def plain(text: str) -> str:
    """The text in lower case and without punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))


def held_out(paths: Iterable[str]) -> set[str]:
    """The plain forms of all columns of tab-separated files."""
    return {plain(field) for line in read_lines(paths) for field in line.split("\t")}


def write_lines(path: str | os.PathLike, lines: Iterable[str]) -> None:
    """Writes lines to a file, all of them or none."""
    with replacing(path) as unfinished, open(unfinished, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
