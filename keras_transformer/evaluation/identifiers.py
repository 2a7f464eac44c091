"""Whether names of code come through a translation unchanged."""

import collections
import dataclasses
import re
from collections.abc import Iterator, Sequence

from keras_transformer.evaluation.inputs import check_counts

# Latin letters, digits and what joins them in code. Those with one of `_JOINED` are code.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_])(?:--?)?[A-Za-z_][A-Za-z0-9_]*(?:(?:::|->|[./\\-])[A-Za-z0-9_]+)*(?:\(\))?")
_JOINED = re.compile(r"_|::|->|\(\)|[A-Za-z][./\\][A-Za-z]|^--?[A-Za-z]|[a-z][A-Z]|[A-Za-z][0-9]|[A-Z]{2}[a-z]")


@dataclasses.dataclass(frozen=True)
class IdentifierScores:
    """How many identifiers a system kept.

    Attributes:
        num_identifiers: those of the sources that their references have too, each as often as both have it.
        num_kept: how many of them the translations have.

    Example:
        >>> from keras_transformer.evaluation import score_identifiers
        >>> scores = score_identifiers(["tf.data를 쓴다"], ["It uses tf.data."], ["It uses tf.data."])
        >>> scores.num_identifiers, scores.fraction
        (1, 1.0)
    """

    num_identifiers: int
    num_kept: int

    @property
    def fraction(self) -> float:
        """Of 1; NaN without identifiers."""
        return self.num_kept / self.num_identifiers if self.num_identifiers else float("nan")


def score_identifiers(sources: Sequence[str], references: Sequence[str], hypotheses: Sequence[str]) -> IdentifierScores:
    """Counts the names of code that a translation must not change, and those that it kept.

    An identifier is a word of Latin letters and digits that prose seldom has: with an underscore, a dot, a slash,
    colons or an arrow inside it, capitals after small letters, small letters after two capitals, digits after letters,
    parentheses behind it, or a dash before it, as `get_value`, `tf.data`, `std::vector`, `isValid`, `NULLs`, `utf8`,
    `print()` and `--help` (but also `and/or` and `e.g`). Those of a source that the reference has as well are expected
    in the translation, letter by letter.

    Args:
        sources: N texts.
        references: a reference translation of each.
        hypotheses: the translations.

    Raises:
        ValueError: without texts, and for lists of unequal length.

    Example:
        >>> from keras_transformer.evaluation import score_identifiers
        >>> source, reference = "get_value()와 --help를 보라", "See get_value() and --help"
        >>> score_identifiers([source], [reference], ["See get_values() and --help"])
        IdentifierScores(num_identifiers=2, num_kept=1)
    """
    check_counts(sources=sources, references=references, hypotheses=hypotheses)
    found = kept = 0
    for source, reference, hypothesis in zip(sources, references, hypotheses):
        expected = _counted(source) & _counted(reference)
        found += expected.total()
        kept += (expected & _counted(hypothesis)).total()
    return IdentifierScores(found, kept)


def identifiers(text: str) -> Iterator[str]:
    """The identifiers of a text, as `score_identifiers` describes them, in order."""
    for found in _TOKEN.finditer(text):
        if _JOINED.search(found[0]):
            yield found[0]


def _counted(text):
    return collections.Counter(identifiers(text))
