"""Texts that are given on the command line."""


def check_texts(name, texts):
    """`ValueError` for a text of bytes that are not UTF-8; it is NAME 1, NAME 2 and so on in the message."""
    for number, text in enumerate(texts, start=1):
        try:
            text.encode()
        except UnicodeEncodeError as error:  # Python keeps such bytes as lone surrogates
            wrong = text[error.start].encode("utf-8", "surrogateescape")[0]
            raise ValueError(
                f"{name} {number}: expected UTF-8. Received: byte 0x{wrong:02x} at character {error.start + 1}"
            ) from None
