import subprocess
import sys

import numpy as np
import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2

from keras_transformer.text import SubwordTokenizer
from keras_transformer.text.bpe_dropout import BpeDropout
from tests import made_data

CORPUS = made_data.sentences(400)
NASTY = ["", "  ", "red  dog", "日本語 red日x", "日本", "\t blue", "runs!", "ﬁve houses"]


@pytest.fixture(scope="module")
def model():
    return SubwordTokenizer.from_texts(CORPUS, 60, model_type="bpe").model


def test_without_dropout_it_is_sentencepiece(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert BpeDropout(model, 0.0)(CORPUS + NASTY, seed=1) == processor.encode(CORPUS + NASTY)


def test_a_word_without_end_is_merged_in_parts(model):
    """Whole it takes time quadratic in its length, 64 times."""
    text = "reddog" * 50_000
    (row,) = BpeDropout(model, 0.3)([text], seed=1)
    assert sentencepiece.SentencePieceProcessor(model_proto=model).decode(row) == text
    assert len(row) < len(text) / 1.5


def test_other_segmentations_of_the_same_texts(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    rows = BpeDropout(model, 0.3)(CORPUS, seed=1)
    assert [processor.decode(row) for row in rows] == CORPUS
    plain = processor.encode(CORPUS)
    assert sum(map(len, rows)) > 1.1 * sum(map(len, plain))
    assert any(a == b for a, b in zip(rows, plain))


def test_how_often_a_merge_is_left_out():
    """A word with one possible merge: it is missing from as many draws as the dropout says."""
    model = SubwordTokenizer.from_texts(["ab"] * 50 + ["a b"] * 50, 9, model_type="bpe").model
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    two = processor.encode("a")
    assert len(two) == 1  # "▁a" is a merge
    rows = BpeDropout(model, 0.5)(["a"] * 4000, seed=2)
    left_out = np.mean([row != two for row in rows])
    # 64 segmentations stand for the distribution: within three standard deviations of a half.
    assert abs(left_out - 0.5) < 3 * np.sqrt(0.25 / 64)


def test_is_a_function_of_the_seed_in_any_process(model, tmp_path):
    bpe = BpeDropout(model, 0.1)
    first = bpe(CORPUS[:50], seed=5)
    bpe(CORPUS[50:], seed=6)
    assert bpe(CORPUS[:50], seed=5) == first != bpe(CORPUS[:50], seed=7)
    (tmp_path / "model").write_bytes(model)
    script = (
        "import sys; from keras_transformer.text.bpe_dropout import BpeDropout; from tests.text.test_bpe_dropout "
        "import CORPUS; print(BpeDropout(open(sys.argv[1], 'rb').read(), 0.1)(CORPUS[:50], seed=5))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "model"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == str(first)


def test_bad_arguments(model):
    with pytest.raises(ValueError, match="dropout=1"):
        BpeDropout(model, 1)
    unigram = SubwordTokenizer.from_texts(CORPUS, 60).model
    with pytest.raises(ValueError, match="type bpe"):
        BpeDropout(unigram, 0.1)
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    proto.normalizer_spec.add_dummy_prefix = False
    with pytest.raises(ValueError, match="add_dummy_prefix=False"):
        BpeDropout(proto.SerializeToString(), 0.1)
    with pytest.raises(ValueError, match="type bpe"):
        SubwordTokenizer(unigram).sample(["red"], 0.1, 1)
