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


def test_a_word_without_end_is_merged_in_parts(model, monkeypatch):
    """Merging takes time quadratic in the length."""
    merged, merge = [], BpeDropout._merged
    monkeypatch.setattr(
        BpeDropout, "_merged", lambda self, part, random: merged.append(len(part)) or merge(self, part, random)
    )
    text = "reddog" * 300
    (row,) = BpeDropout(model, 0.3)([text], seed=1)
    assert merged == [200] * 9 + [1]  # with the mark in front
    assert sentencepiece.SentencePieceProcessor(model_proto=model).decode(row) == text
    assert len(row) < len(text) / 1.5


def test_other_segmentations_of_the_same_texts(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    rows = BpeDropout(model, 0.3)(CORPUS, seed=1)
    assert [processor.decode(row) for row in rows] == CORPUS
    plain = processor.encode(CORPUS)
    assert sum(map(len, rows)) > 1.1 * sum(map(len, plain))
    assert any(a == b for a, b in zip(rows, plain))


def test_how_often_a_merge_is_skipped():
    """A word with one possible merge: it is missing from as many draws as the dropout says."""
    model = SubwordTokenizer.from_texts(["ab"] * 50 + ["a b"] * 50, 9, model_type="bpe").model
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    two = processor.encode("a")
    assert len(two) == 1  # "▁a" is a merge
    rows = BpeDropout(model, 0.5)(["a"] * 4000, seed=2)
    skipped = np.mean([row != two for row in rows])
    # 64 segmentations stand for the distribution: within three standard deviations of a half.
    assert abs(skipped - 0.5) < 3 * np.sqrt(0.25 / 64)


def test_is_a_function_of_the_seed(model):
    bpe = BpeDropout(model, 0.1)
    first = bpe(CORPUS[:50], seed=5)
    bpe(CORPUS[50:], seed=6)
    assert bpe(CORPUS[:50], seed=5) == first != bpe(CORPUS[:50], seed=7)


def test_is_the_same_in_every_process(model):
    """As it was when this was written: a training run that is resumed sees the same segmentations."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    rows = (BpeDropout(model, 0.3)(["red dog runs"], seed)[0] for seed in (1, 7))
    assert [processor.id_to_piece(row) for row in rows] == [
        ["▁red", "▁", "d", "o", "g", "▁runs"],
        ["▁", "re", "d", "▁", "d", "o", "g", "▁runs"],
    ]


def test_bad_arguments(model):
    with pytest.raises(ValueError, match=r"Expected a number in \[0, 1\). Received: dropout=1"):
        BpeDropout(model, 1)
    unigram = SubwordTokenizer.from_texts(CORPUS, 60).model
    with pytest.raises(ValueError, match="Expected a vocabulary of type bpe for BPE-dropout. Received: type unigram"):
        SubwordTokenizer(unigram).sample(["red"], 0.1, 1)


@pytest.mark.parametrize(
    "spec, option",
    [
        ("trainer_spec", "byte_fallback"),
        ("trainer_spec", "treat_whitespace_as_suffix"),
        ("normalizer_spec", "add_dummy_prefix"),
    ],
)
def test_vocabularies_with_other_options(model, spec, option):
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    spec = getattr(proto, spec)
    setattr(spec, option, not getattr(spec, option))
    with pytest.raises(
        ValueError, match=f"{option}={not getattr(spec, option)} for BPE.* Received: {option}={getattr(spec, option)}"
    ):
        BpeDropout(proto.SerializeToString(), 0.1)
