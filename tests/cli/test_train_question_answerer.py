import numpy as np
import pytest

import keras_transformer
from keras_transformer.cli.main import main
from keras_transformer.evaluation import score_answers
from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from tests import made_data

QUESTIONS, ANSWERS = made_data.pairs(24)
SMALL = ["--network-hidden-dim", "7", "--network-output-dim", "6", "--steps", "4", "--evaluation-steps", "2"]
AVERAGING = ["--encoder", "averaging", "--vocabulary-size", "1100", "--num-layers", "1", "--hidden-dim", "12"]


@pytest.fixture
def answers(write_lines):
    return write_lines("a.tsv", [f"{question}\t{answer}\tof {answer}" for question, answer in zip(QUESTIONS, ANSWERS)])


def run(*arguments):
    return main(["train", "question-answerer", *(str(argument) for argument in arguments)])


def test_trains_and_goes_on(answers, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--answers", answers, "--validation", answers, *AVERAGING, "--output-dim", 5, *SMALL, "--out", out]
    arguments += ["--batch-size", 4, "--scale", 10, "--margin", 0.1]
    assert run(*arguments) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("answers: 24 rows, ") and shown.endswith(f"Wrote {out / 'question_answerer.keras'}\n")
    assert "step 2 of 4: loss " in shown
    answerer = keras_transformer.load(out)
    assert isinstance(answerer.encoder.encoder, DeepAveragingNetwork)
    widths = [layer.kernel.shape for layer in answerer.encoder.networks]
    assert widths == [(5, 7), (7, 6), (10, 7), (7, 6)]
    history = (out / "history.csv").read_text().splitlines()
    best = max(float(row.split(",")[history[0].split(",").index("val_mean_reciprocal_rank")]) for row in history[1:])
    contexts = [f"of {answer}" for answer in ANSWERS]
    found = score_answers(answerer, QUESTIONS, ANSWERS, contexts).mean_reciprocal_rank
    assert len(history) == 3 and found == pytest.approx(best, abs=1e-6)

    assert run(*arguments) == 0
    assert "Nothing left to train: ended at step 4 of 4\n" in capsys.readouterr().out
    assert run(*arguments, "--scale", 20) == 1
    assert "task 1 objective scale=20.0 (not 10.0)" in capsys.readouterr().err


def test_starts_from_an_embedder(answers, embedder_dir, embedder, tmp_path):
    arguments = ["--answers", answers, "--embedder", embedder_dir, *SMALL, "--learning-rate", "1e-9"]
    assert run(*arguments, "--out", tmp_path) == 0
    encoder = keras_transformer.load(tmp_path).encoder.encoder
    assert isinstance(encoder, SentenceEncoder)
    for ours, theirs in zip(encoder.get_weights(), embedder.encoder.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_what_was_trained_is_exported(answers, tmp_path):
    assert run("--answers", answers, *AVERAGING, *SMALL, "--out", tmp_path / "out") == 0
    assert main(["export", "--model", str(tmp_path / "out"), "--out", str(tmp_path / "1")]) == 0
    saved, exported = keras_transformer.load(tmp_path / "out"), keras_transformer.load(tmp_path / "1")
    for name in ("embed_questions", "embed_responses"):
        np.testing.assert_allclose(getattr(exported, name)(QUESTIONS), getattr(saved, name)(QUESTIONS), atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--answers", "nowhere"], "Expected a text file. Received: nowhere"),
        (["--answers", "FILE", "--validation", "nowhere"], "Expected a text file. Received: nowhere"),
        (["--answers", "BAD"], "line 1: expected question, answer or question, answer, context"),
        (["--answers", "FILE", "--embedder", "nowhere"], "Expected a .keras file with an embedder. Received: nowhere"),
        (
            ["--answers", "FILE", "--embedder", "EMBEDDER", "--preset", "base", "--keep-case", "--num-layers", "2"],
            "Expected no --preset, --keep-case, --num-layers beside --embedder, which has an encoder",
        ),
        (["--answers", "FILE", "--embedder", "EMBEDDER", "--token-weights"], "Expected no --token-weights beside --em"),
        (["--answers", "FILE", "--encoder", "averaging", "--preset", "base"], "Received: --preset"),
        (["--answers", "FILE", *AVERAGING, "--patience", "2"], "Expected validation data for patience"),
        (["--answers", "FILE", *AVERAGING, "--network-output-dim", "0"], "output_dim=0"),
        (["--answers", "FILE", *AVERAGING, "--num-heads", "2"], "arguments of the encoder 'averaging'. Received: num_"),
    ],
)
def test_what_cannot_work_leaves_nothing(options, message, answers, write_lines, embedder_dir, tmp_path, capsys):
    names = {"FILE": answers, "BAD": write_lines("bad", ["one"]), "EMBEDDER": str(embedder_dir)}
    assert run(*(names.get(option, option) for option in options), "--out", tmp_path / "out") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_finished_one_without_its_checkpoint_is_not_overwritten(answers, tmp_path, capsys):
    (tmp_path / "question_answerer.keras").touch()
    assert run("--answers", answers, "--out", tmp_path) == 1
    assert "without a question_answerer.keras. Received: " in capsys.readouterr().err
