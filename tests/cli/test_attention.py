"""keras-transformer attention, in this process."""

import numpy as np
import pytest

from keras_transformer.cli.main import main
from keras_transformer.evaluation import plot_attention
from keras_transformer.pipelines import ExportedTranslator


def run(*arguments):
    return main(["attention", *(str(argument) for argument in arguments)])


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn: a list of (tokens, tokens, weights, path, options)."""
    calls = []

    def draw(*args, **options):
        calls.append((*args, options))
        return plot_attention(*args, **options)

    monkeypatch.setattr("keras_transformer.evaluation.plot_attention", draw)
    return calls


def test_draws_a_translation(model_dir, translator, drawn, tmp_path, capsys):
    path = tmp_path / "a.png"
    assert run("--model", model_dir, "--output", path, "$5 or $6, 개") == 0
    assert path.read_bytes().startswith(b"\x89PNG") and capsys.readouterr().out == f"Wrote {path}\n"
    ((source, target, weights, _, options),) = drawn
    wanted = translator.attention("$5 or $6, 개")
    assert (source, target, options) == (*wanted[:2], {})
    np.testing.assert_allclose(weights, wanted[2], atol=1e-5)
    assert run("--model", model_dir, "--output", path, "--layer", 1, "--head", "all", "--overwrite", "a") == 0
    assert drawn[1][-1] == {"layer": 1, "head": "all"}


def test_an_export_draws_its_last_layer(exported, drawn, tmp_path):
    assert run("--model", exported, "--output", tmp_path / "a.svg", "a dog") == 0
    ((source, target, weights, *_),) = drawn
    wanted = ExportedTranslator(exported).attention("a dog")
    assert (source, target) == wanted[:2] and weights.shape == (len(target), len(source))
    np.testing.assert_array_equal(weights, wanted[2])
    with pytest.warns(UserWarning, match="more than max_source_length=30 tokens"):
        assert len(ExportedTranslator(exported).attention("a" * 40)[0]) == 30


def test_a_picture_for_each_text(model_dir, drawn, tmp_path, capsys):
    long = "a" * 40
    assert run("--model", model_dir, "--output", tmp_path / "a.b.png", long, "b") == 0
    paths = [tmp_path / f"a.b-{number}.png" for number in (1, 2)]
    shown = capsys.readouterr()
    assert shown.out == "".join(f"Wrote {path}\n" for path in paths) and all(path.exists() for path in paths)
    assert [len(source) for source, *_ in drawn] == [30, 2]
    cut = "keras-transformer: TEXT 1: 41 tokens, the model takes 30; the end is not translated\n"
    assert shown.err.endswith(cut)


def test_nothing_is_overwritten(model_dir, tmp_path, capsys):
    (tmp_path / "a-2.png").write_text("mine")
    assert run("--model", model_dir, "--output", tmp_path / "a.png", "x", "y") == 1
    assert f"or --overwrite. Received: {tmp_path / 'a-2.png'}" in capsys.readouterr().err
    assert (tmp_path / "a-2.png").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "options, message",
    [
        (["--output", "a.gif", "x"], "ends in .png, .svg or .pdf. Received: a.gif"),
        (
            ["--model", "nowhere", "x"],
            "Expected a translator: a .keras file or a SavedModel. Received: nowhere",
        ),
        (["--model", "KERAS", "--layer", "2", "x"], "TEXT 1: Expected a layer from 1 to 1. Received: layer=2"),
        (["--model", "KERAS", "x", " "], "Expected a text with tokens. Received: ''"),
    ],
)
def test_bad_options(options, message, model_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*(str(model_dir) if option == "KERAS" else option for option in options)) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--layer", "--head"])
@pytest.mark.parametrize("value", ["last", "0", "-1", "1.5", ""])
def test_a_layer_or_a_head_is_a_number_or_all(option, value, capsys):
    with pytest.raises(SystemExit):
        run(option, value, "x")
    assert f'argument {option}: Expected a number from 1, or "all". Received: {value}\n' in capsys.readouterr().err
