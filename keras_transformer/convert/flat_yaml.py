"""The YAML that Marian writes: a flat mapping, of scalars and of lists of scalars."""

import re
from typing import Any

_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?::\s+|:$|$)(.*)""")


def read_flat_yaml(text: str, source: str) -> dict[str, Any]:
    """Parses a mapping from `str` to `str`, or to a list of `str`.

    Args:
        text: the YAML.
        source: its file, for messages.

    Raises:
        ValueError: for a line that does not belong to a flat mapping.
    """
    mapping, key = {}, None
    # YAML knows no other line ends; `str.splitlines` does.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        content = line.strip(" \t")
        if not content or content.startswith("#") or content in ("---", "..."):
            continue
        if key is not None and (line[0] == " " or content.startswith("- ")):
            items = [content[2:]] if content.startswith("- ") else _inline_list(content)
            mapping[key] = [*(mapping[key] or []), *map(_scalar, items)]
            continue
        key, value = _key_and_rest(content, f"{source}, line {number}")
        mapping[key] = [_scalar(item) for item in _inline_list(value)] if value.startswith("[") else _scalar(value)
    return mapping


def _key_and_rest(content, place):
    if content[0] in "\"'":
        found = _QUOTED.fullmatch(content)
        if found and content[len(found[1]) :].lstrip().startswith(":"):
            return _scalar(found[1]), found[2].strip()
    else:
        key, colon, value = content.partition(": ")
        if colon:
            return key.rstrip(), value.strip()
        if content.endswith(":"):
            return content[:-1], ""
    raise ValueError(f"Expected a line of YAML, key: value. Received: {content!r} ({place})")


def _inline_list(content):
    return [item.strip() for item in content.strip("[]").split(",") if item.strip()]


def _scalar(text):
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return _ESCAPE.sub(_unescaped, text[1:-1]) if text.startswith('"') else text


def _unescaped(found):
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(found[4], found[4])
