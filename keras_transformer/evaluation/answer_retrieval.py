"""Retrieval by a dual encoder: how well the answers to questions are found among all answers."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from keras_transformer.evaluation.inputs import check_counts
from keras_transformer.evaluation.retrieval import RetrievalScores, score_retrieval


class EmbedsAnswers(Protocol):
    """What a `QuestionAnswerEmbedder` has, and an exported one."""

    def embed_questions(self, texts: Sequence[str], batch_size: int = 32) -> np.ndarray: ...

    def embed_responses(
        self, texts: Sequence[str], contexts: Sequence[str] | None = None, batch_size: int = 32
    ) -> np.ndarray: ...


def score_answers(
    embedder: EmbedsAnswers,
    questions: Sequence[str],
    answers: Sequence[str],
    contexts: Sequence[str] | None = None,
    batch_size: int = 32,
    recall_at: Sequence[int] = (5, 10),
) -> RetrievalScores:
    """Ranks all different answers for each question by inner product, as `score_retrieval` does.

    In row i, answer i is right for question i. A question in several rows has several right answers. The same answer in
    another context is another one.

    Args:
        embedder: a `QuestionAnswerEmbedder`, or an exported one. It gets each question and each answer once.
        questions: N `str`.
        answers: N `str`.
        contexts: N `str`; by default they are empty.
        batch_size: texts that are embedded at once.
        recall_at: the k of the recall at k.

    Returns:
        A `RetrievalScores`.

    Raises:
        ValueError: without rows, for lists that differ in length, a k or a batch size that is not positive, and vectors
            that are not finite.

    Example:
        >>> from keras_transformer.evaluation import score_answers
        >>> vectors = {"who barks?": [1, 0], "what is green?": [0, 1], "a dog": [2, 1], "a tree": [0, 3]}
        >>> class Embedder:
        ...     def embed_questions(self, texts, batch_size=32):
        ...         return [vectors[text] for text in texts]
        ...
        ...     def embed_responses(self, texts, contexts=None, batch_size=32):
        ...         return [vectors[text] for text in texts]
        >>> scores = score_answers(Embedder(), ["who barks?", "what is green?"], ["a dog", "a tree"])
        >>> scores.num_answers, scores.mean_reciprocal_rank
        (2, 1.0)
    """
    contexts = [""] * len(answers) if contexts is None else contexts
    check_counts(questions=questions, answers=answers, contexts=contexts)
    different_questions, question_of_row = _numbered(questions)
    different_answers, answer_of_row = _numbered(zip(answers, contexts))
    of_questions = np.asarray(embedder.embed_questions(different_questions, batch_size=batch_size))
    of_answers = np.asarray(embedder.embed_responses(*zip(*different_answers), batch_size=batch_size))
    return score_retrieval(
        of_questions[question_of_row],
        of_answers[answer_of_row],
        recall_at=recall_at,
        query_ids=question_of_row,
        answer_ids=answer_of_row,
    )


def _numbered(values):
    """The different values, and the number of that in each row."""
    numbers = {}
    of_rows = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.asarray(of_rows)
