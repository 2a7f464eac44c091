"""The command line in this process: what it parses, what it prints, how it fails."""

import keras
import numpy as np
import pytest

from keras_transformer.cli import translate
from keras_transformer.cli.main import main
from keras_transformer.hub.loading import load_saved_model
from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.pipelines.pipeline import Pipeline
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture
def written(monkeypatch):
    """What would be exported: a list of (path, whether XLA compiles, options)."""
    calls = []

    def export(pipeline, path, **options):
        calls.append((path, getattr(pipeline, "xla", None), options))

    monkeypatch.setattr(Pipeline, "export", export)
    return calls


def test_exports_as_the_options_say(model_dir, embedder_dir, write_lines, written, tmp_path, capsys):
    out, texts, empty = str(tmp_path / "saved"), write_lines("texts", ["dog", "red cat"]), write_lines("empty", [])
    plain = {"frozen": False, "dtype": None}
    for options, is_compiled, wanted in [
        ([], False, plain),
        (["--xla"], True, plain),
        (["--no-xla"], False, plain),
        (["--warmup", texts, empty], False, {**plain, "warmup_texts": ["dog", "red cat"]}),
        (["--warmup", empty], False, {**plain, "warmup_texts": []}),
        (["--frozen", "--dtype", "bfloat16"], False, {"frozen": True, "dtype": "bfloat16"}),
        (
            ["--frozen", "--dtype", "int8", "--calibrate", texts],
            False,
            {"frozen": True, "dtype": "int8", "calibration_texts": ["dog", "red cat"]},
        ),
    ]:
        assert run("export", "--model", model_dir, "--out", out, *options) == 0
        assert written.pop() == (out, is_compiled, wanted)
        assert capsys.readouterr().out == f"Wrote {out}\n"
    assert run("export", "--model", embedder_dir, "--out", out, "--int8-embeddings") == 0
    assert written.pop() == (out, None, {**plain, "int8_embeddings": True}) and capsys.readouterr().out
    assert run("export", "--model", embedder_dir, "--out", out, "--truncate-dim", 3) == 0
    assert written.pop() == (out, None, plain) and capsys.readouterr().out
    assert run("export", "--model", model_dir, "--out", out, "--truncate-dim", 3) == 1
    assert "Expected an embedder with --truncate-dim" in capsys.readouterr().err
    assert run("export", "--model", embedder_dir, "--out", out, "--truncate-dim", 999) == 1
    assert "Received: truncate_dim=999" in capsys.readouterr().err
    assert run("export", "--model", embedder_dir, "--out", out, "--xla") == 1
    assert "Expected a translator with --xla" in capsys.readouterr().err
    (tmp_path / "saved").mkdir()
    assert run("export", "--model", model_dir, "--out", out) == 1
    assert "Expected --out not to exist. Received: " in capsys.readouterr().err
    assert written == []


def test_a_file_of_litert(embedder_dir, written, tmp_path, capsys):
    out = str(tmp_path / "encoder.tflite")
    assert run("export", "--model", embedder_dir, "--out", out, "--format", "litert", "--dtype", "float16") == 0
    assert written.pop() == (out, None, {"frozen": False, "dtype": "float16", "format": "litert"})
    assert run("export", "--model", embedder_dir, "--out", out, "--format", "litert", "--lengths", "16", "32") == 0
    assert written.pop() == (out, None, {"frozen": False, "dtype": None, "format": "litert", "lengths": [16, 32]})
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "folder", "--lengths", "16") == 1
    assert "Expected --format litert with --lengths" in capsys.readouterr().err
    capsys.readouterr()
    assert run("export", "--model", embedder_dir, "--out", out, "--format", "litert") == 0
    written.pop()
    assert capsys.readouterr().out == f"Wrote {out}\n"
    for options, message in [
        (["--dtype", "bfloat16"], "Expected float32, float16 or int8 for --dtype with --format litert"),
        (["--next-version"], "Expected no --next-version with --format litert"),
        (["--calibrate", "x"], "Expected no --calibrate with --format litert"),
        (["--no-xla"], "Expected no --xla with --format litert"),
        (["--lengths", "0"], "Expected a positive integer. Received: --lengths=0"),
    ]:
        assert run("export", "--model", embedder_dir, "--out", out, "--format", "litert", *options) == 1
        assert message in capsys.readouterr().err
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "folder", "--format", "litert") == 1
    assert "Expected a name that ends in .tflite for --out" in capsys.readouterr().err
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "folder", "--dtype", "float16") == 1
    assert "Expected --format litert with --dtype float16" in capsys.readouterr().err
    assert written == []


def test_the_lengths_of_a_translator(model_dir, embedder_dir, written, tmp_path, capsys):
    options = ["--format", "litert", "--max-source-length", "64", "--max-target-length", "32"]
    assert run("export", "--model", model_dir, "--out", tmp_path / "t.tflite", *options) == 0
    written.pop()
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "t.tflite", *options) == 1
    assert "Expected a translator with --max-source-length" in capsys.readouterr().err
    assert run("export", "--model", model_dir, "--out", tmp_path / "t.tflite", "--max-source-length", "0") == 1
    assert "Expected a positive integer. Received: --max-source-length=0" in capsys.readouterr().err


def test_a_calibration_needs_texts(embedder_dir, write_lines, tmp_path, capsys):
    options = ["--frozen", "--dtype", "int8", "--calibrate", write_lines("empty", [])]
    assert run("export", "--model", embedder_dir, "--out", tmp_path / "2", *options) == 1
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
    assert load_saved_model(path).variables == [] and not (path / "assets.extra").exists()


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
            "Expected no --vocabulary-size with --byte-level",
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
