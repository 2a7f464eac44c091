import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.saved_training import check_patience, run_and_save
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

    recipe = recipe or EmbeddingRecipe()
    check_patience(recipe, validation)
    loop = _loop(embedder, tasks, recipe, strategy, seed)
    for count, what in (
        (loop.num_truncated, f"have more than {loop.max_length} tokens"),
        (loop.num_empty, "have no token"),
    ):
        if count:
            warnings.warn(f"{count:,} of {loop.num_texts:,} texts {what}", stacklevel=2)

    def validate():
        logs = loop.take_losses()
        if validation is not None:
            scores, first, second = validation
            logs["val_pearson"] = pearson(embedder.similarity(first, second, "cosine", paired=True), scores)
        return logs

    return run_and_save(
        embedder,
        loop,
        lambda epoch: loop.batches(epoch * recipe.evaluation_steps, recipe.evaluation_steps),
        path,
        recipe,
        monitor=None if validation is None else "val_pearson",
        higher_is_better=True,
        tensorboard=tensorboard,
        verbose=verbose,
        validate=validate,
        minutes=minutes,
        checkpoint_minutes=checkpoint_minutes,
        description={
            fingerprints.TRAINED: "a sentence encoder",
            **recipe.lasting_fields(),
            "seed": seed,
            "max_length": loop.max_length,
            **{f"task {number}": task.description() for number, task in enumerate(tasks, start=1)},
            "validation": None if validation is None else _fingerprint(*validation),
            "encoder": {**embedder.encoder.get_config(), "name": None},
            "tokenizer": fingerprints.of_tokenizer(embedder.tokenizer),
        },
    )


def _loop(embedder, tasks, recipe, strategy, seed):
    """The `SentenceTrainingLoop` of the embedder's encoder."""
    import tensorflow as tf

    from keras_transformer.training.sentence_training_loop import SentenceTrainingLoop

    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        optimizer = recipe.make_optimizer(embedder.encoder.output_shape[-1])
    return SentenceTrainingLoop(
        embedder.encoder,
        embedder.tokenizer,
        tasks,
        optimizer,
        max_length=min(recipe.max_length, embedder.max_length),
        micro_batch_tokens=recipe.micro_batch_tokens,
        clip_norm=recipe.clip_norm,
        seed=seed,
        strategy=strategy,
    )


def _fingerprint(scores, first, second):
    return fingerprints.fingerprint(np.asarray(scores, "float64"), first, second)
