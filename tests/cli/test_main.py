"""The command line in this process: what it parses, what it prints, how it fails."""

import keras
import numpy as np
import pytest

from keras_transformer.cli import translate
from keras_transformer.cli.main import main
from keras_transformer.pipelines.exported_embedder import ExportedEmbedder
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_exports(model_dir, tmp_path, capsys):
    assert run("export", "--model", model_dir, "--out", tmp_path / "saved") == 0
    assert (tmp_path / "saved" / "saved_model.pb").exists()
    assert run("export", "--model", model_dir, "--out", tmp_path / "saved") == 1
    assert "Expected --out not to exist. Received: " in capsys.readouterr().err


def test_exports_for_xla(model_dir, embedder_dir, write_lines, tmp_path, capsys):
    empty = write_lines("warmup", [])
    for option in ("--xla", "--no-xla"):
        assert run("export", "--model", model_dir, "--out", tmp_path / option, option, "--warmup", empty) == 0
    of_xla, plain = ((tmp_path / option / "saved_model.pb").read_bytes() for option in ("--xla", "--no-xla"))
    assert b"_XlaMustCompile" in of_xla and of_xla != plain
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "embedder", "--xla") == 1
    assert "Expected a translator with --xla" in capsys.readouterr().err


def test_exports_with_a_calibration(embedder_dir, embedder, write_lines, tmp_path, capsys):
    texts = write_lines("texts", made_data.sentences(20))
    options = ["--model", embedder_dir, "--frozen", "--warmup", write_lines("warmup", [])]
    assert run("export", *options, "--out", tmp_path / "1", "--dtype", "int8", "--calibrate", texts) == 0
    assert b"QuantizeV2" in (tmp_path / "1" / "saved_model.pb").read_bytes()
    np.testing.assert_allclose(ExportedEmbedder(tmp_path / "1")(["a dog", ""]), embedder(["a dog", ""]), atol=0.05)
    empty = write_lines("empty", [])
    assert run("export", *options, "--out", tmp_path / "2", "--dtype", "int8", "--calibrate", empty) == 1
    assert "Expected calibration_texts that are not all blank. Received: 0 texts" in capsys.readouterr().err
    assert not (tmp_path / "2").exists()


def test_exports_the_next_version(embedder_dir, embedder, write_lines, tmp_path, capsys):
    (tmp_path / "embedder" / "9").mkdir(parents=True)
    options = ["--frozen", "--dtype", "bfloat16", "--warmup", write_lines("warmup", [])]
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "embedder", "--next-version", *options) == 0
    path = tmp_path / "embedder" / "10"
    assert f"Wrote {path}" in capsys.readouterr().out
    exported = ExportedEmbedder(path)
    np.testing.assert_allclose(exported(["a dog", ""]), embedder(["a dog", ""]), atol=0.02)
    assert exported._root.variables == [] and not (path / "assets.extra").exists()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["export", "--model", "nowhere", "--out", "o"], "Received: nowhere"),
        (["export", "--model", "m", "--out", "o", "--warmup", "nowhere"], "Expected a text file. Received: nowhere"),
        (
            ["train", "translator", "--source", "nowhere", "--target", "t", "--out", "o"],
            "Expected a text file. Received: nowhere",
        ),
        (
            ["train", "translator", "--source", "s", "--target", "t", "--out", "o"] + ["--validation-source", "v"],
            "Expected both of --validation-source and --validation-target",
        ),
        (["train", "translator", "--source", "s", "--out", "o"], "Expected --source and --target, or --pairs"),
        (
            ["train", "translator", "--pairs", "p", "--target", "t", "--out", "o"],
            "Expected --pairs, or --source and --target. Received both",
        ),
        (
            [
                "train",
                "translator",
                "--pairs",
                "p",
                "--out",
                "o",
                "--validation-pairs",
                "v",
                "--validation-source",
                "s",
            ],
            "Expected --validation-pairs, or --validation-source and --validation-target. Received both",
        ),
        (
            ["train", "translator", "--pairs", "p", "--out", "o", "--byte-level", "--vocabulary-size", "100"],
            "Expected neither --vocabulary-size nor --subwords with --byte-level",
        ),
        (
            ["train", "translator", "--pairs", "p", "--out", "o", "--bleu-tokenize", "none"],
            "Expected --monitor bleu with --bleu-tokenize. Received: loss",
        ),
        (
            ["train", "translator", "--pairs", "p", "--out", "o", "--beam-size", "1", "--length-penalty", "1"],
            "Expected a --beam-size above 1 with --length-penalty",
        ),
    ],
)
def test_errors_go_to_standard_error(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_training_does_not_overwrite(model_dir, capsys):
    arguments = ["train", "translator", "--source", "s", "--target", "t", "--out", model_dir]
    assert run(*arguments) == 1
    assert "translator.keras exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        (["--epochs", "0"], "epochs=0"),
        (["--minutes", "0"], "minutes=0.0"),
        (["--max-length", "4000"], "Expected tokens_per_batch to hold"),
        (["--label-smoothing", "1"], "label_smoothing=1.0"),
        (["--max-length", "1"], "Expected training pairs within max_length. Received: all are left out"),
    ],
)
def test_training_that_cannot_work_leaves_nothing(options, message, write_lines, tmp_path, capsys):
    files = write_lines("s", made_data.sentences(200)), write_lines("t", made_data.sentences(200))
    fixed = ["train", "translator", "--source", files[0], "--target", files[1], "--out", str(tmp_path / "out")]
    assert main([*fixed, "--vocabulary-size", "30", *options]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_trains_on_bytes(write_lines, tmp_path):
    files = write_lines("s", made_data.sentences(60)), write_lines("t", made_data.sentences(60))
    fixed = ["train", "translator", "--source", files[0], "--target", files[1], "--out", str(tmp_path / "out")]
    assert main([*fixed, "--byte-level", "--num-layers", "1", "--epochs", "1", "--max-length", "64"]) == 0
    translator = keras.models.load_model(tmp_path / "out" / "translator.keras")
    assert type(translator.tokenizer) is ByteTokenizer
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "history.csv",
        "training-state",
        "translator.keras",
    ]


def test_trains_on_pairs_and_says_what_it_wrote(write_lines, tmp_path, capsys):
    lines = ["\t".join(pair) for pair in zip(*made_data.pairs(60))]
    files = ["--pairs", write_lines("a.tsv", lines[:30]), "--pairs", write_lines("b.tsv.gz", lines[30:])]
    arguments = ["train", "translator", *files, "--validation-pairs", write_lines("v.tsv", lines[:9]), "--out"]
    arguments += [str(tmp_path / "out"), "--num-layers", "1", "--epochs", "1", "--vocabulary-size", "40"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "60 pairs, 0 of them left out" in shown
    path = tmp_path / "out" / "translator.keras"
    assert "epoch 1 of 1, step " in shown and "val_loss" in shown and shown.endswith(f"Wrote {path}\n")
    assert "\x1b" not in shown and "\r" not in shown and "Unknown" not in shown
    trained = keras.models.load_model(path)
    pieces = trained.tokenizer.ids_to_pieces(list(range(trained.tokenizer.vocabulary_size))).numpy()
    sources, targets = made_data.pairs(60)
    of_files = SubwordTokenizer.from_texts([*sources, *targets], 40)
    np.testing.assert_array_equal(pieces, of_files.ids_to_pieces(list(range(of_files.vocabulary_size))).numpy())
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "Nothing left to train: ended at epoch 1 of 1, step " in shown
    assert shown.endswith(f"{path} stays as it is\n") and "Wrote" not in shown
    assert main([*arguments, "--label-smoothing", "0.2"]) == 1
    assert capsys.readouterr().err.endswith("Received: label_smoothing=0.2 (not 0.1)\n")


@pytest.mark.parametrize(
    "command, option",
    [
        (["train", "translator"], "--out"),
        (["train", "embedder"], "--out"),
        (["evaluate", "translator"], "--hypotheses"),
        (["evaluate", "embedder"], "--model"),
        (["translate"], "--output"),
        (["embed"], "--output"),
        (["export"], "--model"),
        (["convert", "folder"], "--out"),
    ],
)
def test_a_file_that_is_given_twice_is_not_dropped(command, option, capsys):
    with pytest.raises(SystemExit):
        main([*command, option, "a", option, "b"])
    assert f"argument {option}: expected once. Received: a and b" in capsys.readouterr().err


def test_starts_from_a_trained_model(model_dir, translator, write_lines, tmp_path, capsys):
    """A step too small to matter leaves its weights; dropout may be another."""
    files = write_lines("s", made_data.sentences(9)), write_lines("t", made_data.sentences(9))
    fixed = ["train", "translator", "--source", files[0], "--target", files[1], "--start-from", str(model_dir)]
    options = ["--epochs", "1", "--max-length", "64", "--learning-rate", "1e-9", "--dropout", "0.4"]
    assert main([*fixed, *options, "--out", str(tmp_path / "out")]) == 0
    trained = keras.models.load_model(tmp_path / "out" / "translator.keras")
    config = translator.transformer.get_config()
    assert trained.transformer.get_config() == {**config, "dropout": 0.4}
    for weight, start in zip(trained.transformer.weights, translator.transformer.weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), start.numpy(), atol=1e-6)
    for option, message in [
        ("--num-layers", "Expected no --num-layers beside --start-from"),
        ("--intermediate-dim", "or with more hidden units"),
    ]:
        assert main([*fixed, option, "3", "--out", str(tmp_path / "other")]) == 1
        assert message in capsys.readouterr().err
        assert not (tmp_path / "other").exists()


def test_starts_wider_than_a_trained_model(model_dir, translator, write_lines, tmp_path):
    """A step too small to matter leaves what it computes."""
    files = write_lines("s", made_data.sentences(9)), write_lines("t", made_data.sentences(9))
    fixed = ["train", "translator", "--source", files[0], "--target", files[1], "--start-from", str(model_dir)]
    width = translator.transformer.get_config()["intermediate_dim"] + 8
    options = ["--epochs", "1", "--max-length", "64", "--learning-rate", "1e-9", "--intermediate-dim", str(width)]
    assert main([*fixed, *options, "--out", str(tmp_path / "out")]) == 0
    trained = keras.models.load_model(tmp_path / "out" / "translator.keras")
    assert trained.transformer.count_params() > translator.transformer.count_params()
    batch = {"source_ids": np.array([[5, 6, 7, 3]]), "target_ids": np.array([[2, 5, 6]])}
    np.testing.assert_allclose(trained.transformer(batch), translator.transformer(batch), atol=1e-4)


def test_demo_in_small(tmp_path, monkeypatch, capfd):
    """All of the demo's steps; what it learns from so little is not looked at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "o" / "saved_model" / "1").mkdir(parents=True)  # as an earlier demo left it
    assert main(["demo", "--pairs", "600", "--epochs", "1", "--out", "o", "ko: Friday, May 5, 2000"]) == 0
    shown = capfd.readouterr().out
    assert "Held-out dates translated exactly: " in shown
    assert "  ko: Friday, May 5, 2000  ->  " in shown
    assert "  How old are you?  is  What is your age? (" in shown
    assert (tmp_path / "o" / "similarity.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "o" / "attention.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in (tmp_path / "o" / "saved_model").iterdir()) == ["1", "2"]
    assert (tmp_path / "o" / "saved_model" / "2" / "saved_model.pb").exists()


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(translate, "run", interrupted)
    assert main(["translate", "x"]) == 130
    assert capsys.readouterr().err == ""


COMMANDS = [
    "",
    "demo",
    "train",
    "train translator",
    "train embedder",
    "evaluate",
    "evaluate translator",
    "evaluate embedder",
    "translate",
    "attention",
    "embed",
    "export",
]


@pytest.mark.parametrize("command", [command.split() for command in COMMANDS])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([*command, "--help"])
    assert exit_.value.code == 0 and "usage: keras-transformer" in capsys.readouterr().out
