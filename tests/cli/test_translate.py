"""keras-transformer translate, in this process."""

import io
import os
import sys

import keras
import pytest

from keras_transformer.cli import models, translators
from keras_transformer.cli.main import main
from tests import made_data


def run(*arguments):
    return main(["translate", *(str(argument) for argument in arguments)])


@pytest.fixture
def standard_input(monkeypatch):
    """A function that makes bytes the standard input."""

    def feed(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return feed


def test_texts(model_dir, translator, capsys):
    wanted = list(translator.translate(["dog", "", "red cat"]))
    assert run("--model", model_dir, "dog", "", "red cat") == 0
    assert capsys.readouterr() == ("\n".join(wanted) + "\n", "")
    assert wanted[0] and wanted[2] and wanted[1] == ""


def test_several_models_are_an_ensemble(model_dir, exported, translator, monkeypatch, capsys):
    """Of a model and itself: the mean of the probabilities is what one says."""
    opened = []
    monkeypatch.setattr(translators, "translated", lambda translator, *_: opened.append(translator) or ["Hund"])
    assert run("--model", model_dir, "--model", model_dir / "translator.keras", "dog") == 0
    assert len(opened[0].transformer.members) == 2 and capsys.readouterr().out == "Hund\n"
    assert run("--model", model_dir, "--model", exported, "dog") == 1
    assert f"Expected .keras files for an ensemble. Received: {exported}" in capsys.readouterr().err


def test_the_newest_of_several_versions_is_told(exported, translator, tmp_path, capsys):
    (tmp_path / "9").mkdir()
    (tmp_path / "9" / "saved_model.pb").touch()
    (tmp_path / "10").symlink_to(exported)
    assert run("--model", tmp_path, "dog") == 0
    shown = capsys.readouterr()
    assert shown.out.split("\n")[:-1] == list(translator.translate(["dog"]))
    assert shown.err == f"keras-transformer: {tmp_path} has 2 versions. The newest is opened: {tmp_path / '10'}\n"


def test_files_keep_count_and_order_over_several_windows(model_dir, translator, write_lines, tmp_path):
    texts = [*made_data.sentences(70, seed=5, longest=4), "", "dog"]
    files = write_lines("1.txt", texts[:40]), write_lines("2.txt.gz", texts[40:])
    assert run("--model", model_dir, "--batch-size", 1, "--input", *files, "--output", tmp_path / "out") == 0
    wanted = list(translator.translate(texts))
    assert (tmp_path / "out").read_bytes().decode().split("\n") == [*wanted, ""]


def test_standard_input_has_blank_lines_odd_ends_and_separators(model_dir, translator, standard_input, capsys):
    standard_input("dog\r\n\n  \t\ncat\u2028dog\x0c\nred".encode())
    assert run("--model", model_dir) == 0
    dog, cat, red = translator.translate(["dog", "cat\u2028dog\x0c", "red"])
    assert capsys.readouterr().out.split("\n") == [dog, "", "", cat, red, ""]


def test_nothing_gives_nothing(model_dir, standard_input, capsys):
    standard_input(b"")
    assert run("--model", model_dir, "--progress") == 0
    assert capsys.readouterr() == ("", "")


def test_a_saved_model_gives_the_same(model_dir, exported, standard_input, capsys):
    lines = ["dog", "", " ", *made_data.sentences(35, seed=2)]
    outputs = []
    for model in (model_dir, model_dir / "translator.keras", exported):
        standard_input("\n".join(lines).encode())
        assert run("--model", model, "--batch-size", 1) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0].count("\n") == len(lines)


def test_a_checkout_has_a_default_model(exported, translator, monkeypatch, capsys):
    for other in ("10-unfinished", "2"):
        (exported.parent / other).mkdir()
    monkeypatch.setattr(models, "_SHIPPED", exported.parents[1])
    monkeypatch.setattr(models, "SHIPPED_TRANSLATOR", exported.parent.name)
    assert run("dog") == 0
    assert capsys.readouterr().out.split("\n")[:-1] == list(translator.translate(["dog"]))


def test_elsewhere_the_model_must_be_named(exported, translator, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(models, "SHIPPED_TRANSLATOR", exported.parent.name)
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "missing"):
        monkeypatch.setattr(models, "_SHIPPED", folder)
        assert run("dog") == 1
        message = capsys.readouterr().err
        assert "Expected --model MODEL, or the current folder to be a checkout of the project" in message
        assert f"{tmp_path} has no saved_models/{exported.parent.name}" in message
    # Of an installed package, the checkout is the current folder.
    (tmp_path / "saved_models").symlink_to(exported.parents[1])
    assert run("dog") == 0
    assert capsys.readouterr().out.split("\n")[:-1] == list(translator.translate(["dog"]))


@pytest.mark.parametrize("kind", ["keras", "saved_model"])
def test_long_lines_are_reported_by_number(kind, model_dir, exported, translator, write_lines, capsys, recwarn):
    long = "x" * 40
    source = write_lines("in.txt", ["dog", long, "cat", "y" * 29])
    assert run("--model", model_dir if kind == "keras" else exported, "--batch-size", 2, "--input", source) == 0
    shown = capsys.readouterr()
    assert shown.err == (
        f"keras-transformer: {source}, line 2: 41 tokens, the model takes 30; the end is not translated\n"
    )
    assert shown.out.split("\n")[:-1][1] == next(translator.translate([long[:29]]))
    assert not [warning for warning in recwarn if "max_source_length" in str(warning.message)]


def test_progress_is_counted_on_standard_error(model_dir, write_lines, tmp_path, capsys):
    source = write_lines("in.txt", ["dog", "z" * 30, "red cat"])
    arguments = ("--model", model_dir, "--input", source, "--output", tmp_path / "out", "--batch-size", 2)
    assert run(*arguments, "--progress") == 0
    last = capsys.readouterr().err.split("\r")[-1]
    assert last.startswith("3 of 3 sentences, ") and last.rstrip(" \n").endswith(" a second, 0:00:00 left")
    assert run(*arguments, "--no-progress", "--overwrite") == 0
    assert "sentences" not in capsys.readouterr().err


def test_an_output_is_not_overwritten_unasked(model_dir, translator, write_lines, tmp_path, capsys):
    output = tmp_path / "out"
    arguments = ("--model", model_dir, "--input", write_lines("in.txt", ["dog"]), "--output", output)
    output.write_text("mine")
    assert run(*arguments) == 1
    assert f"Expected --output not to exist, or --overwrite. Received: {output}" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert run(*arguments, "--overwrite") == 0
    assert output.read_text() == next(translator.translate(["dog"])) + "\n"


def test_an_output_may_have_the_longest_name(model_dir, translator, tmp_path):
    assert run("--model", model_dir, "dog", "--output", tmp_path / ("o" * 255)) == 0
    assert (tmp_path / ("o" * 255)).read_text() == next(translator.translate(["dog"])) + "\n"


def test_an_input_is_never_the_output(model_dir, exported, write_lines, tmp_path, capsys):
    source = write_lines("in.txt", ["dog"])
    (tmp_path / "link").symlink_to(source)
    os.link(source, tmp_path / "hard")
    graph = (exported / "saved_model.pb").read_bytes()
    for model, output in [
        (model_dir, source),
        (model_dir, tmp_path / "link"),
        (model_dir, tmp_path / "hard"),
        (model_dir, model_dir / "translator.keras"),
        (exported, exported / "saved_model.pb"),
    ]:
        assert run("--model", model, "--input", source, "--output", output, "--overwrite") == 1
        assert f"Expected --output to be no file that is read. Received: {output}" in capsys.readouterr().err
    assert (tmp_path / "in.txt").read_text() == "dog\n" and (exported / "saved_model.pb").read_bytes() == graph


def test_several_inputs_may_be_given_one_by_one(model_dir, translator, write_lines, capsys):
    assert run("--model", model_dir, "--input", write_lines("1", ["dog"]), "--input", write_lines("2", ["cat"])) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == list(translator.translate(["dog", "cat"]))


@pytest.mark.parametrize("fault", [b"\xff", KeyboardInterrupt])
def test_what_goes_wrong_leaves_no_half_output(fault, model_dir, write_lines, tmp_path, capsys, monkeypatch):
    source = write_lines("in.txt", ["dog"] * 40 + [fault if isinstance(fault, bytes) else "dog"])
    if fault is KeyboardInterrupt:
        monkeypatch.setattr(translators, "one_line", lambda text: (_ for _ in ()).throw(KeyboardInterrupt))
    arguments = ("--model", model_dir, "--batch-size", 1, "--input", source, "--output", tmp_path / "out")
    assert run(*arguments) == (130 if fault is KeyboardInterrupt else 1)
    message = capsys.readouterr().err
    assert ("in.txt, line 41: expected UTF-8" in message) == isinstance(fault, bytes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt"]


def test_the_search_can_be_chosen(model_dir, translator, capsys):
    from keras_transformer.decoding import BeamSearch

    fresh = keras.models.load_model(model_dir / "translator.keras")
    fresh.search = BeamSearch(beam_size=4, length_penalty=2.0)
    assert run("--model", model_dir, "--beam", 4, "--length-penalty", 2.0, "red cat", "") == 0
    assert capsys.readouterr().out.split("\n")[:-1] == list(fresh.translate(["red cat", ""]))
    assert run("--model", model_dir, "--beam", 1, "red cat") == 0
    assert capsys.readouterr().out.split("\n")[:-1] == list(translator.translate(["red cat"]))


def test_n_best(model_dir, capsys):
    assert run("--model", model_dir, "--beam", 4, "red cat") == 0
    (best,) = capsys.readouterr().out.split("\n")[:-1]
    assert run("--model", model_dir, "--n-best", 3, "red cat", "dog") == 0
    tables = [table.strip("\n").split("\n") for table in capsys.readouterr().out.split("\n\n")]
    assert [len(table) for table in tables] == [3, 3]
    scores, texts = zip(*(line.split("\t") for line in tables[0]))
    assert texts[0] == best and float(scores[0]) >= float(scores[1])


def test_the_nearest_of_the_beam(model_dir, write_lines, tmp_path, capsys):
    source, lines = write_lines("in.txt", ["red cat", "dog", ""]), ("--n-best", 3)
    assert run("--model", model_dir, *lines, "--input", source) == 0
    beams = [beam.split("\n") for beam in capsys.readouterr().out.rstrip("\n").split("\n\n")]
    second = [beam[1 if len(beam) > 1 else 0].split("\t")[1] for beam in beams]
    assert second[0] != beams[0][0].split("\t")[1]
    reference = write_lines("reference.txt", second)
    assert run("--model", model_dir, *lines, "--input", source, "--reference", reference) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == second
    short = write_lines("short.txt", second[1:])
    assert run("--model", model_dir, *lines, "--input", source, "--reference", short) == 1
    assert "Expected as many" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ["--model", "nowhere", "x"],
            "Expected a translator: a .keras file or a SavedModel. Received: nowhere",
        ),
        (["--model", "m", "x", "--input", "f"], "Expected TEXTs or --input. Received both"),
        (["--model", "m", "x", "--n-best", "2", "--reference", "r"], "Expected --input and --n-best with --reference"),
        (["--model", "m", "--input", "nowhere"], "Expected a text file. Received: nowhere"),
        (["--model", "MODEL", "x", "cat \udcff"], "TEXT 2: expected UTF-8. Received: byte 0xff at character 5"),
        (["--model", "MODEL", "x", "--output", "o" * 256], "File name too long: 'ooo"),
        (["--model", "MODEL", "x", "--output", "."], "Expected a file for --output. Received a folder: ."),
        (["--model", "MODEL", "x", "--output", ""], "Expected the name of a file for --output"),
        (["--model", "MODEL", "--batch-size", "0", "x"], "Received: --batch-size=0"),
        (["--model", "MODEL", "--beam", "0", "x"], "Expected a positive integer. Received: --beam=0"),
        (["--model", "MODEL", "--n-best", "0", "x"], "Received: --n-best=0"),
        (["--model", "MODEL", "--n-best", "3", "--beam", "2", "x"], "Received: --beam 2 --n-best 3"),
        (["--model", "MODEL", "--length-penalty", "1", "x"], "Expected a beam size with a length penalty"),
        (["--model", "EXPORTED", "--beam", "2", "x"], "for --beam: the search of a SavedModel is fixed"),
        (["--model", "EXPORTED", "--n-best", "2", "x"], "for --n-best: the search of a SavedModel is fixed"),
    ],
)
def test_bad_options(options, message, model_dir, exported, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    models = {"MODEL": str(model_dir), "EXPORTED": str(exported)}
    assert run(*(models.get(option, option) for option in options)) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_model_is_refused(tmp_path, capsys):
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    assert run("--model", tmp_path / "other.keras", "x") == 1
    assert "Expected a Translator in" in capsys.readouterr().err
