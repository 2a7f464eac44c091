import dataclasses
import json

import pytest

from keras_transformer.cli.main import main
from keras_transformer.evaluation import score_answers
from tests import made_data

QUESTIONS, ANSWERS = made_data.pairs(12)
CONTEXTS = made_data.sentences(12, seed=3)


def run(*arguments):
    return main(["evaluate", "question-answerer", *(str(argument) for argument in arguments)])


@pytest.fixture
def files(write_lines):
    """One with contexts and one without."""
    rows = zip(QUESTIONS, ANSWERS, CONTEXTS), zip(QUESTIONS, ANSWERS)
    return [write_lines(f"{number}.tsv", map("\t".join, lines)) for number, lines in enumerate(rows)]


def test_a_keras_file_and_its_export(
    files, question_answer_embedder, exported_question_answer_embedder, tmp_path, capsys
):
    question_answer_embedder.save(tmp_path / "question_answerer.keras")
    wanted = [score_answers(question_answer_embedder, QUESTIONS, ANSWERS, contexts) for contexts in (CONTEXTS, None)]
    for model in (tmp_path, exported_question_answer_embedder):
        assert run("--model", model, "--answers", *files, "--json", tmp_path / "f.json", "--overwrite") == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f"{model}\nRetrieval, {files[0]}: 12 pairs, ")
        for path, scores in zip(files, wanted):
            named = {"P@1": scores.precision_at_1, "MRR": scores.mean_reciprocal_rank, "recall@5": scores.recall[5]}
            of_file = shown.split(f"Retrieval, {path}: ")[1]
            assert all(f"  {name:<17}{value:8.4f}\n" in of_file for name, value in named.items())
        figures = [json.loads(json.dumps(dataclasses.asdict(scores))) for scores in wanted]
        assert json.loads((tmp_path / "f.json").read_text()) == {
            "model": str(model),
            "answers": [{"file": path, **scores} for path, scores in zip(files, figures)],
        }


@pytest.mark.parametrize(
    "options, message",
    [
        (["--model", "MODEL", "--answers", "BAD"], "BAD, line 2: expected 2 columns (question, answer)"),
        (["--model", "nowhere", "--answers", "GOOD"], "Expected a question answerer: a .keras file or a SavedModel. "),
        (["--model", "MODEL", "--answers", "GOOD", "--batch-size", "0"], "--batch-size=0"),
        (["--model", "MODEL", "--answers", "GOOD", "--json", "BAD"], "Expected --json not to exist, or --overwrite"),
        (["--model", "OTHER", "--answers", "GOOD"], "question_encoder"),
    ],
)
def test_bad_options(
    options, message, exported_embedder, exported_question_answer_embedder, write_lines, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name, lines in (("GOOD", ["a\tb"]), ("BAD", ["a\tb", "a"])):
        write_lines(name, lines)
    models = {"MODEL": exported_question_answer_embedder, "OTHER": exported_embedder}
    assert run(*(models.get(option, option) for option in options)) == 1
    assert message in capsys.readouterr().err
