"""Scores of translations: BLEU and chrF by sacrebleu, with bootstrap intervals and signatures."""

import dataclasses

from keras_transformer import arguments


@dataclasses.dataclass(frozen=True)
class MetricScore:
    """One figure of one system.

    Attributes:
        name: "BLEU" or "chrF2".
        score: from 0 to 100.
        interval: (low, high), the 95% confidence interval: the mean of the bootstrap resamples, plus and minus half
            the width of their middle 95%.
        signature: what someone else needs for the same figure.
    """

    name: str
    score: float
    interval: tuple[float, float]
    signature: str


@dataclasses.dataclass(frozen=True)
class TranslationScores:
    """How well one system translates.

    Attributes:
        num_sentences: how many were scored.
        bleu: a `MetricScore`.
        chrf: a `MetricScore`.
        precisions: in percent, of the n-grams of 1 to 4 tokens.
        brevity_penalty: the factor by which BLEU is lowered for being short; 1 for none.
        hypothesis_length: in tokens.
        reference_length: in tokens.
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
    """Two systems on the same sentences.

    Attributes:
        systems: (first, second), a `TranslationScores` each.
        p_values: {"BLEU": p, "chrF2": p}, of the paired bootstrap test: how likely a difference as large as the one
            seen is between systems that are equally good. 1 where the scores are equal.
    """

    systems: tuple[TranslationScores, TranslationScores]
    p_values: dict[str, float]


@dataclasses.dataclass(frozen=True)
class ScoredTranslation:
    """One sentence: its line (from 1), its texts (`source` may be `None`), its own chrF and smoothed BLEU."""

    line: int
    source: str | None
    reference: str
    hypothesis: str
    chrf: float
    bleu: float


def score_translations(hypotheses, references, tokenize="13a", lowercase=False, num_resamples=1000):
    """Scores one system.

    The bootstrap needs about 100 bytes of memory a sentence and resample; its seed is fixed (sacrebleu's, which the
    environment variable SACREBLEU_SEED changes).

    Args:
        hypotheses: list of `str`, the translations.
        references: list of `str`, one right translation of each.
        tokenize: sacrebleu's tokenizer for BLEU: "13a" for raw text of most languages, "zh", "ja-mecab", "ko-mecab",
            "char", "intl", or "none" for text that is tokenized already.
        lowercase: ignore the case.
        num_resamples: of the bootstrap.

    Returns:
        A `TranslationScores`.

    Raises:
        ValueError: for no sentences, for lists of unequal length, and for a tokenizer that sacrebleu does not have.
        ImportError: without sacrebleu (`pip install keras-transformer-layers[evaluation]`), or without what the
            tokenizer needs.

    References:
        Post, 2018, "A Call for Clarity in Reporting BLEU Scores"; Popović, 2015, "chrF"; Koehn, 2004, "Statistical
        Significance Tests for Machine Translation Evaluation".
    """
    return _paired_test([hypotheses], references, tokenize, lowercase, num_resamples)[0][0]


def compare_translations(first, second, references, tokenize="13a", lowercase=False, num_resamples=1000):
    """Scores two systems and tests whether they differ, by paired bootstrap resampling.

    Args:
        first: list of `str`, the translations of one system.
        second: list of `str`, those of the other.
        references: list of `str`, one right translation of each.
        tokenize: as for `score_translations`, and so are the others.
        lowercase: ignore the case.
        num_resamples: of the bootstrap.

    Returns:
        A `TranslationComparison`.

    Raises:
        ValueError: as `score_translations`.
        ImportError: as `score_translations`.
    """
    systems, p_values = _paired_test([first, second], references, tokenize, lowercase, num_resamples)
    return TranslationComparison(tuple(systems), p_values)


def nearest_translation(hypotheses, reference, tokenize="13a"):
    """The hypothesis that has the highest sentence BLEU against the reference, the first of equals.

    Among a teacher's n best it is better to learn from than the likeliest.

    Args:
        hypotheses: list of `str`, at least one.
        reference: `str`, the right translation.
        tokenize: as for `score_translations`.

    Raises:
        ValueError: for no hypotheses, and as `score_translations`.
        ImportError: as `score_translations`.

    References:
        Kim and Rush, 2016, "Sequence-Level Knowledge Distillation", section 3.3.
    """
    if not hypotheses:
        raise ValueError("Expected at least one hypothesis. Received: []")
    bleu = _bleu(tokenize, effective_order=True)
    return max(hypotheses, key=lambda hypothesis: bleu.sentence_score(hypothesis, [reference]).score)


def worst_translations(hypotheses, references, count, sources=None, tokenize="13a", lowercase=False):
    """The sentences with the lowest chrF, to look at.

    Args:
        hypotheses: list of `str`, the translations.
        references: list of `str`, one right translation of each.
        count: how many to give.
        sources: list of `str`, what was translated.
        tokenize: as for `score_translations`.
        lowercase: ignore the case.

    Returns:
        A list of `ScoredTranslation`, the lowest chrF first; of equal ones the earlier line.

    Raises:
        ValueError: for a count below 1, and as `score_translations`.
        ImportError: as `score_translations`.
    """
    arguments.positive_integer("count", count)
    _check_counts(references, hypotheses, *([] if sources is None else [sources]))
    bleu = _bleu(tokenize, lowercase=lowercase, effective_order=True)
    chrf = _sacrebleu().CHRF(lowercase=lowercase)
    scores = [chrf.sentence_score(h, [r]).score for h, r in zip(hypotheses, references)]
    return [
        ScoredTranslation(
            line=i + 1,
            source=None if sources is None else sources[i],
            reference=references[i],
            hypothesis=hypotheses[i],
            chrf=scores[i],
            bleu=bleu.sentence_score(hypotheses[i], [references[i]]).score,
        )
        for i in sorted(range(len(scores)), key=scores.__getitem__)[:count]
    ]


def check_tokenize(tokenize):
    """Returns `tokenize`; raises what `score_translations` would, before any time is spent on translating."""
    _bleu(tokenize)
    return tokenize


def _paired_test(systems, references, tokenize, lowercase, num_resamples):
    """The list of each system's `TranslationScores`, and {metric: p-value} of the first two."""
    arguments.positive_integer("num_resamples", num_resamples)
    _check_counts(references, *systems)
    cached = {"lowercase": lowercase, "references": [references]}
    # sacrebleu warns of text that looks tokenized, unless it was said to be.
    metrics = {
        "BLEU": _bleu(tokenize, force=tokenize == "none", **cached),
        "chrF": _sacrebleu().CHRF(**cached),
    }
    from sacrebleu.significance import PairedTest

    named = [(str(number), system) for number, system in enumerate(systems)]
    signatures, results = PairedTest(named, metrics, None, test_type="bs", n_samples=num_resamples)()

    counting = _bleu(tokenize, force=True, **cached)
    scores = []
    for number, system in enumerate(systems):
        bleu, chrf = (_metric_score(name, results[name][number], signatures[name]) for name in signatures)
        counts = counting.corpus_score(system, None)
        scores.append(
            TranslationScores(
                num_sentences=len(references),
                bleu=bleu,
                chrf=chrf,
                precisions=tuple(counts.precisions),
                brevity_penalty=counts.bp,
                hypothesis_length=counts.sys_len,
                reference_length=counts.ref_len,
            )
        )
    # sacrebleu gives equal systems the smallest p there is; but a difference of none is never surprising.
    p_values = {
        name: 1.0 if results[name][0].score == results[name][1].score else results[name][1].p_value
        for name in (signatures if len(systems) == 2 else ())
    }
    return scores, p_values


def _metric_score(name, result, signature):
    # NumPy's numbers become Python's, which JSON takes.
    interval = float(result.mean - result.ci), float(result.mean + result.ci)
    return MetricScore(name, float(result.score), interval, str(signature))


def _check_counts(references, *others):
    if not references:
        raise ValueError("Expected at least one reference. Received: none")
    for texts in others:
        if len(texts) != len(references):
            raise ValueError(f"Expected {len(references)} texts, one for each reference. Received: {len(texts)}")


def _bleu(tokenize, **kwargs):
    """The BLEU of sacrebleu, or an error of the kinds that this package raises."""
    metric = _sacrebleu().BLEU
    arguments.one_of("tokenize", tokenize, metric.TOKENIZERS)
    try:
        return metric(tokenize=tokenize, **kwargs)
    except RuntimeError as error:  # what the tokenizer needs is not installed
        raise ImportError(f"tokenize={tokenize!r}: {' '.join(str(error).split())}") from error


def _sacrebleu():
    try:
        import sacrebleu
    except ImportError as error:
        raise ImportError(
            "Expected sacrebleu, which scores translations. Install it with: "
            "pip install keras-transformer-layers[evaluation]"
        ) from error
    return sacrebleu
