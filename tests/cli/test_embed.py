"""keras-transformer embed, in this process."""

import io
import json
import sys

import keras
import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.cli import models
from keras_transformer.cli.main import main
from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data

TEXTS = [*made_data.sentences(70, seed=5, longest=4), "", "  ", "漢\u2028字"]


def run(*arguments):
    return main(["embed", *(str(argument) for argument in arguments)])


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    TextEmbedder(encoder, tokenizer, max_length=30).save(folder / "embedder.keras")
    return folder


@pytest.fixture(scope="module")
def embedder(model_dir):
    return keras.models.load_model(model_dir / "embedder.keras")


@pytest.fixture(scope="module")
def exported(embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "1"
    embedder.export(path)
    return path


@pytest.fixture
def standard_input(monkeypatch):
    """A function that makes bytes the standard input."""

    def feed(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


def test_a_file_of_litert(write_lines, tmp_path):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 60, lower_case=True)
    encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, 9, hidden_dim=8, output_dim=6, num_layers=1)
    embedder = TextEmbedder(encoder, tokenizer, max_length=30)
    embedder.export(tmp_path / "encoder.tflite", format="litert")
    file, output = write_lines("in.txt", TEXTS), tmp_path / "out.npy"
    assert run(file, "--model", tmp_path / "encoder.tflite", "--output", output) == 0
    np.testing.assert_allclose(np.load(output), embedder.embed(TEXTS), atol=1e-5)


def test_a_checkout_has_a_default_model(exported, embedder, write_lines, tmp_path, monkeypatch, capsys):
    file = write_lines("in.txt", TEXTS[:3])
    monkeypatch.setattr(models, "SHIPPED_EMBEDDER", exported.parent.name)
    monkeypatch.setattr(models, "_SHIPPED", exported.parents[1])
    assert run(file, "--output", tmp_path / "out.npy") == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), embedder.embed(TEXTS[:3]), atol=1e-5)

    # Of an installed package, the checkout is the current folder.
    monkeypatch.setattr(models, "_SHIPPED", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(file) == 1
    message = capsys.readouterr().err
    assert f"a checkout of the project, with saved_models/{exported.parent.name}" in message
    (tmp_path / "saved_models").symlink_to(exported.parents[1])
    assert run(file, "--output", "here.npy") == 0
    np.testing.assert_array_equal(np.load("here.npy"), np.load("out.npy"))


def test_an_array(model_dir, embedder, write_lines, tmp_path, capsys):
    files = write_lines("1.txt", TEXTS[:40]), write_lines("2.txt.gz", TEXTS[40:])
    assert run("--model", model_dir, *files, "--output", tmp_path / "out.npy", "--batch-size", 1) == 0
    vectors = np.load(tmp_path / "out.npy", mmap_mode="r")
    assert (vectors.dtype, vectors.shape, vectors.flags.c_contiguous) == ("float32", (len(TEXTS), 7), True)
    np.testing.assert_allclose(vectors, embedder.embed(TEXTS), atol=1e-5)
    np.testing.assert_array_equal(vectors[TEXTS.index("")], np.zeros(7))
    assert capsys.readouterr() == ("", "")


def test_lines_of_json(model_dir, embedder, standard_input, tmp_path, capsysbinary):
    standard_input("\r\n".join(TEXTS).encode())
    assert run("--model", model_dir / "embedder.keras") == 0
    shown = capsysbinary.readouterr().out
    lines = [json.loads(line) for line in shown.decode().split("\n")[:-1]]
    assert [list(line) for line in lines] == [["text", "embedding"]] * len(TEXTS)
    assert [line["text"] for line in lines] == TEXTS
    found = np.array([line["embedding"] for line in lines], "float32")
    np.testing.assert_allclose(found, embedder.embed(TEXTS), atol=1e-6)  # in other batches, of other rounding
    standard_input("\n".join(TEXTS).encode())
    assert run("--model", model_dir, "--output", tmp_path / "out.npy") == 0
    np.testing.assert_array_equal(found, np.load(tmp_path / "out.npy"))  # no digit is lost
    standard_input("\n".join(TEXTS).encode())
    assert run("--model", model_dir, "--output", tmp_path / "out.jsonl") == 0
    assert (tmp_path / "out.jsonl").read_bytes() == shown


def test_a_saved_model_gives_the_same(exported, embedder, write_lines, tmp_path):
    assert run("--model", exported, write_lines("in", TEXTS), "--output", tmp_path / "out.npy") == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), embedder.embed(TEXTS), atol=1e-5)


def test_nothing_gives_nothing(model_dir, standard_input, tmp_path, capsys):
    standard_input(b"")
    assert run("--model", model_dir, "--progress") == 0
    assert run("--model", model_dir, "--output", tmp_path / "out.npy") == 0
    assert capsys.readouterr() == ("", "") and np.load(tmp_path / "out.npy").shape == (0, 7)


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_long_lines_are_reported_by_number(kind, model_dir, exported, write_lines, tmp_path, capsys, recwarn):
    source = write_lines("in.txt", ["dog", "x" * 40, "cat", "y" * 30])
    model = model_dir if kind == "keras" else exported
    assert run("--model", model, "--batch-size", 2, source, "--output", tmp_path / "out.npy") == 0
    assert capsys.readouterr().err == (
        f"keras-transformer: {source}, line 2: 40 tokens, the model takes 30; the end is not embedded\n"
    )
    assert not [warning for warning in recwarn if "max_length" in str(warning.message)]


def test_progress_is_counted_on_standard_error(model_dir, write_lines, tmp_path, capsys):
    arguments = ("--model", model_dir, write_lines("in.txt", ["dog", "z", "red cat"]), "--batch-size", 2)
    assert run(*arguments, "--output", tmp_path / "1.npy", "--progress") == 0
    assert capsys.readouterr().err.split("\r")[-1].startswith("3 of 3 sentences, ")
    assert run(*arguments, "--output", tmp_path / "2.npy", "--no-progress") == 0
    assert capsys.readouterr().err == ""


def test_an_output_is_not_overwritten_unasked(model_dir, write_lines, tmp_path, capsys):
    arguments = ("--model", model_dir, write_lines("in.txt", ["dog"]), "--output", tmp_path / "out.npy")
    (tmp_path / "out.npy").write_text("mine")
    assert run(*arguments) == 1
    assert "Expected --output not to exist, or --overwrite. Received: " in capsys.readouterr().err
    assert (tmp_path / "out.npy").read_text() == "mine"
    assert run(*arguments, "--overwrite") == 0
    assert np.load(tmp_path / "out.npy").shape == (1, 7)


@pytest.mark.parametrize("ending", ["npy", "jsonl"])
@pytest.mark.parametrize("fault", [b"\xff", KeyboardInterrupt, OSError("No space left on device")], ids=repr)
def test_what_goes_wrong_leaves_no_half_output(fault, ending, model_dir, write_lines, tmp_path, capsys, monkeypatch):
    source = write_lines("in.txt", ["dog"] * 40 + [fault if isinstance(fault, bytes) else "dog"])
    output = tmp_path / f"out.{ending}"
    output.write_text("earlier")
    if not isinstance(fault, bytes):
        pairs = TextEmbedder.embed
        calls = []

        def embed(*arguments, **kwargs):
            calls.append(None)
            if len(calls) == 40:
                raise fault
            return pairs(*arguments, **kwargs)

        monkeypatch.setattr(TextEmbedder, "embed", embed)
    status = run("--model", model_dir, "--batch-size", 1, source, "--output", output, "--overwrite")
    assert status == (130 if fault is KeyboardInterrupt else 1)
    message = capsys.readouterr().err
    assert ("in.txt, line 41: expected UTF-8" in message) == isinstance(fault, bytes)
    assert ("No space left" in message) == isinstance(fault, OSError)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", output.name]
    assert output.read_text() == "earlier"


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--model", "nowhere"],
            "Expected an embedder: a .keras file or a SavedModel. Received: nowhere",
        ),
        (["--model", "m", "nowhere"], "Expected a text file. Received: nowhere"),
        (["--model", "m", "--output", "out.txt"], "ends in .npy or .jsonl. Received: out.txt"),
        (["--model", "MODEL", "--batch-size", "0", "--output", "o.npy"], "Received: --batch-size=0"),
    ],
)
def test_bad_options(options, message, model_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*(str(model_dir) if option == "MODEL" else option for option in options)) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_model_is_refused(tmp_path, capsys):
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    assert run("--model", tmp_path / "other.keras") == 1
    assert "Expected a TextEmbedder in" in capsys.readouterr().err


def test_a_damaged_file_is_told_in_one_line(embedder_dir, tmp_path, capsys):
    whole = (embedder_dir / "embedder.keras").read_bytes()
    (tmp_path / "e.keras").write_bytes(whole.replace(b"config.json", b"konfig.json"))
    assert run("--model", tmp_path / "e.keras", "--output", tmp_path / "o.npy") == 1
    shown = capsys.readouterr().err
    assert f"Expected a .keras file with an embedder. Received {tmp_path / 'e.keras'}: it is damaged" in shown
    assert shown.count("\n") == 1 and not (tmp_path / "o.npy").exists()


def test_our_own_faults_stay_tracebacks(embedder_dir, write_lines, tmp_path, monkeypatch):
    def faulty(*arguments, **kwargs):
        raise KeyError("ours")

    monkeypatch.setattr(TextEmbedder, "embed", faulty)
    with pytest.raises(KeyError, match="ours"):
        run("--model", embedder_dir, write_lines("in.txt", ["dog"]), "--output", tmp_path / "o.npy")


def test_several_processes_give_the_same(model_dir, embedder, write_lines, tmp_path, capsys):
    source = write_lines("in.txt", [*TEXTS, "y" * 31])
    arguments = ("--model", model_dir, source, "--batch-size", 1, "--output", tmp_path / "out.npy")
    assert run(*arguments, "--processes", 0) == 1
    assert "Received: --processes=0" in capsys.readouterr().err
    assert run(*arguments, "--processes", 2) == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy")[:-1], embedder.embed(TEXTS), atol=1e-5)
    assert f"{source}, line {len(TEXTS) + 1}: 31 tokens" in capsys.readouterr().err


def test_a_role_has_its_prompt(model_dir, embedder, tmp_path, capsys):
    with_prompts = TextEmbedder(embedder.encoder, embedder.tokenizer, 30, prompts={"query": "q: "})
    with_prompts.save(tmp_path / "embedder.keras")
    (tmp_path / "a.txt").write_text("red dog\n")
    out = tmp_path / "a.npy"
    assert run(tmp_path / "a.txt", "--model", tmp_path, "--prompt", "query", "--output", out) == 0
    np.testing.assert_allclose(np.load(out), embedder.embed(["q: red dog"]), atol=1e-6)
    assert run(tmp_path / "a.txt", "--model", tmp_path, "--prompt", "answer") == 1
    assert "Expected a prompt of ['query']. Received: 'answer'" in capsys.readouterr().err
