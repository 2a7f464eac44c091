import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from keras_transformer.evaluation import compare_translations, score_translations
from tests import made_data

REFERENCES = ["A dog runs, quickly.", "Two red birds sit on the house.", "One cat!", "The tree is very green."] * 5
FIRST = ["A dog runs quickly.", "Two birds are sitting on the house.", "a cat!", "The tree is very green."] * 5
SECOND = ["The dog ran.", "Two red birds sit on a house.", "One cat!", "Trees are green."] * 5


def test_a_score_by_hand():
    """Five of six words and three of five pairs match in the first sentence, all in the second."""
    hypotheses = ["the cat sat on a mat", "a dog"]
    scores = score_translations(hypotheses, ["the cat sat on the mat today", "a dog"], tokenize="none")
    assert (scores.num_sentences, scores.hypothesis_length, scores.reference_length) == (2, 8, 9)
    np.testing.assert_allclose(scores.precisions, [100 * 7 / 8, 100 * 4 / 6, 100 * 2 / 4, 100 * 1 / 3])
    assert scores.brevity_penalty == pytest.approx(math.exp(1 - 9 / 8))
    assert scores.bleu.score == pytest.approx(100 * math.exp(-1 / 8) * (7 / 8 * 4 / 6 * 2 / 4 * 1 / 3) ** 0.25)


@pytest.mark.parametrize("options", [{}, {"tokenize": "none"}, {"tokenize": "char", "lowercase": True}])
def test_scores_are_those_of_sacrebleu(options):
    scores = score_translations(FIRST, REFERENCES, **options)
    for ours, metric in (
        (scores.bleu, BLEU(**{"tokenize": "13a", **options})),
        (scores.chrf, CHRF(lowercase=options.get("lowercase", False))),
    ):
        theirs = metric.corpus_score(FIRST, [REFERENCES], n_bootstrap=1000)
        assert (ours.name, ours.score, ours.signature) == (theirs.name, theirs.score, str(metric.get_signature()))
        low, high = ours.interval
        assert f"{ours.score:.3f} (μ = {(low + high) / 2:.3f} ± {(high - low) / 2:.3f})" in theirs.format(width=3)


def test_a_perfect_system():
    scores = score_translations(REFERENCES, REFERENCES)
    assert scores.bleu.score == pytest.approx(100) and scores.brevity_penalty == 1
    np.testing.assert_allclose([scores.bleu.interval, scores.chrf.interval], 100, atol=1e-9)


def test_the_comparison_is_that_of_sacrebleu():
    comparison = compare_translations(FIRST, SECOND, REFERENCES, num_resamples=200)
    systems = [("first", FIRST), ("second", SECOND)]
    test = PairedTest(systems, {"BLEU": BLEU(), "chrF": CHRF()}, [REFERENCES], test_type="bs", n_samples=200)
    results = test()[1]
    assert comparison.p_values == {name: results[name][1].p_value for name in ("BLEU", "chrF2")}
    assert 0 < comparison.p_values["BLEU"] < 1
    assert comparison.systems == (
        score_translations(FIRST, REFERENCES, num_resamples=200),
        score_translations(SECOND, REFERENCES, num_resamples=200),
    )


def test_a_system_does_not_differ_from_itself():
    comparison = compare_translations(FIRST, FIRST, REFERENCES)
    assert comparison.p_values == {"BLEU": 1.0, "chrF2": 1.0}
    assert comparison.systems[0] == comparison.systems[1]


def test_a_clear_difference_is_no_chance():
    references = made_data.sentences(60)
    worse = [" ".join(reversed(line.split())) for line in references]
    comparison = compare_translations(references, worse, references)
    assert comparison.p_values["BLEU"] < 0.01
    assert comparison.systems[0].bleu.interval[0] > comparison.systems[1].bleu.interval[1]


def test_bad_input():
    counts = "Expected equally many of each, at least one. Received: "
    with pytest.raises(ValueError, match=f"{counts}hypotheses=1, references=2"):
        score_translations(["a"], ["a", "b"])
    with pytest.raises(ValueError, match=f"{counts}first=1, second=2, references=1"):
        compare_translations(["a"], ["a", "b"], ["a"])
    with pytest.raises(ValueError, match=f"{counts}hypotheses=0, references=0"):
        score_translations([], [])
    with pytest.raises(ValueError, match="'13a'.*Received: tokenize='13b'"):
        score_translations(["a"], ["a"], tokenize="13b")
    with pytest.raises(ValueError, match="Expected a positive integer. Received: num_resamples=0"):
        score_translations(["a"], ["a"], num_resamples=0)
