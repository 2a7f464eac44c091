"""Texts that are given on the command line."""

from collections.abc import Iterable


def check_texts(name: str, texts: Iterable[str]) -> None:
    """`ValueError` for a text that is not UTF-8; the message calls it NAME 1, NAME 2 and so on."""
    for number, text in enumerate(texts, start=1):
        try:
            text.encode()
        except UnicodeEncodeError as error:  # Python keeps such bytes as lone surrogates
            wrong = text[error.start].encode("utf-8", "surrogateescape")[0]
            raise ValueError(
                f"{name} {number}: expected UTF-8. Received: byte 0x{wrong:02x} at character {error.start + 1}"
            ) from None
