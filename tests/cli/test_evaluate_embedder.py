"""keras-transformer evaluate embedder, in this process."""

import base64
import dataclasses
import functools
import json
import re

import matplotlib.image
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.cli.embedder_measures import MEASURES
from keras_transformer.cli.main import main
from keras_transformer.data import read_beir, read_rows
from keras_transformer.evaluation import (
    cross_validate,
    score_alignment_uniformity,
    score_bitext,
    score_clustering,
    score_information_retrieval,
    score_retrieval,
    score_similarity,
    train_and_test,
)
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
        **{name: [] for name in MEASURES},
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


@pytest.fixture
def beir(write_lines):
    """Three files; the second query has the id, and the text, of a document."""
    queries = [json.dumps({"_id": f"q{i}", "text": text}) for i, text in enumerate(FIRST[:5])]
    queries.append(json.dumps({"_id": "d1", "text": SECOND[1]}))
    corpus = [json.dumps({"_id": f"d{i}", "text": text}) for i, text in enumerate(SECOND)]
    qrels = ["query-id\tcorpus-id\tscore", "d1\td3\t1", *(f"q{i}\td{i * 2}\t{1 + i % 2}" for i in range(5))]
    names = "queries.jsonl", "corpus.jsonl", "qrels.tsv"
    return [write_lines(name, lines) for name, lines in zip(names, (queries, corpus, qrels))]


@pytest.mark.parametrize("options", [[], ["--ignore-identical-ids"]])
def test_a_task_in_the_files_of_beir(beir, options, embedder_dir, embedder, tmp_path, capsys):
    assert run("--model", embedder_dir, "--beir", *beir, "--json", tmp_path / "scores.json", *options) == 0
    wanted = score_information_retrieval(*read_beir(*beir), embedder.embed, ignore_identical_ids=bool(options))
    assert wanted != score_information_retrieval(*read_beir(*beir), embedder.embed, ignore_identical_ids=not options)
    shown = capsys.readouterr().out
    assert f"\nRetrieval, {' '.join(beir)}: 6 queries, 40 documents, 6 relevant ones\n" in shown
    assert f"  nDCG@10          {wanted.ndcg[10]:8.4f}\n" in shown
    assert f"  MAP@100          {wanted.mean_average_precision[100]:8.4f}\n" in shown
    kept = json.loads((tmp_path / "scores.json").read_text())["beir"]
    assert kept == [{"files": beir, **as_json(wanted)}]


def test_queries_and_documents_have_their_prompts(beir, files, embedder, tmp_path):
    parts = embedder.encoder, embedder.tokenizer
    prompted = TextEmbedder(*parts, prompts={"query": "who? ", "passage": "what: "}, default_prompt="query")
    prompted.save(tmp_path / "embedder.keras")
    options = "--beir", *beir, "--retrieval", files["retrieval"]
    assert run("--model", tmp_path, *options, "--json", tmp_path / "scores.json") == 0
    kept = json.loads((tmp_path / "scores.json").read_text())
    sides = prompted.embed_queries, prompted.embed_documents
    wanted = score_information_retrieval(*read_beir(*beir), *sides)
    assert wanted != score_information_retrieval(*read_beir(*beir), embedder.embed)
    assert kept["beir"] == [{"files": beir, **as_json(wanted)}]
    columns = zip(*read_rows(files["retrieval"], ("query", "answer")))
    wanted = score_retrieval(*columns, sides[0], embed_answers=sides[1])
    assert kept["retrieval"] == [{"file": files["retrieval"], **as_json(wanted)}]


def test_clusters_and_translations(files, embedder_dir, embedder, tmp_path, capsys):
    tasks = "--clustering", files["classification"], "--bitext", files["retrieval"]
    assert run("--model", embedder_dir, *tasks, "--json", tmp_path / "scores.json", "--html", tmp_path / "a.html") == 0
    clusters, bitext = score_clustering(FIRST, LABELS, embedder.embed), score_bitext(FIRST, SECOND, embedder.embed)
    shown = capsys.readouterr().out
    assert f"Clustering, {files['classification']}: 40 texts, 2 labels, 10 runs\n" in shown
    assert f"  V-measure        {clusters.v_measure:8.4f}\n  homogeneity" in shown
    assert f"Bitext, {files['retrieval']}: 40 pairs, 39 and 40 sentences\n" in shown
    assert f"  accuracy back    {bitext.backward_accuracy:8.4f}\n" in shown
    assert f"  F1, mined        {bitext.f1:8.4f}\n" in shown
    kept = json.loads((tmp_path / "scores.json").read_text())
    assert kept["clustering"] == [{"file": files["classification"], **as_json(clusters)}]
    assert kept["bitext"] == [{"file": files["retrieval"], **as_json(bitext)}]
    assert (tmp_path / "a.html").read_text().count("<figcaption>") == 2


def test_alignment_and_uniformity(files, embedder_dir, embedder, capsys):
    assert run("--model", embedder_dir, "--alignment", files["similarity"]) == 0
    wanted = score_alignment_uniformity(FIRST, SECOND, embedder.embed, np.array(GOLD) > 4)
    shown = capsys.readouterr().out.splitlines()[1:]
    assert shown == [
        f"Alignment, {files['similarity']}: {wanted.num_pairs} pairs above 4, {wanted.num_texts} sentences",
        f"  alignment        {wanted.alignment:8.4f}",
        f"  uniformity       {wanted.uniformity:8.4f}",
    ]


def test_a_card_s_table_and_json(files, embedder_dir, embedder, tmp_path, capsys):
    tasks = "--similarity", files["similarity"], "--retrieval", files["retrieval"]
    assert run("--model", embedder_dir, *tasks, "--format", "markdown", "--json", tmp_path / "scores.json") == 0
    shown = capsys.readouterr()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown.out.splitlines()]
    wanted = score_similarity(FIRST, SECOND, GOLD, embedder.embed)
    title = f"Similarity, {files['similarity']}: 40 pairs"
    assert rows[0] == ["task", "measure", "figure", "95% interval"] and len(rows) == 2 + 3 + 6
    for row, estimate in zip(rows[2:], (wanted.cosine_pearson, wanted.angular_pearson, wanted.spearman)):
        low, high = estimate.interval
        assert row == [title, estimate.name, f"{estimate.value:.4f}", f"{low:.4f} to {high:.4f}"]
    assert f"Retrieval, {files['retrieval']}: " in shown.err
    assert run("--model", embedder_dir, *tasks, "--format", "json") == 0
    assert capsys.readouterr().out == (tmp_path / "scores.json").read_text()


def test_a_report_with_pictures(files, embedder_dir, embedder, tmp_path, capsys):
    tasks = "--similarity", files["similarity"], "--classification", files["classification"]
    tasks = *tasks, "--clustering", files["classification"]  # whose texts are on a map already
    options = "--html", tmp_path / "report.html", "--text", "red dog", "<b>"
    assert run("--model", embedder_dir, *tasks, *options) == 0
    shown, page = capsys.readouterr().out, (tmp_path / "report.html").read_text()
    assert shown.endswith(f"Wrote {tmp_path / 'report.html'}\n")
    figures = re.findall(r"^  (\S.*?) +([\d.]+)   95% interval (.*)$", shown, re.MULTILINE)
    cells = re.findall('<tr><td>(.*)</td><td class="number">(.*)</td><td>(.+)</td></tr>', page)
    assert cells == figures and len(cells) == 4
    drawn = [base64.b64decode(data).decode() for data in re.findall('data:image/svg\\+xml;base64,([^"]*)', page)]
    assert len(drawn) == 3 and all("<svg" in picture for picture in drawn)
    assert not re.search('(src|href)="(?!data:)', page) and "http" not in page
    captions = re.findall("<figcaption>(.*)</figcaption>", page)
    assert captions[0] == "Cosine similarity of the texts that were given"
    assert captions[1].startswith("Similarity, ") and captions[2].endswith(" all 40 texts")


def test_the_texts_of_a_report_without_texts(beir, embedder_dir, tmp_path):
    report = tmp_path / "report.html"
    assert run("--model", embedder_dir, "--beir", *beir, "--html", report) == 0
    assert "Cosine similarity of the first 6 texts" in report.read_text()


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


def test_a_folder_of_sts_files(embedder_dir, embedder, write_lines, tmp_path, capsys):
    write_lines("STS.input.a.txt", [f"{a}\t{b}" for a, b in zip(FIRST[:9], SECOND[:9])])
    write_lines("STS.gs.a.txt", list(map(str, GOLD[:9])))
    assert run("--model", embedder_dir, "--similarity", tmp_path, "--json", tmp_path / "scores.json") == 0
    wanted = score_similarity(FIRST[:9], SECOND[:9], GOLD[:9], embedder.embed)
    shown = capsys.readouterr().out
    assert f"Similarity, {tmp_path}: 9 pairs\n" in shown and shown_estimate(wanted.cosine_pearson) in shown
    options = "--similarity", tmp_path, "--json", tmp_path / "STS.gs.a.txt", "--overwrite"
    assert run("--model", embedder_dir, *options) == 1
    assert "no file that is read" in capsys.readouterr().err


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
        (
            [],
            "at least one of --similarity, --classification, --retrieval, --beir, --clustering, --bitext, ",
        ),
        (["--similarity", "BAD"], "BAD, line 2: expected a number from 0 to 5. Received: score='6'"),
        (["--retrieval", "BAD"], "BAD, line 1: expected 2 columns (query, answer), separated by tabs. Received: 3"),
        (["--classification", "EMPTY"], "EMPTY, line 1: expected label, text. Received: an empty file"),
        (["--classification", "BAD", "BAD", "BAD"], "one or two files for a --classification. Received: BAD BAD BAD"),
        (["--heat-map", "map.png"], "both of --heat-map and --text"),
        (["--text", "a", "--similarity", "BAD"], "Expected --text with --heat-map or --html only"),
        (["--beir", "GOOD"], "Expected a folder, or three files: queries, corpus, qrels. Received: GOOD"),
        (["--similarity", "GOOD", "--ignore-identical-ids"], "Expected --ignore-identical-ids with --beir only"),
        (["--similarity", "GOOD", "--html", "GOOD", "--overwrite"], "Expected --html to be no file that is read"),
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
