"""What was measured, as lines of text and as the table of a model's card."""

from collections.abc import Sequence
from typing import NamedTuple

from keras_transformer.evaluation.estimate import Estimate
from keras_transformer.evaluation.retrieval import RetrievalScores
from keras_transformer.evaluation.rounding import rounded


class Measured(NamedTuple):
    """A figure of a report.

    Attributes:
        name: of the figure.
        value: the figure itself.
        interval: (low, high), its 95% bootstrap interval, or `None`.

    Example:
        >>> from keras_transformer.evaluation import Estimate, Measured
        >>> Measured.of(Estimate("accuracy", 0.8, (0.75, 0.85))).value
        0.8
    """

    name: str
    value: float
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, estimate: Estimate) -> "Measured":
        return cls(estimate.name, estimate.value, estimate.interval)

    @property
    def shown(self) -> tuple[str, str]:
        """The value and the interval for people to read; the latter is "" without one."""
        numbers = [f"{rounded(number, 4):.4f}" for number in (self.value, *(self.interval or ()))]
        return numbers[0], " to ".join(numbers[1:])


class MeasuredTask(NamedTuple):
    """The figures of one task.

    Attributes:
        kind: "Similarity" and the like.
        counts: of how many texts.
        figures: a list of `Measured`.
        notes: (name, text) of what is told beside the figures.
        files: what it was measured on.

    Example:
        >>> from keras_transformer.evaluation import Measured, MeasuredTask
        >>> task = MeasuredTask("Similarity", "40 pairs", [Measured("Spearman", 0.83)], files=("sts.tsv",))
        >>> print(task.text)
        Similarity, sts.tsv: 40 pairs
          Spearman           0.8300
    """

    kind: str
    counts: str
    figures: Sequence[Measured]
    notes: Sequence[tuple[str, str]] = ()
    files: Sequence[str] = ()

    @property
    def title(self) -> str:
        return f"{self.kind}, {' '.join(self.files)}: {self.counts}"

    @property
    def text(self) -> str:
        """A line for the task, and one for each figure and note."""
        lines = [self.title]
        for figure in self.figures:
            value, interval = figure.shown
            lines.append(f"  {figure.name:<17}{value:>8}{interval and f'   95% interval {interval}'}")
        return "\n".join([*lines, *(f"  {name:<17}  {note}" for name, note in self.notes)])


def retrieval_task(scores: RetrievalScores) -> MeasuredTask:
    """The figures of `score_retrieval` and `score_answers`."""
    counts = f"{scores.num_pairs:,} pairs, {scores.num_queries:,} queries, {scores.num_answers:,} answers"
    named = {"P@1": scores.precision_at_1, "MRR": scores.mean_reciprocal_rank}
    named.update({"MAP": scores.mean_average_precision, "nDCG@10": scores.ndcg_at_10})
    named.update((f"recall@{k}", value) for k, value in scores.recall.items())
    return MeasuredTask("Retrieval", counts, [Measured(*item) for item in named.items()])


def markdown_table(tasks: Sequence[MeasuredTask]) -> str:
    """The table of a model's card, in Markdown: a row for each figure.

    Args:
        tasks: what was measured.

    Returns:
        Lines that end with "\\n".

    Example:
        >>> from keras_transformer.evaluation import Measured, MeasuredTask, markdown_table
        >>> figures = [Measured("Spearman", 0.83, (0.8, 0.86)), Measured("MRR", 0.5)]
        >>> print(markdown_table([MeasuredTask("Similarity", "40 pairs", figures, files=["sts.tsv"])]))
        | task | measure | figure | 95% interval |
        |---|---|---|---|
        | Similarity, sts.tsv: 40 pairs | Spearman | 0.8300 | 0.8000 to 0.8600 |
        | Similarity, sts.tsv: 40 pairs | MRR | 0.5000 |  |
        <BLANKLINE>
    """
    rows = [("task", "measure", "figure", "95% interval"), ("---",) * 4]
    rows += [(task.title, figure.name, *figure.shown) for task in tasks for figure in task.figures]
    return "".join(_markdown_row(row) for row in rows)


def _markdown_row(cells):
    # A bar would end a cell, a line break the row.
    escaped = [" ".join(cell.replace("\\", "\\\\").replace("|", "\\|").split()) for cell in cells]
    return "|---|---|---|---|\n" if cells[0] == "---" else f"| {' | '.join(escaped)} |\n"
