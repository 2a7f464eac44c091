"""The kinds of files that a `SentenceTask` is read from, each with the objective that is its default."""

from collections.abc import Sequence
from typing import Any, Self, TypeAlias

import keras
import numpy as np

from keras_transformer.data.answers import read_answers
from keras_transformer.data.lines import read_lines
from keras_transformer.training.contrastive import ContrastivePairs
from keras_transformer.training.denoising import DenoisingDecoder
from keras_transformer.training.distillation import TeacherVectors
from keras_transformer.training.objectives import (
    NaturalLanguageInference,
    ResponseRanking,
    SimilarityCorrelation,
    SimilarityRegression,
)
from keras_transformer.training.task_files import (
    Paths,
    read_all_rows,
    read_candidates,
    read_neighbours,
    read_vectors,
)
from keras_transformer.training.teacher_scores import MarginMSE
from keras_transformer.training.triplets import ClassTriplets, TripletMargin
from keras_transformer.types import PathLike

Objective: TypeAlias = "keras.layers.Layer | None"
_INFERENCE = ("label", "premise", "hypothesis")
LABELS = ("entailment", "neutral", "contradiction")


class TaskKinds:
    """Class methods of `SentenceTask`: files are tab-separated or plain text, plain or .gz, without a header.

    Each takes, as keywords, the other arguments of `SentenceTask`.
    """

    @classmethod
    def ranking(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of input, right response, and any number of hard negatives, as many in each row."""
        rows = read_all_rows(paths, ("input", "response"), extra_columns=True)
        return cls("ranking", rows, objective or ResponseRanking(), **kwargs)

    @classmethod
    def answers(cls, paths: Paths, objective: keras.layers.Layer, **kwargs: Any) -> Self:
        """Rows of question, answer and, in all rows or in none, the context of the answer.

        Args:
            paths: text files.
            objective: a `QuestionAnswerRanking`.

        Raises:
            ValueError: with file and line, for a row with another number of columns.
        """
        return cls("answers", read_answers(paths), objective, **kwargs)

    @classmethod
    def paraphrases(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of sentences that say the same: one, two or more."""
        rows = [tuple(filter(None, row)) for row in read_all_rows(paths, ("sentence",), extra_columns=True)]
        return cls("paraphrases", [row for row in rows if row], objective or ResponseRanking(), any_two=True, **kwargs)

    @classmethod
    def neighbours(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Plain text, a sentence a line in running order: each sentence and the next one. A blank line ends a document.

        References:
            Kiros et al., 2015, "Skip-Thought Vectors"; Cer et al., 2018, "Universal Sentence Encoder", section 3.
        """
        return cls("neighbours", read_neighbours(paths), objective or ResponseRanking(), **kwargs)

    @classmethod
    def inference(
        cls, paths: Paths, objective: Objective = None, labels: Sequence[str] = LABELS, **kwargs: Any
    ) -> Self:
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
    ) -> Self:
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
    def sentences(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Plain text, a sentence a line: each must find itself, under another dropout, among all of its batch.

        References:
            Gao et al., 2021, "SimCSE", section 3.
        """
        rows = [(line.strip(),) for line in read_lines(paths) if line.strip()]
        return cls("sentences", rows, objective or ResponseRanking(), any_two=True, **kwargs)

    @classmethod
    def denoising(cls, paths: Paths, objective: Objective = None, deletion: float = 0.6, **kwargs: Any) -> Self:
        """Plain text, a sentence a line: what is left of it must tell the whole (TSDAE).

        Args:
            paths: text files.
            objective: a `DenoisingDecoder`.
            deletion: the probability of deleting a token; the paper's 0.6.

        References:
            Wang et al., 2021, "TSDAE".
        """
        rows = [(line.strip(),) for line in read_lines(paths) if line.strip()]
        return cls("denoising", rows, objective or DenoisingDecoder(), deletion=deletion, **kwargs)

    @classmethod
    def triplets(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of anchor, positive, negative."""
        rows = read_all_rows(paths, ("anchor", "positive", "negative"))
        return cls("triplets", rows, objective or TripletMargin(), **kwargs)

    @classmethod
    def classes(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of class, sentence: any words serve as names of classes.

        Batches are drawn at random: there have to be fewer classes than half the rows of a batch, so that most meet
        another one of their class.
        """
        rows = read_all_rows(paths, ("class", "sentence"))
        numbers = {name: number for number, name in enumerate(sorted({name for name, _ in rows}))}
        targets = np.asarray([numbers[name] for name, _ in rows], "int32")
        return cls("classes", [row[1:] for row in rows], objective or ClassTriplets(), targets, **kwargs)

    @classmethod
    def matches(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of 1 or 0, sentence, sentence: do the two belong together?

        Raises:
            ValueError: with file and line, for another label.
        """
        rows = read_all_rows(paths, ("label", "sentence1", "sentence2"), choices={"label": ("0", "1")})
        targets = np.asarray([int(label) for label, *_ in rows], "int32")
        return cls("matches", [row[1:] for row in rows], objective or ContrastivePairs(), targets, **kwargs)

    @classmethod
    def candidates(cls, paths: Paths, objective: Objective = None, **kwargs: Any) -> Self:
        """Rows of a teacher's scores, a query, and as many candidates as scores, the right one first.

        Raises:
            ValueError: with file and line, for a score that is no number, and another number of columns.
        """
        rows, scores = read_candidates(paths)
        return cls("candidates", rows, objective or MarginMSE(), np.asarray(scores, "float32"), **kwargs)

    @classmethod
    def similarity(
        cls, paths: Paths, objective: Objective = None, score_range: tuple[float, float] = (0.0, 5.0), **kwargs: Any
    ) -> Self:
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
    def teacher(cls, paths: Paths, vectors: np.ndarray | PathLike, objective: Objective = None, **kwargs: Any) -> Self:
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
