import sys

import pytest

from keras_transformer import TextEmbedder
from keras_transformer.models import SentenceEncoder
from keras_transformer.pipelines.terminal_line import terminal_line
from keras_transformer.text import ByteTokenizer


def test_a_terminal_shows_one_text_after_the_other(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with terminal_line() as show:
        show("longer")
        show("short")
    assert capsys.readouterr().err == "\rlonger\rshort \r     \r"
    with terminal_line():
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_terminal", [True, False])
def test_an_int8_export_says_what_it_does_on_a_terminal(is_terminal, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    embedder = TextEmbedder(SentenceEncoder(260, 1, 12, 19, 3, output_dim=6), ByteTokenizer())
    texts = ["a dog"] * 40
    embedder.export(tmp_path / "1", frozen=True, dtype="int8", warmup_texts=(), calibration_texts=texts)
    shown = [text.rstrip() for text in capsys.readouterr().err.split("\r") if text.startswith("int8: ")]
    assert shown == is_terminal * [
        "int8: 0 of 40 calibration texts",
        "int8: 32 of 40 calibration texts",
        "int8: quantizing the weights",
        "int8: tracing the graph",
    ]
