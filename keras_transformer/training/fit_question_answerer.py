from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_transformer.training import fingerprints
from keras_transformer.training.fit_encoder import fit_encoder
from keras_transformer.training.question_answering import QuestionAnswerRanking
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    from keras_transformer.pipelines import QuestionAnswerEmbedder


def fit_question_answerer(
    embedder: "QuestionAnswerEmbedder",
    tasks: Sequence[SentenceTask],
    validation: tuple[Sequence[str], Sequence[str], Sequence[str] | None] | None = None,
    *,
    path: PathLike,
    origin: Any = None,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a `QuestionAnswerEmbedder`'s encoder and networks, and saves the embedder of the best evaluation.

    Beside it, history.csv has the figures of each evaluation, and training-state is the checkpoint: called again with
    the same arguments after a kill, the training resumes there. A finished one is not repeated.

    Args:
        embedder: a `QuestionAnswerEmbedder` with one encoder for all texts, made within the scope of the strategy.
        tasks: a list of `SentenceTask`; each step takes one of them, at random by their weights. At least one has a
            `QuestionAnswerRanking` of the embedder's model; others train the encoder alone.
        validation: (N questions, N answers, N contexts or `None`): the mean reciprocal rank of the right answers among
            all of them chooses the best evaluation. Without it the last one counts.
        path: the `.keras` file for the embedder.
        origin: what JSON can hold: a name or fingerprint of the weights that the training begins with, if it matters. A
            checkpoint with another is refused.
        **options: `recipe`, `minutes`, `strategy`, `seed`, `checkpoint_minutes`, `tensorboard` and `verbose` of
            `fit_embedder`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: before anything is written, for bad tasks, for patience without validation, and for rows without
            contexts where the encoder gives an empty text a vector; for a checkpoint that is damaged or belongs to
            other arguments; if no evaluation had a finite figure, so that nothing was saved.

    References:
        Yang et al., 2019, "Multilingual Universal Sentence Encoder for Semantic Retrieval".
    """
    _check_tasks(embedder, tasks)

    def score():
        from keras_transformer.evaluation import score_answers

        scores = score_answers(embedder, *validation)
        return {
            "val_mean_reciprocal_rank": scores.mean_reciprocal_rank,
            "val_precision_at_1": scores.precision_at_1,
        }

    return fit_encoder(
        embedder,
        embedder.encoder.encoder,
        tasks,
        None if validation is None else score,
        "val_mean_reciprocal_rank",
        path=path,
        description={
            fingerprints.TRAINED: "a question answerer",
            "validation": None if validation is None else _fingerprint(*validation),
            "origin": origin,
            "encoder": _description(embedder.encoder),
        },
        **options,
    )


def _check_tasks(embedder, tasks):
    """`ValueError` for tasks that do not train the networks, or train them for other vectors than are wanted."""
    ranked = [task for task in tasks if isinstance(task.objective, QuestionAnswerRanking)]
    if not ranked:
        raise ValueError(
            "Expected a task with a QuestionAnswerRanking among the tasks. Received: "
            f"{[type(task.objective).__name__ for task in tasks]}"
        )
    for task in ranked:
        if not task.objective.is_of(embedder.encoder):
            raise ValueError(f"Expected objectives of the embedder's own model. Received: another's, of {task.name!r}")
        if task.num_vectors == 2 and empty_text_has_vector(embedder):
            raise ValueError(
                "Expected a context in each row, an empty one if there is no other, since the encoder gives an empty "
                f"text a vector that is not zero. Received: {task.name!r} without contexts"
            )


def empty_text_has_vector(embedder: "QuestionAnswerEmbedder") -> bool:
    """Whether responses without a context are not those with zeros in its place: BERT's tokens stand around nothing."""
    return bool(np.any(embedder.encoder.encoder(embedder.tokenizer([""]), training=False)))


def _fingerprint(questions, answers, contexts):
    return fingerprints.fingerprint(questions, answers, *([] if contexts is None else [contexts]))


def _description(model):
    """The config of a `QuestionAnswerEncoder`, without the names of models, which count those of the process."""
    config = model.get_config()
    inner = config["encoder"]
    return {**config, "name": None, "encoder": {**inner, "config": {**inner["config"], "name": None}}}
