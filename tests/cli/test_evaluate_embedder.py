"""keras-transformer evaluate embedder, in this process."""

import dataclasses
import functools
import json

import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.cli.main import main
from keras_transformer.evaluation import cross_validate, score_retrieval, score_similarity, train_and_test
from keras_transformer.pipelines import truncated
from tests import made_data

FIRST, SECOND = made_data.sentences(40, seed=1), made_data.sentences(40, seed=2)
GOLD = [round(i % 11 / 2, 2) for i in range(40)]
LABELS = [["animal", "집"][i % 2] for i in range(40)]


def run(*arguments):
    return main(["evaluate", "embedder", *(str(argument) for argument in arguments)])


@pytest.fixture
def files(write_lines):
    return {
        "similarity": write_lines("sts.tsv", [f"{g}\t{a}\t{b}" for g, a, b in zip(GOLD, FIRST, SECOND)]),
        "classification": write_lines("labels.tsv.gz", [f"{label}\t{text}" for label, text in zip(LABELS, FIRST)]),
        "test": write_lines("test.tsv", [f"{label}\t{text}" for label, text in zip(LABELS, SECOND)]),
        "retrieval": write_lines("pairs.tsv", [f"{a}\t{b}" for a, b in zip(FIRST, SECOND)]),
    }


def shown_estimate(estimate):
    low, high = estimate.interval
    return f"{estimate.name:<17}{estimate.value:8.4f}   95% interval {low:.4f} to {high:.4f}\n"


def as_json(scores):
    return json.loads(json.dumps(dataclasses.asdict(scores)))


def test_every_measure(files, embedder_dir, embedder, tmp_path, capsys):
    both = [files["classification"], files["test"]]
    tasks = ("--similarity", files["similarity"], "--retrieval", files["retrieval"])
    tasks += ("--classification", files["classification"], "--classification", *both)
    assert run("--model", embedder_dir, *tasks, "--json", tmp_path / "scores.json", "--batch-size", 7) == 0
    shown = capsys.readouterr().out
    embed = functools.partial(embedder.embed, batch_size=7)
    similarity, retrieval = score_similarity(FIRST, SECOND, GOLD, embed), score_retrieval(FIRST, SECOND, embed)
    folds, given = cross_validate(FIRST, LABELS, embed), train_and_test(FIRST, LABELS, SECOND, LABELS, embed)

    assert shown.startswith(f"{embedder_dir}\nSimilarity, {files['similarity']}: 40 pairs\n")
    assert f"\nRetrieval, {files['retrieval']}: 40 pairs, 39 queries, 40 answers\n" in shown
    assert f"\nClassification, {files['classification']}: 40 texts, 2 labels, 10 folds\n" in shown
    assert f"\nClassification, {' '.join(both)}: 40 texts, 2 labels, trained on 40 others\n" in shown
    measures = similarity.cosine_pearson, similarity.angular_pearson, similarity.spearman
    for estimate in (*measures, folds.accuracy, given.accuracy):
        assert shown_estimate(estimate) in shown
    assert f"of each fold       {' '.join(f'{share:.3f}' for share in folds.fold_accuracies)}\n" in shown
    named = {"P@1": retrieval.precision_at_1, "MRR": retrieval.mean_reciprocal_rank}
    named.update({"MAP": retrieval.mean_average_precision, "nDCG@10": retrieval.ndcg_at_10})
    for name, value in {**named, "recall@5": retrieval.recall[5], "recall@10": retrieval.recall[10]}.items():
        assert f"  {name:<17}{value:8.4f}\n" in shown

    assert json.loads((tmp_path / "scores.json").read_text()) == {
        "model": str(embedder_dir),
        "similarity": [{"file": files["similarity"], **as_json(similarity)}],
        "classification": [
            {"files": both[:1], **as_json(folds)},
            {"files": both, **as_json(given)},
        ],
        "retrieval": [{"file": files["retrieval"], **as_json(retrieval)}],
    }


def test_the_first_numbers_alone(files, embedder_dir, embedder, tmp_path, capsys):
    assert (
        run("--model", embedder_dir, "--similarity", files["similarity"], "--truncate-dim", 3, "--json", tmp_path / "s")
        == 0
    )
    wanted = score_similarity(FIRST, SECOND, GOLD, lambda texts: truncated(embedder.embed(texts), 3))
    assert shown_estimate(wanted.cosine_pearson) in capsys.readouterr().out
    kept = json.loads((tmp_path / "s").read_text())
    assert kept["truncate_dim"] == 3 and kept["similarity"] == [{"file": files["similarity"], **as_json(wanted)}]
    assert run("--model", embedder_dir, "--similarity", files["similarity"], "--truncate-dim", 999) == 1
    assert "D at least 999" in capsys.readouterr().err


def test_an_export_is_as_good(files, embedder_dir, exported_embedder, tmp_path, capsys):
    for path in (embedder_dir, exported_embedder):
        assert run("--model", path, "--retrieval", files["retrieval"], "--similarity", files["similarity"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(embedder_dir) and lines[len(lines) // 2] == str(exported_embedder)
    for ours, theirs in zip(lines[1 : len(lines) // 2], lines[len(lines) // 2 + 1 :]):
        assert ours.split()[:2] == theirs.split()[:2]


class Constant(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return tf.ones([tf.size(texts), 3]) * 2


def test_what_is_not_defined_is_null(files, write_lines, tmp_path, capsys):
    tf.saved_model.save(Constant(), str(tmp_path / "saved"))
    pairs = write_lines("numbered.tsv", [f"question {i}\tanswer {i}" for i in range(40)])
    tasks = ("--similarity", files["similarity"], "--retrieval", pairs)
    assert run("--model", tmp_path / "saved", *tasks, "--json", tmp_path / "scores.json") == 0
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert kept["similarity"][0]["spearman"] == {"name": "Spearman", "value": None, "interval": [None, None]}
    assert kept["retrieval"][0]["mean_reciprocal_rank"] == pytest.approx(1 / 40)
    assert "Spearman              nan   95% interval nan to nan\n" in capsys.readouterr().out


def test_files_of_a_task_that_is_given_twice(files, embedder_dir, capsys):
    assert run("--model", embedder_dir, "--retrieval", files["retrieval"], "--retrieval", files["retrieval"]) == 0
    assert capsys.readouterr().out.count(f"Retrieval, {files['retrieval']}: ") == 2


def test_a_heat_map(embedder_dir, tmp_path, capsys, recwarn):
    path = tmp_path / "map.png"
    assert run("--model", embedder_dir, "--heat-map", path, "--text", "red dog", "blue house", "개") == 0
    assert len(np.unique(matplotlib.image.imread(path))) > 20
    assert capsys.readouterr().out == f"{embedder_dir}\nWrote {path}\n"
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "at least one of --similarity, --classification, --retrieval and --heat-map"),
        (["--similarity", "BAD"], "BAD, line 2: expected a number from 0 to 5. Received: score='6'"),
        (["--retrieval", "BAD"], "BAD, line 1: expected 2 columns (query, answer), separated by tabs. Received: 3"),
        (["--classification", "EMPTY"], "EMPTY, line 1: expected label, text. Received: an empty file"),
        (["--classification", "BAD", "BAD", "BAD"], "one or two files for a --classification. Received: BAD BAD BAD"),
        (["--heat-map", "map.png"], "both of --heat-map and --text"),
        (["--text", "a", "--similarity", "BAD"], "both of --heat-map and --text"),
        (["--similarity", "GOOD", "--batch-size", "0"], "--batch-size=0"),
        (["--similarity", "GOOD", "--truncate-dim", "0"], "--truncate-dim=0"),
        (
            ["--similarity", "GOOD"],
            "Expected an embedder: a .keras file or a SavedModel. Received: nowhere",
        ),
        (["--heat-map", "map.png", "--text", "a", "\udce9"], "--text 2: expected UTF-8. Received: byte 0xe9"),
        (["--similarity", "GOOD", "--heat-map", "GOOD", "--text", "a", "--overwrite"], "that is read. Received: GOOD"),
        (["--similarity", "GOOD", "--heat-map", "BAD", "--text", "a"], "Expected --heat-map not to exist, or --over"),
    ],
)
def test_bad_options(options, message, embedder_dir, write_lines, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, lines in (("GOOD", ["5\ta\tb"]), ("BAD", ["5\ta\tb", "6\ta\tb"]), ("EMPTY", [])):
        write_lines(name, lines)
    before = set(tmp_path.iterdir())
    model = "nowhere" if "nowhere" in message else embedder_dir
    assert run("--model", model, *options, "--json", "scores.json") == 1
    assert message in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before
