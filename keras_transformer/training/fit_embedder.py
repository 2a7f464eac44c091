import dataclasses
import os
import warnings

from keras_transformer.atomic import remove_unfinished
from keras_transformer.training.callbacks import HistoryFile, SaveBest
from keras_transformer.training.embedding_recipe import EmbeddingRecipe


def fit_embedder(
    embedder,
    tasks,
    validation=None,
    *,
    path,
    recipe=None,
    minutes=None,
    seed=0,
    minutes_between_states=5.0,
    tensorboard=None,
    verbose=1,
):
    """Trains a `TextEmbedder`'s encoder on several tasks at once, and saves the best round's embedder.

    Beside it, history.csv has the figures of each round, and training-state what is needed to go on after a
    kill: called again with the same arguments, the training goes on there. A finished one is not repeated.

    Args:
        embedder: a `TextEmbedder`.
        tasks: a list of `SentenceTask`; each step takes one of them, at random by their weights.
        validation: (scores (N,), N sentences, N sentences), as of the STS benchmark; the Pearson correlation of the
            scores with the cosines chooses the best round. Without it the last one counts.
        path: the `.keras` file for the embedder.
        recipe: an `EmbeddingRecipe`, of which the shape of the model and the vocabulary are not looked at here.
        minutes: stop after this time, if not `None`.
        seed: of the choice of tasks and of the order of their rows.
        minutes_between_states: the state is also written at the end of each round.
        tensorboard: folder for TensorBoard's event files, or `None`.
        verbose: of Keras' progress bar.

    Returns:
        The history: a dictionary of figures for each round.

    Raises:
        ValueError: before anything is written, for bad tasks; for a training state that is damaged or belongs to
            other arguments; if no round had a finite figure, so that nothing was saved.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.
    """
    from keras_transformer.evaluation.textual_similarity import pearson
    from keras_transformer.training.sentence_training_loop import SentenceTrainingLoop
    from keras_transformer.training.training_run import TrainingRun

    recipe = recipe or EmbeddingRecipe()
    encoder = embedder.encoder
    loop = SentenceTrainingLoop(
        encoder,
        embedder.tokenizer,
        tasks,
        recipe.make_optimizer(encoder.output_shape[-1], encoder.compute_dtype),
        max_length=min(recipe.max_length, embedder.max_length),
        tokens_at_once=recipe.tokens_at_once,
        clip_norm=recipe.clip_norm,
        seed=seed,
    )
    for count, what in ((loop.num_cut, f"have more than {loop.max_length} tokens"), (loop.num_empty, "have no token")):
        if count:
            warnings.warn(f"{count:,} of {loop.num_texts:,} texts {what}", stacklevel=2)

    def validate():
        logs = loop.take_losses()
        if validation is not None:
            scores, first, second = validation
            logs["val_pearson"] = pearson(embedder.similarity(first, second, "cosine", paired=True), scores)
        return logs

    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    remove_unfinished(path)
    monitor = None if validation is None else "val_pearson"
    save = SaveBest(embedder, path, monitor, higher_is_better=True, patience=recipe.patience)
    callbacks = [save, HistoryFile(os.path.join(folder, "history.csv"))]
    if tensorboard is not None:
        from keras_transformer.training.tensorboard_scalars import TensorBoardScalars

        callbacks.append(TensorBoardScalars(tensorboard))
    ends = ("patience",) if recipe.schedule == "linear" else ("steps", "patience")
    history = TrainingRun(
        loop,
        lambda epoch: loop.batches(epoch * recipe.steps_per_round, recipe.steps_per_round),
        folder,
        steps=recipe.steps,
        average_last=recipe.average_last,
        validate=validate,
        callbacks=callbacks,
        minutes=minutes,
        minutes_between_states=minutes_between_states,
        description={
            **{name: value for name, value in dataclasses.asdict(recipe).items() if name not in ends},
            "seed": seed,
            "tasks": [[task.name, task.num_rows, task.batch_size, task.weight] for task in tasks],
            "encoder": {**encoder.get_config(), "name": None},
        },
    ).run(verbose)
    if not save.has_saved:
        raise ValueError(f"Expected finite figures. Received: {history[-1]}; nothing is saved")
    if not os.path.exists(path):
        raise FileNotFoundError(f"Expected the embedder of this finished training. Received: {path} is gone")
    return history
