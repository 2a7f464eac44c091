"""Scores of single translations: the best of several, and the worst of a corpus."""

import dataclasses
from collections.abc import Sequence

from keras_transformer import arguments
from keras_transformer.evaluation.inputs import check_counts
from keras_transformer.evaluation.sacrebleu_metrics import bleu, chrf


@dataclasses.dataclass(frozen=True)
class ScoredTranslation:
    """A sentence and its scores.

    Attributes:
        line: its number, from 1.
        source: the text that was translated, or `None`.
        reference: the reference translation.
        hypothesis: the translation.
        chrf: sentence chrF, from 0 to 100.
        bleu: smoothed sentence BLEU, from 0 to 100.

    Example:
        >>> from keras_transformer.evaluation import worst_translations
        >>> (worst,) = worst_translations(["a dog", "a cat"], ["a dog", "the house"], count=1)
        >>> worst.line, worst.hypothesis
        (2, 'a cat')
    """

    line: int
    source: str | None
    reference: str
    hypothesis: str
    chrf: float
    bleu: float


def nearest_translation(hypotheses: Sequence[str], reference: str, tokenize: str = "13a") -> str:
    """The hypothesis with the highest sentence BLEU against the reference; the first of equals.

    Of a teacher's n-best translations, a student learns more from this one than from the likeliest.

    Args:
        hypotheses: at least one translation.
        reference: the reference translation.
        tokenize: as for `score_translations`.

    Raises:
        ValueError: if there are no hypotheses, or sacrebleu does not have the tokenizer.
        ImportError: as `score_translations`.

    Example:
        >>> from keras_transformer.evaluation import nearest_translation
        >>> nearest_translation(["A dog ran.", "A dog runs."], "The dog runs.")
        'A dog runs.'

    References:
        Kim and Rush, 2016, "Sequence-Level Knowledge Distillation", section 3.3.
    """
    if not hypotheses:
        raise ValueError("Expected at least one hypothesis. Received: []")
    metric = bleu(tokenize, effective_order=True)
    return max(hypotheses, key=lambda hypothesis: metric.sentence_score(hypothesis, [reference]).score)


def worst_translations(
    hypotheses: Sequence[str],
    references: Sequence[str],
    count: int,
    sources: Sequence[str] | None = None,
    tokenize: str = "13a",
    lowercase: bool = False,
) -> list[ScoredTranslation]:
    """The translations with the lowest sentence chrF, to look at.

    Args:
        hypotheses: the translations.
        references: a reference translation of each.
        count: number of translations to return.
        sources: the texts that were translated.
        tokenize: as for `score_translations`.
        lowercase: whether to ignore case.

    Returns:
        A list of `ScoredTranslation`, the lowest chrF first; of equal ones, the earlier line.

    Raises:
        ValueError: if `count` is not positive, and as `score_translations`.
        ImportError: as `score_translations`.

    Example:
        >>> from keras_transformer.evaluation import worst_translations
        >>> worst = worst_translations(["a dog", "a cat"], ["a dog", "the house"], count=1, sources=["개", "집"])
        >>> worst[0].source
        '집'
    """
    arguments.positive_integer("count", count)
    texts = {"hypotheses": hypotheses, "references": references, "sources": sources}
    check_counts(**{name: given for name, given in texts.items() if given is not None})
    sentence_bleu, sentence_chrf = bleu(tokenize, lowercase=lowercase, effective_order=True), chrf(lowercase=lowercase)
    scores = [sentence_chrf.sentence_score(h, [r]).score for h, r in zip(hypotheses, references)]
    return [
        ScoredTranslation(
            line=i + 1,
            source=None if sources is None else sources[i],
            reference=references[i],
            hypothesis=hypotheses[i],
            chrf=scores[i],
            bleu=sentence_bleu.sentence_score(hypotheses[i], [references[i]]).score,
        )
        for i in sorted(range(len(scores)), key=scores.__getitem__)[:count]
    ]
