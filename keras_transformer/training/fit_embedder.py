import warnings

import numpy as np

from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.saved_training import check_patience, run_and_save


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
        verbose: of `TrainingRun.run`.

    Returns:
        The history: a dictionary of figures for each round.

    Raises:
        ValueError: before anything is written, for bad tasks, and for patience without validation; for a training state
            that is damaged or belongs to other arguments; if no round had a finite figure, so that nothing was saved.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3.
    """
    from keras_transformer.evaluation.textual_similarity import pearson
    from keras_transformer.training.sentence_training_loop import SentenceTrainingLoop

    recipe = recipe or EmbeddingRecipe()
    check_patience(recipe, validation)
    encoder = embedder.encoder
    loop = SentenceTrainingLoop(
        encoder,
        embedder.tokenizer,
        tasks,
        recipe.make_optimizer(encoder.output_shape[-1]),
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

    return run_and_save(
        embedder,
        loop,
        lambda epoch: loop.batches(epoch * recipe.steps_per_round, recipe.steps_per_round),
        path,
        recipe,
        monitor=None if validation is None else "val_pearson",
        higher_is_better=True,
        tensorboard=tensorboard,
        verbose=verbose,
        validate=validate,
        minutes=minutes,
        minutes_between_states=minutes_between_states,
        description={
            fingerprints.TRAINED: "a sentence encoder",
            **recipe.lasting_fields(),
            "seed": seed,
            "max_length": loop.max_length,
            **{f"task {number}": task.description() for number, task in enumerate(tasks, start=1)},
            "validation": None if validation is None else _fingerprint(*validation),
            "encoder": {**encoder.get_config(), "name": None},
            "tokenizer": fingerprints.of_tokenizer(embedder.tokenizer),
        },
    )


def _fingerprint(scores, first, second):
    return fingerprints.fingerprint(np.asarray(scores, "float64"), first, second)
