import pytest
from sacrebleu.metrics import BLEU, CHRF

from keras_transformer.evaluation import nearest_translation, worst_translations


def test_the_nearest_of_several():
    reference = "Two red birds sit on the house."
    hypotheses = [
        "Two birds sit on a house.",
        "Two red birds are sitting on the house.",
        "Two red birds sit on a house.",
    ]
    scores = [BLEU(effective_order=True).sentence_score(h, [reference]).score for h in hypotheses]
    assert scores[2] == max(scores) > scores[0]
    assert nearest_translation(hypotheses, reference) == hypotheses[2]
    assert nearest_translation(["x", "y"], reference) == "x"
    with pytest.raises(ValueError, match="at least one hypothesis"):
        nearest_translation([], reference)


def test_the_worst_come_first():
    hypotheses = ["a dog runs", "xyz", "two red birds", "", "one cat"]
    references = ["a dog runs", "the house", "two red bird", "green tree", "one cat"]
    worst = worst_translations(hypotheses, references, 3, sources=list("vwxyz"))
    assert [(s.line, s.source, s.reference, s.hypothesis) for s in worst] == [
        (2, "w", "the house", "xyz"),
        (4, "y", "green tree", ""),
        (3, "x", "two red bird", "two red birds"),
    ]
    assert [s.chrf for s in worst[:2]] == [0, 0] and 80 < worst[2].chrf < 100
    assert worst[2].chrf == CHRF().sentence_score("two red birds", ["two red bird"]).score
    assert worst[2].bleu == BLEU(effective_order=True).sentence_score("two red birds", ["two red bird"]).score
    assert len(worst_translations(hypotheses, references, 99)) == 5


def test_bad_input():
    with pytest.raises(ValueError, match="Received: hypotheses=1, references=1, sources=0"):
        worst_translations(["a"], ["a"], 1, sources=[])
    with pytest.raises(ValueError, match="Received: hypotheses=1, references=2"):
        worst_translations(["a"], ["a", "b"], 1)
    with pytest.raises(ValueError, match="Expected a positive integer. Received: count=0"):
        worst_translations(["a"], ["a"], 0)
