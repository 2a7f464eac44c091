from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_encoder import fit_encoder
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    import tensorflow as tf

    from keras_transformer.pipelines import TextEmbedder


def fit_embedder(
    embedder: "TextEmbedder",
    tasks: Sequence[SentenceTask],
    validation: tuple[Sequence[float], Sequence[str], Sequence[str]] | None = None,
    *,
    path: PathLike,
    recipe: EmbeddingRecipe | None = None,
    minutes: float | None = None,
    strategy: "tf.distribute.Strategy | None" = None,
    seed: int = 0,
    checkpoint_minutes: float = 5.0,
    tensorboard: str | None = None,
    verbose: int = 1,
) -> list[dict[str, float]]:
    """Trains a `TextEmbedder`'s encoder on several tasks at once, and saves the embedder of the best evaluation.

    Beside it, history.csv has the figures of each evaluation, and training-state is the checkpoint: called again with
    the same arguments after a kill, the training resumes there. A finished one is not repeated.

    Args:
        embedder: a `TextEmbedder`, made within the scope of the strategy.
        tasks: a list of `SentenceTask`; each step takes one of them, at random by their weights.
        validation: (scores (N,), N sentences, N sentences), as of the STS benchmark; the Pearson correlation of the
            scores with the cosines chooses the best evaluation. Without it the last one counts.
        path: the `.keras` file for the embedder.
        recipe: an `EmbeddingRecipe`, of which the shape of the model and the vocabulary are not looked at here.
        minutes: stop after this time, if not `None`.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        seed: of the choice of tasks and of the order of their rows.
        checkpoint_minutes: checkpoint interval; a checkpoint is also written after each evaluation.
        tensorboard: folder for TensorBoard's event files, or `None`.
        verbose: of `TrainingRun.run`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: before anything is written, for bad tasks, and for patience without validation; for a checkpoint
            that is damaged or belongs to other arguments; if no evaluation had a finite figure, so that nothing was
            saved.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.
    """
    from keras_transformer.evaluation.textual_similarity import pearson

    def score():
        scores, first, second = validation
        return {"val_pearson": pearson(embedder.similarity(first, second, "cosine", paired=True), scores)}

    return fit_encoder(
        embedder,
        embedder.encoder,
        tasks,
        None if validation is None else score,
        "val_pearson",
        path=path,
        recipe=recipe,
        strategy=strategy,
        seed=seed,
        minutes=minutes,
        checkpoint_minutes=checkpoint_minutes,
        tensorboard=tensorboard,
        verbose=verbose,
        description={
            fingerprints.TRAINED: "a sentence encoder",
            "validation": None if validation is None else _fingerprint(*validation),
            "encoder": {**embedder.encoder.get_config(), "name": None},
        },
    )


def _fingerprint(scores, first, second):
    return fingerprints.fingerprint(np.asarray(scores, "float64"), first, second)
