import contextlib
import os
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.names import CHECKPOINT
from keras_transformer.training.saved_training import check_patience, run_and_save
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.types import Config, Logs, PathLike

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from keras_transformer.pipelines import QuestionAnswerEmbedder, TextEmbedder


def fit_encoder(
    pipeline: "TextEmbedder | QuestionAnswerEmbedder",
    encoder: "keras.Model",
    tasks: Sequence[SentenceTask],
    score: Callable[[], Logs] | None,
    monitor: str,
    *,
    path: PathLike,
    description: Config,
    recipe: EmbeddingRecipe | None = None,
    strategy: "tf.distribute.Strategy | None" = None,
    seed: int = 0,
    **options: Any,
) -> list[dict[str, float]]:
    """What `fit_embedder` and `fit_question_answerer` share: trains an encoder of texts, saves the pipeline around it.

    Args:
        pipeline: has the encoder's tokenizer.
        encoder: a model from token ids to vectors.
        tasks: a list of `SentenceTask`.
        score: a function without arguments to the figures of an evaluation, or `None`: the last one counts.
        monitor: the one of these figures that chooses the best evaluation, by the highest value.
        path: the `.keras` file for the pipeline.
        description: what else must be the same when the training is resumed.
        recipe: an `EmbeddingRecipe`.
        strategy: a `tf.distribute.Strategy`; by default the current one.
        seed: of the choice of tasks and of the order of their rows.
        **options: of `run_and_save`.

    Returns:
        The history: a dictionary of figures for each evaluation.
    """
    import tensorflow as tf

    recipe = recipe or EmbeddingRecipe()
    strategy = strategy or tf.distribute.get_strategy()
    check_patience(recipe, score)
    with _start(pipeline, encoder, tasks, path, recipe, strategy):
        loop = _loop(pipeline, encoder, tasks, recipe, strategy, seed)
        for count, what in (
            (loop.num_truncated, f"have more than {loop.max_length} tokens"),
            (loop.num_empty, "have no token"),
        ):
            if count:
                warnings.warn(f"{count:,} of {loop.num_texts:,} texts {what}", stacklevel=3)
        return run_and_save(
            pipeline,
            loop,
            lambda epoch: loop.batches(epoch * recipe.evaluation_steps, recipe.evaluation_steps),
            path,
            recipe,
            monitor=monitor if score else None,
            higher_is_better=True,
            validate=lambda: {**loop.take_losses(), **(score() if score else {})},
            stacklevel=3,
            description={
                **description,
                **recipe.lasting_fields(),
                "seed": seed,
                "max_length": loop.max_length,
                **{f"task {number}": task.description() for number, task in enumerate(tasks, start=1)},
                "tokenizer": fingerprints.of_tokenizer(pipeline.tokenizer),
            },
            **options,
        )


def _start(pipeline, encoder, tasks, path, recipe, strategy):
    """Makes a new training begin as its recipe says; within the context what was computed is not trained on."""
    if not recipe.least_squares_start:
        return contextlib.nullcontext()
    if not os.path.exists(os.path.join(os.path.dirname(path), CHECKPOINT)):
        from keras_transformer.training.least_squares_start import start_from_least_squares

        with strategy.scope():
            start_from_least_squares(encoder, pipeline.tokenizer, tasks, min(recipe.max_length, pipeline.max_length))
    # Steps would move the rows of rare tokens at random, and lose what the solution knows of them.
    return _untrained(encoder.summed_tables)


@contextlib.contextmanager
def _untrained(layers):
    for layer in layers:
        layer.trainable = False
    try:
        yield
    finally:
        for layer in layers:
            layer.trainable = True


def _loop(pipeline, encoder, tasks, recipe, strategy, seed):
    """The `SentenceTrainingLoop` of the encoder."""
    from keras_transformer.training.sentence_training_loop import SentenceTrainingLoop

    with strategy.scope():
        optimizer = recipe.make_optimizer(encoder.output_shape[-1])
    return SentenceTrainingLoop(
        encoder,
        pipeline.tokenizer,
        tasks,
        optimizer,
        max_length=min(recipe.max_length, pipeline.max_length),
        micro_batch_tokens=recipe.micro_batch_tokens,
        clip_norm=recipe.clip_norm,
        seed=seed,
        strategy=strategy,
    )
