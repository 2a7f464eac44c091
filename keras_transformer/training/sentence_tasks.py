"""What a sentence encoder learns from: rows of texts with an objective, in batches that a number decides."""

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

from keras_transformer import arguments
from keras_transformer.data.answers import read_answers
from keras_transformer.data.lines import read_lines
from keras_transformer.training import fingerprints
from keras_transformer.training.distillation import TeacherVectors
from keras_transformer.training.objectives import (
    NaturalLanguageInference,
    ResponseRanking,
    SimilarityCorrelation,
    SimilarityRegression,
)
from keras_transformer.training.task_files import Paths, read_all_rows, read_neighbours, read_vectors
from keras_transformer.types import Config, PathLike

Objective: TypeAlias = "keras.layers.Layer | None"
_INFERENCE = ("label", "premise", "hypothesis")
LABELS = ("entailment", "neutral", "contradiction")


@dataclasses.dataclass(frozen=True)
class SentenceBatch:
    """A batch of a task.

    Attributes:
        texts: (B, C) indices into the task's texts: C sentences in each row.
        targets: what the objective takes beside the C vectors.

    Example:
        >>> task = keras_transformer.training.SentenceTask(
        ...     "pairs", [("a", "b")], keras_transformer.training.SimilarityRegression(), targets=[0.5], batch_size=1
        ... )
        >>> task.batch(0, seed=0)
        SentenceBatch(texts=array([[0, 1]], dtype=int32), targets=array([0.5]))
    """

    texts: np.ndarray
    targets: np.ndarray


class SentenceTask:
    """Rows of texts, and the objective that their vectors are trained for.

    Class methods read the kinds of data there are; files are tab-separated, plain or .gz, without a header.

    Args:
        name: of the task, in logs.
        rows: a sequence of tuples of `str`. For a `ResponseRanking`: input, response, hard negatives, as many in each
            row.
        objective: a layer of `keras_transformer.training.objectives`.
        targets: (number of rows, ...), what the objective takes beside the vectors; `ResponseRanking` makes its own.
        batch_size: rows that make a batch.
        weight: how often this task's batches come, relative to other tasks.
        any_two: the texts of a row say the same: each pass takes two of them at random. A row of one text is taken
            twice, and told apart from itself by dropout alone.

    Raises:
        ValueError: without rows, for rows and targets of unequal number, rows of unequal length.

    References:
        Gao et al., 2021, "SimCSE" (a sentence with itself).

    Example:
        >>> rows = [("how old are you?", "ten"), ("what is it?", "a dog"), ("where is it?", "there")]
        >>> task = keras_transformer.training.SentenceTask(
        ...     "questions", rows, keras_transformer.training.ResponseRanking(), batch_size=2
        ... )
        >>> task.num_rows, task.num_batches, task.batch(0, seed=1).texts.shape
        (3, 1, (2, 2))
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Sequence[str]],
        objective: keras.layers.Layer,
        targets: Sequence | np.ndarray | None = None,
        batch_size: int = 128,
        weight: float = 1.0,
        any_two: bool = False,
    ):
        self.name = name
        self.objective = objective
        self.batch_size = arguments.positive_integer("batch_size", batch_size)
        self.weight = arguments.positive_number("weight", weight)
        self.any_two = any_two
        if not len(rows):
            raise ValueError(f"Expected rows for the task {name!r}. Received none")
        if targets is not None and len(targets) != len(rows):
            raise ValueError(f"Expected as many targets as rows, {len(rows)}. Received: {len(targets)}")
        lengths = np.asarray([len(row) for row in rows])
        if not any_two and (lengths != lengths[0]).any():
            raise ValueError(f"Expected rows of {lengths[0]} texts. Received: {sorted(set(lengths.tolist()))}")
        numbers = {}
        self._indices = np.asarray([numbers.setdefault(text, len(numbers)) for row in rows for text in row], "int32")
        self._starts, self._lengths = np.cumsum(lengths) - lengths, lengths
        self.texts = list(numbers)
        self._last_order = None, None
        self.targets = None if targets is None else np.asarray(targets)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(self._lengths)

    @property
    def num_vectors(self) -> int:
        """How many texts of a row the objective takes."""
        return 2 if self.any_two else int(self._lengths[0])

    @property
    def num_batches(self) -> int:
        """Batches of one pass over the rows; the incomplete last batch is dropped."""
        return max(1, self.num_rows // self.batch_size)

    def description(self) -> Config:
        """All that decides its batches and their loss, in what JSON can hold; the data as fingerprints."""
        arrays = [self._indices, self._lengths] + ([] if self.targets is None else [self.targets])
        return {
            "name": self.name,
            "rows": self.num_rows,
            "batch_size": self.batch_size,
            "weight": self.weight,
            "any_two": self.any_two,
            "objective": fingerprints.config_of(self.objective),
            "data": fingerprints.fingerprint(self.texts, *arrays),
        }

    def batch(self, number: int, seed: int) -> SentenceBatch:
        """The batch with this number, counted over all passes; nothing but the two numbers decides it.

        Returns:
            A `SentenceBatch`.
        """
        epoch, position = divmod(number, self.num_batches)
        rows = self._order(seed, epoch)[position * self.batch_size : (position + 1) * self.batch_size]
        texts = (
            self._two_of(rows, np.random.default_rng([seed, epoch, position])) if self.any_two else self.texts_of(rows)
        )
        if self.targets is not None:
            return SentenceBatch(texts, self.targets[rows])
        of_rows = rows if self.any_two else texts[:, 0]
        return SentenceBatch(texts, np.column_stack([of_rows, texts]).astype("int32"))

    def _order(self, seed, epoch):
        if self._last_order[0] != (seed, epoch):
            self._last_order = (seed, epoch), np.random.default_rng([seed, epoch]).permutation(self.num_rows)
        return self._last_order[1]

    def texts_of(self, rows: np.ndarray) -> np.ndarray:
        """All texts of these rows, which are of one length: indices into `texts`, (len(rows), C)."""
        return self._indices[self._starts[rows][:, None] + np.arange(self.num_vectors)]

    def _two_of(self, rows, random):
        lengths = self._lengths[rows]
        first = random.integers(0, lengths)
        second = (first + random.integers(1, np.maximum(lengths, 2))) % lengths
        return self._indices[self._starts[rows][:, None] + np.column_stack([first, second])]

    @classmethod
    def ranking(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> "SentenceTask":
        """Rows of input, right response, and any number of hard negatives, as many in each row."""
        rows = read_all_rows(paths, ("input", "response"), extra_columns=True)
        return cls("ranking", rows, objective or ResponseRanking(), **kwargs)

    @classmethod
    def answers(cls, paths: Paths, objective: keras.layers.Layer, **kwargs: Any) -> "SentenceTask":
        """Rows of question, answer and, in all rows or in none, the context of the answer.

        Args:
            paths: text files.
            objective: a `QuestionAnswerRanking`.

        Raises:
            ValueError: with file and line, for a row with another number of columns.
        """
        return cls("answers", read_answers(paths), objective, **kwargs)

    @classmethod
    def paraphrases(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> "SentenceTask":
        """Rows of sentences that say the same: one, two or more."""
        rows = [tuple(filter(None, row)) for row in read_all_rows(paths, ("sentence",), extra_columns=True)]
        return cls("paraphrases", [row for row in rows if row], objective or ResponseRanking(), any_two=True, **kwargs)

    @classmethod
    def neighbours(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> "SentenceTask":
        """Plain text, a sentence a line in running order: each sentence and the next one. A blank line ends a document.

        References:
            Kiros et al., 2015, "Skip-Thought Vectors"; Cer et al., 2018, "Universal Sentence Encoder", section 3.
        """
        return cls("neighbours", read_neighbours(paths), objective or ResponseRanking(), **kwargs)

    @classmethod
    def inference(
        cls, paths: Paths, objective: Objective = None, labels: Sequence[str] = LABELS, **kwargs: Any
    ) -> "SentenceTask":
        """Rows of label, premise, hypothesis.

        Raises:
            ValueError: with file and line, for a label that is not among `labels`.
        """
        rows = read_all_rows(paths, _INFERENCE, choices={"label": labels})
        targets = np.asarray([labels.index(label) for label, *_ in rows], "int32")
        return cls(
            "inference",
            [row[1:] for row in rows],
            objective or NaturalLanguageInference(len(labels)),
            targets,
            **kwargs,
        )

    @classmethod
    def entailment(
        cls, paths: Paths, objective: Objective = None, labels: Sequence[str] = LABELS, **kwargs: Any
    ) -> "SentenceTask":
        """The same rows for ranking: a premise finds what it entails, among what contradicts it and all others.

        Args:
            labels: their names; the first is entailment, the last contradiction.

        References:
            Gao et al., 2021, "SimCSE", section 4.
        """
        entailed, contradictions = [], {}
        for label, premise, hypothesis in read_all_rows(paths, _INFERENCE, choices={"label": labels}):
            if label == labels[0]:
                entailed.append((premise, hypothesis))
            elif label == labels[-1]:
                contradictions.setdefault(premise, []).append(hypothesis)
        # Without a contradiction the response itself stands in its place, which the objective leaves out.
        used = {}
        rows = []
        for premise, hypothesis in entailed:
            wrong = contradictions.get(premise, [hypothesis])
            used[premise] = used.get(premise, -1) + 1
            rows.append((premise, hypothesis, wrong[used[premise] % len(wrong)]))
        return cls("entailment", rows, objective or ResponseRanking(), **kwargs)

    @classmethod
    def similarity(
        cls, paths: Paths, objective: Objective = None, score_range: tuple[float, float] = (0.0, 5.0), **kwargs: Any
    ) -> "SentenceTask":
        """Rows of score, sentence, sentence.

        Raises:
            ValueError: with file and line, for a score outside `score_range`; for batches of less than 3 pairs with
                `SimilarityCorrelation`.
        """
        low, high = score_range
        if isinstance(objective, SimilarityCorrelation) and kwargs.get("batch_size", 128) < 3:
            raise ValueError(f"Expected batches of 3 pairs at least, to correlate. Received: {kwargs['batch_size']}")
        rows = read_all_rows(paths, ("score", "sentence1", "sentence2"), numbers={"score": score_range})
        targets = np.asarray([(score - low) / (high - low) for score, *_ in rows], "float32")
        return cls("similarity", [row[1:] for row in rows], objective or SimilarityRegression(), targets, **kwargs)

    @classmethod
    def teacher(
        cls, paths: Paths, vectors: np.ndarray | PathLike, objective: Objective = None, **kwargs: Any
    ) -> "SentenceTask":
        """Lines of text, and a teacher's vector of each line.

        Args:
            paths: text files.
            vectors: (number of lines, width), an array or the path of an `.npy` file, which is not read into memory.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is damaged or something else; if there is not a vector for each line.
        """
        vectors = vectors if isinstance(vectors, np.ndarray) else read_vectors(vectors)
        rows = [(line,) for line in read_lines(paths)]
        if vectors.ndim != 2 or len(vectors) != len(rows):
            raise ValueError(f"Expected a vector for each of {len(rows)} lines. Received: shape {vectors.shape}")
        return cls("teacher", rows, objective or TeacherVectors(), vectors, **kwargs)
