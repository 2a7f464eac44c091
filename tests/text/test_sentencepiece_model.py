import io

import numpy as np
import pytest
import sentencepiece
import tensorflow as tf

from keras_transformer.text.sentencepiece_model import load_processor, sentencepiece_tokenizer, without_paths
from tests.made_data import sentences

CORPUS = sentences(300)


def train(texts, **options):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=30,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def model():
    return train(CORPUS)


def test_ids_and_pieces_are_those_of_the_library(model):
    processor = load_processor(model)
    ids = sentencepiece_tokenizer(model, tf.int32).tokenize(CORPUS)
    assert ids.to_list() == processor.encode(CORPUS)
    pieces = sentencepiece_tokenizer(model, tf.string).tokenize(CORPUS)
    assert [[piece.decode() for piece in row] for row in pieces.to_list()] == processor.encode(CORPUS, out_type=str)


@pytest.mark.parametrize("model", [b"junk", b""])
def test_not_a_model(model):
    with pytest.raises(ValueError, match="Expected a serialized SentencePiece model"):
        load_processor(model)


def test_survives_a_new_random_seed(model):
    """tf.random.set_seed clears TensorFlow's kernels, and what tensorflow_text keeps in them."""
    tokenizer = sentencepiece_tokenizer(model, tf.int32)
    graph = tf.function(lambda texts: tokenizer.tokenize(texts).values)
    before = graph(tf.constant(CORPUS)).numpy()
    tf.random.set_seed(5)
    np.testing.assert_array_equal(tokenizer.tokenize(CORPUS).values, before)
    np.testing.assert_array_equal(graph(tf.constant(CORPUS)), before)
    other = sentencepiece_tokenizer(train(["other words"] * 9), tf.int32)
    tf.random.set_seed(6)
    assert other.detokenize(other.tokenize(["words"])).numpy() == [b"words"]
    np.testing.assert_array_equal(tokenizer.tokenize(CORPUS).values, before)


def test_paths_of_training_are_removed(model, tmp_path):
    (tmp_path / "corpus.txt").write_text("\n".join(CORPUS))
    (tmp_path / "rules.tsv").write_text("61\t62\n")  # a becomes b
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "corpus.txt"), model_prefix=str(tmp_path / "m"), vocab_size=30, hard_vocab_limit=False,
        normalization_rule_tsv=str(tmp_path / "rules.tsv"), minloglevel=2,
    )  # fmt: skip
    trained = (tmp_path / "m.model").read_bytes()
    cleaned = without_paths(trained)
    for name in (b"corpus.txt", b"rules.tsv", str(tmp_path / "m").encode()):
        assert name in trained and name not in cleaned
    texts = [*CORPUS, "a cat, ａ １", "漢"]
    assert load_processor(cleaned).encode(texts) == load_processor(trained).encode(texts)
    assert without_paths(cleaned) == cleaned
