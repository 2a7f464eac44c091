"""Corpus scores of translations: BLEU and chrF by sacrebleu, with bootstrap intervals and signatures."""

import dataclasses
from collections.abc import Mapping, Sequence

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import check_counts
from keras_transformer.evaluation.sacrebleu_metrics import bleu, chrf


@dataclasses.dataclass(frozen=True)
class MetricScore:
    """The score of a system in one metric.

    Attributes:
        name: "BLEU" or "chrF2".
        score: from 0 to 100.
        interval: (low, high), the 95% confidence interval: the mean of the bootstrap resamples, plus and minus half
            the width of their middle 95%.
        signature: sacrebleu's record of the options and version, with which others can reproduce the score.

    Example:
        >>> from keras_transformer.evaluation import score_translations
        >>> bleu = score_translations(["a red dog runs"], ["a red dog runs"], num_resamples=10).bleu
        >>> f"{bleu.name} {bleu.score:.1f}"
        'BLEU 100.0'
        >>> bleu.signature
        'nrefs:1|bs:10|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:...'
    """

    name: str
    score: float
    interval: tuple[float, float]
    signature: str


@dataclasses.dataclass(frozen=True)
class TranslationScores:
    """The scores of a system.

    Attributes:
        num_sentences: number of sentences.
        bleu: a `MetricScore`.
        chrf: a `MetricScore`.
        precisions: of the n-grams of 1 to 4 tokens, in percent.
        brevity_penalty: BLEU's factor for translations that are shorter than the references; 1 for none.
        hypothesis_length: number of tokens of the translations.
        reference_length: number of tokens of the references.

    Example:
        >>> from keras_transformer.evaluation import score_translations
        >>> scores = score_translations(["a dog runs"], ["a dog runs"])
        >>> scores.num_sentences, scores.hypothesis_length, scores.brevity_penalty
        (1, 3, 1.0)
    """

    num_sentences: int
    bleu: MetricScore
    chrf: MetricScore
    precisions: tuple[float, ...]
    brevity_penalty: float
    hypothesis_length: int
    reference_length: int


@dataclasses.dataclass(frozen=True)
class TranslationComparison:
    """The scores of two systems on the same sentences.

    Attributes:
        systems: (first, second), a `TranslationScores` each.
        p_values: {"BLEU": p, "chrF2": p}, of the paired bootstrap test: the probability of a difference as large as the
            observed one if the systems are equally good. 1 if the scores are equal.

    Example:
        >>> from keras_transformer.evaluation import compare_translations
        >>> compare_translations(["a dog"], ["a dog"], ["a dog"]).p_values
        {'BLEU': 1.0, 'chrF2': 1.0}
    """

    systems: tuple[TranslationScores, TranslationScores]
    p_values: dict[str, float]


def score_translations(
    hypotheses: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    lowercase: bool = False,
    num_resamples: int = 1000,
) -> TranslationScores:
    """Scores a system.

    The bootstrap takes about 100 bytes of memory for each sentence and resample. Its seed is fixed: sacrebleu's, which
    the environment variable SACREBLEU_SEED changes.

    Args:
        hypotheses: the translations.
        references: a reference translation of each.
        tokenize: sacrebleu's tokenizer for BLEU: "13a" for raw text of most languages, "zh", "ja-mecab", "ko-mecab",
            "char", "intl", or "none" for tokenized text.
        lowercase: whether to ignore case.
        num_resamples: number of bootstrap resamples.

    Returns:
        A `TranslationScores`.

    Raises:
        ValueError: if there are no sentences, the lists differ in length, or sacrebleu does not have the tokenizer.
        ImportError: if sacrebleu (`pip install keras-transformer-layers[evaluation]`), or what the tokenizer needs, is
            not installed.

    Example:
        >>> from keras_transformer.evaluation import score_translations
        >>> scores = score_translations(["A red dog runs.", "One cat!"], ["The red dog runs.", "One cat!"])
        >>> f"{scores.bleu.score:.1f}"
        '72.3'

    References:
        Post, 2018, "A Call for Clarity in Reporting BLEU Scores"; Popović, 2015, "chrF"; Koehn, 2004, "Statistical
        Significance Tests for Machine Translation Evaluation".
    """
    return _paired_test({"hypotheses": hypotheses}, references, tokenize, lowercase, num_resamples)[0][0]


def compare_translations(
    first: Sequence[str],
    second: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    lowercase: bool = False,
    num_resamples: int = 1000,
) -> TranslationComparison:
    """Scores two systems and tests whether they differ, by paired bootstrap resampling.

    Args:
        first: the translations of one system.
        second: the translations of the other.
        references: a reference translation of each.
        tokenize: as for `score_translations`.
        lowercase: whether to ignore case.
        num_resamples: number of bootstrap resamples.

    Returns:
        A `TranslationComparison`.

    Raises:
        ValueError: as `score_translations`.
        ImportError: as `score_translations`.
    """
    named = {"first": first, "second": second}
    systems, p_values = _paired_test(named, references, tokenize, lowercase, num_resamples)
    return TranslationComparison(tuple(systems), p_values)


def _paired_test(
    systems: Mapping[str, Sequence[str]], references: Sequence[str], tokenize: str, lowercase: bool, num_resamples: int
) -> tuple[list[TranslationScores], dict[str, float]]:
    """The scores of each system, and the p-values {metric: p} of the first two."""
    arguments.positive_integer("num_resamples", num_resamples)
    check_counts(**systems, references=references)
    cached = {"lowercase": lowercase, "references": [references]}
    # `force` silences sacrebleu's warning of text that looks tokenized.
    metrics = {"BLEU": bleu(tokenize, force=tokenize == "none", **cached), "chrF": chrf(**cached)}
    from sacrebleu.significance import PairedTest

    test = PairedTest(list(systems.items()), metrics, None, test_type="bs", n_samples=num_resamples)
    signatures, results = test()

    counting = bleu(tokenize, force=True, **cached)
    scores = []
    for number, hypotheses in enumerate(systems.values()):
        corpus_bleu, corpus_chrf = (_metric_score(name, results[name][number], signatures[name]) for name in signatures)
        counts = counting.corpus_score(hypotheses, None)
        scores.append(
            TranslationScores(
                num_sentences=len(references),
                bleu=corpus_bleu,
                chrf=corpus_chrf,
                precisions=tuple(counts.precisions),
                brevity_penalty=counts.bp,
                hypothesis_length=counts.sys_len,
                reference_length=counts.ref_len,
            )
        )
    if len(systems) == 1:
        return scores, {}
    # sacrebleu gives systems with equal scores the smallest possible p, but no difference is never significant.
    p_values = {
        name: 1.0 if results[name][0].score == results[name][1].score else float(results[name][1].p_value)
        for name in signatures
    }
    return scores, p_values


def _metric_score(name, result, signature):
    # As numbers of Python, which JSON accepts.
    interval = float(result.mean - result.ci), float(result.mean + result.ci)
    return MetricScore(name, float(result.score), interval, str(signature))
