from typing import TYPE_CHECKING, Any

from keras_transformer.training import fingerprints
from keras_transformer.training.losses import LabelSmoothedCrossEntropy
from keras_transformer.training.recipes import TranslationRecipe
from keras_transformer.training.saved_training import check_patience, run_and_save
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    import tensorflow as tf

    from keras_transformer.data import ParallelText
    from keras_transformer.pipelines import Translator


def fit_translator(
    translator: "Translator",
    training: "ParallelText",
    validation: "ParallelText | None" = None,
    *,
    path: PathLike,
    recipe: TranslationRecipe | None = None,
    minutes: float | None = None,
    strategy: "tf.distribute.Strategy | None" = None,
    jit_compile: bool = False,
    seed: int = 0,
    checkpoint_minutes: float = 5.0,
    tensorboard: str | None = None,
    verbose: int = 1,
    origin: Any = None,
) -> list[dict[str, float]]:
    """Trains a translator's `Transformer` by a recipe, and saves the translator of the best evaluation.

    Beside the translator, history.csv has the figures of each evaluation, and training-state is the checkpoint: called
    again with the same arguments after a kill, the training resumes there. A finished one is not repeated.

    Args:
        translator: a `Translator`, made within the scope of the strategy.
        training: a `ParallelText`.
        validation: another, which chooses the best evaluation; without it the last one counts.
        path: the `.keras` file for the translator.
        recipe: a `TranslationRecipe`, of which the shape of the model and the vocabulary are not looked at here.
        minutes: stop after this time, if not `None`.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        jit_compile: compile with XLA, on a small set of shapes.
        seed: of the order of the pairs and of BPE-dropout.
        checkpoint_minutes: checkpoint interval; a checkpoint is also written after each evaluation.
        tensorboard: folder for TensorBoard's event files, or `None`.
        verbose: of `TrainingRun.run`.
        origin: what JSON can hold: a name or fingerprint of the weights that the training begins with, if it matters. A
            checkpoint with another is refused.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: before anything is written, if no pair is left to train on, or BLEU is to choose or patience to
            end without validation pairs; for a checkpoint that is damaged or belongs to other arguments; if no
            evaluation had a finite validation loss, so that nothing was saved.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", sections 5.1 to 5.4.
    """
    recipe = recipe or TranslationRecipe()
    if recipe.monitor == "bleu" and validation is None:
        raise ValueError("Expected validation pairs for monitor='bleu'. Received: none")
    check_patience(recipe, validation)

    def batches_of_epoch(epoch):
        return training.batches(
            recipe.tokens_per_batch,
            seed=seed,
            epoch=epoch,
            fixed_shapes=jit_compile,
            bpe_dropout=recipe.bpe_dropout,
            both_directions=epoch < recipe.bidirectional_epochs,
        )

    _check_any(batches_of_epoch(0), jit_compile)
    return run_and_save(
        translator,
        _loop(translator.transformer, recipe, strategy, jit_compile),
        batches_of_epoch,
        path,
        recipe,
        monitor=None if validation is None else f"val_{recipe.monitor}",
        higher_is_better=recipe.monitor == "bleu",
        tensorboard=tensorboard,
        verbose=verbose,
        epochs=recipe.epochs,
        evaluation_steps=recipe.evaluation_steps,
        validate=dict if validation is None else _validation(translator, validation, recipe),
        minutes=minutes,
        checkpoint_minutes=checkpoint_minutes,
        description={
            fingerprints.TRAINED: "a translator",
            **recipe.lasting_fields("epochs"),
            "seed": seed,
            "jit_compile": jit_compile,
            "origin": origin,
            "training": _description(training),
            "validation": None if validation is None else _description(validation),
            "transformer": {**translator.transformer.get_config(), "name": None},
            "tokenizers": fingerprints.fingerprint(map(fingerprints.of_tokenizer, translator.tokenizers)),
        },
    )


def _check_any(batches, jit_compile):
    if not list(batches.take(1)):
        few = ", or too few to fill a batch, as jit_compile needs" if jit_compile else ""
        raise ValueError(f"Expected training pairs within max_length. Received: all are left out{few}")


def _loop(transformer, recipe, strategy, jit_compile):
    """The `TrainingLoop` of the transformer, which is compiled for it."""
    import tensorflow as tf

    from keras_transformer.training.training_loop import TrainingLoop

    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        transformer.compile(
            recipe.make_optimizer(transformer.get_config()["hidden_dim"]),
            LabelSmoothedCrossEntropy(recipe.label_smoothing),
            jit_compile=jit_compile,
        )
    return TrainingLoop(
        transformer,
        strategy,
        micro_batches=recipe.micro_batches,
        clip_norm=recipe.clip_norm,
        consistency=recipe.consistency,
        jit_compile=jit_compile,
    )


def _validation(translator, validation, recipe):
    from keras_transformer.training.translation_validation import TranslationValidation

    with_bleu = recipe.monitor == "bleu"
    return TranslationValidation(translator, validation, recipe.tokens_per_batch, with_bleu, recipe.bleu_tokenize)


def _description(pairs):
    """What decides the batches of a `ParallelText`, beside the recipe."""
    tokenizers = pairs.source_tokenizer, pairs.target_tokenizer
    return {
        "pairs": pairs.num_pairs,
        "max_length": pairs.max_length,
        "source": fingerprints.fingerprint(pairs.source_lines()),
        "target": fingerprints.fingerprint(pairs.target_lines()),
        "tokenizers": fingerprints.fingerprint(map(fingerprints.of_tokenizer, tokenizers)),
    }
