import keras
import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.cli.main import main
from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data

SMALL = ["--num-layers", "1", "--hidden-dim", "12", "--output-dim", "6", "--steps", "6", "--evaluation-steps", "3"]


@pytest.fixture
def files(write_lines):
    """Files of every kind, by the names of their options."""
    first, second = made_data.pairs(40)
    labels = ["entailment", "neutral", "contradiction", "entailment"] * 10
    rows = {
        "paraphrases": zip(first, second, first[::-1]),
        "ranking": zip(first, second),
        "inference": zip(labels, first, second),
        "entailment": zip(labels, first, second),
        "similarity": zip(map(str, np.linspace(0, 5, 40)), first, second),
        "neighbours": zip(first),
    }
    return {name: write_lines(f"{name}.tsv", ["\t".join(row) for row in lines]) for name, lines in rows.items()}


def options_of(files):
    return [text for name, path in files.items() for text in (f"--{name}", path)]


def test_every_task_at_once(files, tmp_path, write_lines, capsys):
    np.save(tmp_path / "t.npy", np.random.RandomState(0).normal(size=(9, 4)).astype("float32"))
    np.save(tmp_path / "u.npy", np.random.RandomState(1).normal(size=(5, 3)).astype("float32"))
    files = {**files, "denoising": write_lines("denoising.tsv", made_data.pairs(40)[0])}
    teacher = ["--teacher", write_lines("t.txt", made_data.sentences(9)), str(tmp_path / "t.npy")]
    teacher += ["--teacher", write_lines("u.txt", made_data.sentences(5)), str(tmp_path / "u.npy")]
    twice = ["--similarity", files["similarity"], "--validation", files["similarity"]]  # beside the other ones
    arguments = [
        "train", "embedder", *options_of(files), *teacher, *twice, "--weights", "teacher=2", "--weights", "teacher2=3",
        "--validation", files["similarity"], "--batch-size", "4",
        "--ranking-batch-size", "6", "--response-network", "8", "--similarity-loss", "correlation",
        "--teacher-similarities", "2", "--teacher-prefixes", "2", "--teacher-prefixes", "5",
        "--vocabulary-size", "40",
        "--num-heads", "2", "--intermediate-dim", "14", "--token-weights", *SMALL, "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    for name in (*files, "teacher", "teacher2"):
        rows = {"similarity": 80, "teacher": 9, "teacher2": 5, "neighbours": 39}.get(name, 40)
        assert f"{name}: {rows} rows" in shown or name == "entailment"
    assert "step 3 of 6: loss " in shown and shown.endswith(f"Wrote {tmp_path / 'out' / 'embedder.keras'}\n")
    embedder = keras.models.load_model(tmp_path / "out" / "embedder.keras")
    assert isinstance(embedder.encoder, SentenceEncoder)
    assert embedder.encoder.get_config()["token_weights"]
    first, second, nothing = embedder.embed(["red dog", "RED Dog", ""])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(nothing, np.zeros(6))
    assert main(arguments) == 0  # a finished one is not repeated
    shown = capsys.readouterr().out
    assert "Nothing left to train: ended at step 6 of 6\n" in shown and "Wrote" not in shown
    assert main([*arguments, "--scale", "10"]) == 1
    assert "objective scale=10.0 (not 20.0); " in capsys.readouterr().err
    assert main([*arguments, "--teacher-similarities", "3"]) == 1
    assert "objective similarities=3.0 (not 2.0); " in capsys.readouterr().err
    assert main([*arguments, "--teacher-prefixes", "3"]) == 1
    assert "objective prefixes=[2, 5, 3] (not [2, 5]); " in capsys.readouterr().err
    history = (tmp_path / "out" / "history.csv").read_text()
    assert history.count("\n") == 3 and "val_pearson" in history


def test_other_objectives(files, tmp_path, write_lines, capsys):
    first, second = made_data.pairs(40)
    rows = {
        "triplets": zip(first, second, second[::-1]),
        "classes": zip(["a", "b"] * 20, first),
        "matches": zip(["1", "0"] * 20, first, second),
        "candidates": zip(["7"] * 40, ["-1"] * 40, first, second, second[::-1]),
        "sentences": zip(first),
    }
    files = {name: files[name] for name in ("ranking", "similarity")}
    files.update((name, write_lines(f"{name}.tsv", map("\t".join, lines))) for name, lines in rows.items())
    small = ["--encoder", "averaging", "--vocabulary-size", "1100", *SMALL]
    guide = TextEmbedder(DeepAveragingNetwork(260, 0, 1, 6, output_dim=5), ByteTokenizer())
    guide.save(tmp_path / "guide.keras")
    arguments = [
        "train", "embedder", *options_of(files), *small, "--steps", "3", "--guide", str(tmp_path / "guide.keras"),
        "--guide-margin", "0.1", "--similarity-loss", "cosent", "--matches-loss", "online", "--triplet-margin", "0.3",
        "--mining", "hard", "--candidates-loss", "distribution", "--candidates-scale", "9", "--matryoshka", "3",
        "--no-duplicates", "--batch-size", "8", "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert all(f"{name}: 40 rows" in shown for name in files) and "Wrote" in shown
    assert main([*arguments, "--guide-margin", "0.2", "--mining", "all", "--similarity-loss", "angle"]) == 1
    shown = capsys.readouterr().err
    for message in ("margin=0.2 (not 0.1)", 'mining="all" (not "hard")', 'class_name="AnglE" (not "CoSENT")'):
        assert f"objective {message}" in shown or f"objective config {message}" in shown


def test_keeps_the_case(files, tmp_path):
    arguments = ["train", "embedder", "--neighbours", files["neighbours"], "--keep-case", *SMALL]
    assert main([*arguments, "--vocabulary-size", "40", "--preset", "tiny", "--out", str(tmp_path / "out")]) == 0
    embedder = keras.models.load_model(tmp_path / "out" / "embedder.keras")
    assert np.abs(embedder.embed(["red dog"]) - embedder.embed(["RED Dog"])).max() > 1e-3


def test_an_averaging_encoder(files, tmp_path):
    arguments = ["train", "embedder", "--encoder", "averaging", "--paraphrases", files["paraphrases"], *SMALL]
    arguments += ["--dtype", "mixed_float16", "--distribution", "none"]
    assert main([*arguments, "--vocabulary-size", "1100", "--out", str(tmp_path / "out")]) == 0
    embedder = keras.models.load_model(tmp_path / "out" / "embedder.keras")
    assert isinstance(embedder.encoder, DeepAveragingNetwork)
    assert embedder.tokenizer.vocabulary[:1]
    assert np.isfinite(embedder.embed(made_data.sentences(5))).all()


def test_begins_with_the_least_squares_solution(tmp_path, write_lines, capsys):
    """Of subwords, whose vectors the teacher adds up; training leaves these embeddings alone."""
    texts = list(dict.fromkeys(made_data.sentences(200)))
    path = write_lines("t.txt", texts)
    arguments = ["train", "embedder", "--encoder", "averaging", "--subwords", "unigram", "--vocabulary-size", "40"]
    arguments += ["--token-weights", "--num-bigram-buckets", "0", "--teacher", path, str(tmp_path / "t.npy"), *SMALL]
    arguments += ["--warmup-steps", "1", "--learning-rate", "1e-3", "--out", str(tmp_path / "out")]
    vectors_of_words = dict(zip(sorted({word for text in texts for word in text.split()}), np.eye(99, 6) + 0.1))
    wanted = np.stack([sum(vectors_of_words[word] for word in text.split()) for text in texts])
    np.save(tmp_path / "t.npy", wanted)
    assert main([*arguments, "--least-squares-start"]) == 0
    embedder = keras.models.load_model(tmp_path / "out" / "embedder.keras")
    assert isinstance(embedder.tokenizer, SubwordTokenizer)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    pairs = np.triu_indices(len(texts), 1)
    assert np.corrcoef(embedder.similarity(texts, texts, "cosine")[pairs], (wanted @ wanted.T)[pairs])[0, 1] > 0.9
    table = embedder.encoder.token_embedding
    assert table.trainable
    used = np.setdiff1d(embedder.tokenizer(texts), [embedder.tokenizer.padding_id])
    np.testing.assert_allclose(np.linalg.norm(table.embedding.embeddings, axis=1)[used], 1.0, atol=1e-5)
    capsys.readouterr()
    assert main(arguments) == 1
    assert "least_squares_start=false (not true)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        ([], "Expected at least one task of --paraphrases"),
        (["--neighbours", "nowhere"], "Expected a text file. Received: nowhere"),
        (["--neighbours", "FILE", "--weights", "neighbours"], "Expected --weights TASK=NUMBER. Received: neighbours"),
        (
            ["--neighbours", "FILE", "--weights", "teacher=1"],
            r"tasks that are given, ['neighbours']. Received: teacher=1",
        ),
        (
            ["--neighbours", "FILE", "--weights", "neighbours=1", "--weights", "neighbours=2"],
            "Expected one weight of each task. Received: neighbours=1 and neighbours=2",
        ),
        (["--teacher", "FILE", "v.npy", "--margin", "0.1"], "--sentences with --margin. Received: ['teacher']"),
        (
            ["--paraphrases", "FILE", "--response-network", "8"],
            "Expected one of --ranking, --neighbours with --response-network. Received: ['paraphrases']",
        ),
        (["--neighbours", "FILE", "--patience", "2"], "Expected validation data for patience. Received: patience=2"),
        (["--similarity", "FILE"], "line 1: expected 3 columns (score, sentence1, sentence2)"),
        (["--neighbours", "FILE", "--learning-rate", "0"], "learning_rate=0"),
        (["--neighbours", "FILE", "--mining", "hard"], "Expected --classes with --mining. Received: ['neighbours']"),
        (["--classes", "FILE", "--no-duplicates"], "--sentences with --no-duplicates. Received: ['classes']"),
        (["--ranking", "FILE", "--prompts", "quer=q: "], "query, document, passage, corpus. Received: quer=q: "),
        (["--sentences", "FILE", "--guide", "m"], "--neighbours with --guide. Received: ['sentences']"),
        (["--neighbours", "FILE", "--guide", "nowhere"], "nowhere"),
        (["--neighbours", "FILE", "--guide-margin", "0.1"], "Expected --guide with --guide-margin"),
        (["--neighbours", "FILE", "--guide", "m", "--margin", "0.1"], "Expected no --margin beside --guide"),
        (["--teacher", "FILE", "v.npy", "--matryoshka", "2"], "other tasks for --matryoshka"),
        (["--neighbours", "FILE", "--similarity-loss", "correlation"], "Expected --similarity with --similarity-loss"),
        (["--neighbours", "FILE", "--encoder", "averaging", "--keep-case"], "Received: --keep-case"),
        (
            ["--neighbours", "FILE", "--encoder", "averaging", "--byte-fallback"],
            "no byte_fallback with encoder='averaging'",
        ),
        (["--neighbours", "FILE", "--teacher-similarities", "2"], "Expected --teacher with --teacher-similarities"),
        (
            ["--teacher", "FILE", "v.npy", "--teacher-prefixes", "2"],
            "Expected --teacher-similarities above 0 with --teacher-prefixes. Received: 0",
        ),
        (["--neighbours", "FILE", "--encoder", "averaging", "--preset", "base"], "Received: --preset"),
        (
            ["--neighbours", "FILE", "--encoder", "averaging", "--subwords", "bpe", "--byte-fallback"],
            "no byte_fallback with encoder='averaging'",
        ),
        (
            ["--neighbours", "FILE", "--least-squares-start", "--token-weights"],
            "Expected --teacher and --token-weights",
        ),
        (["--teacher", "FILE", "v.npy", "--least-squares-start"], "Expected --teacher and --token-weights"),
        (["--neighbours", "FILE", "--subwords", "bpe", "--token-weights"], "Expected --subwords unigram"),
        (
            ["--neighbours", "FILE", "--encoder", "averaging", "--vocabulary-size", "1100", "--num-heads", "2"],
            "Expected arguments of the encoder 'averaging'. Received: num_heads",
        ),
    ],
)
def test_what_cannot_work_leaves_nothing(options, message, write_lines, tmp_path, capsys):
    path = write_lines("lines", made_data.sentences(9))
    options = [path if option == "FILE" else option for option in options]
    assert main(["train", "embedder", *options, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
