import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_transformer import arguments
from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.pair_data import PairData
from keras_transformer.training.saved_training import check_patience, run_and_save
from keras_transformer.types import Logs, PathLike

if TYPE_CHECKING:
    import tensorflow as tf

    from keras_transformer.pipelines import TextPairScorer
    from keras_transformer.training.training_loop import TrainingLoop


def fit_pair_scorer(
    scorer: "TextPairScorer",
    data: PairData,
    validation: PairData | None = None,
    *,
    path: PathLike,
    recipe: EmbeddingRecipe | None = None,
    batch_size: int = 32,
    strategy: "tf.distribute.Strategy | None" = None,
    seed: int = 0,
    origin: Any = None,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a `TextPairScorer`'s cross-encoder, and saves the scorer of the best evaluation.

    The loss is the binary cross-entropy of a sigmoid's score, the cross-entropy of classes, or the squared error of
    "linear" scores, a teacher's for example. Beside the scorer, history.csv has the figures of each evaluation, and
    training-state is the checkpoint: called again with the same arguments after a kill, the training resumes there. A
    finished one is not repeated.

    Args:
        scorer: a `TextPairScorer`, made within the scope of the strategy, with the activation and the labels of `data`.
        data: the pairs that are learned from.
        validation: other pairs: the average precision of targets that are 0 and 1, the rank correlation of others, or
            the accuracy of classes chooses the best evaluation. Without it the last one counts.
        path: the `.keras` file for the scorer.
        recipe: an `EmbeddingRecipe`, of which the shape of the model and the vocabulary are not looked at here.
        batch_size: pairs of a step.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        seed: of the order of the pairs.
        origin: what JSON can hold: a name or fingerprint of the weights that the training begins with, if it matters. A
            checkpoint with another is refused.
        **options: `minutes`, `checkpoint_minutes`, `tensorboard` and `verbose` of `fit_embedder`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: before anything is written, for data that the scorer has not the activation or the labels of, for
            data or validation whose targets are all equal, a `max_length` below 3, and patience without validation; for
            a checkpoint that is damaged or belongs to other arguments; if no evaluation had a finite figure, so that
            nothing was saved.

    References:
        Nogueira and Cho, 2019, "Passage Re-ranking with BERT"; Thakur et al., 2021, "Augmented SBERT".
    """
    from keras_transformer.text.text_pairs import NUM_ENDS
    from keras_transformer.training.pair_batches import PairBatches

    recipe = recipe or EmbeddingRecipe()
    check_patience(recipe, validation)
    for name, one in {"pairs": data, "validation": validation}.items():
        if one is not None:
            _check_fits(scorer, one)
            _check_targets(name, one)
    max_length = min(recipe.max_length, scorer.max_length)
    if max_length < NUM_ENDS:
        raise ValueError(f"Expected a max_length of at least {NUM_ENDS}. Received: max_length={max_length}")
    num_devices = strategy.num_replicas_in_sync if strategy else 1
    max_tokens = recipe.micro_batch_tokens * num_devices
    arguments.positive_integer("batch_size", batch_size)
    batches = PairBatches(data, scorer.tokenizer, max_length, batch_size, max_tokens, seed)
    if batches.num_truncated:
        count = f"{batches.num_truncated:,} of {len(data.pairs):,}"
        warnings.warn(f"{count} pairs have more than {max_length} tokens", stacklevel=2)
    return run_and_save(
        scorer,
        training_loop(scorer, recipe, strategy, batches.micro_batches),
        batches.of_epoch,
        path,
        recipe,
        monitor=_monitor(validation) if validation else None,
        higher_is_better=True,
        evaluation_steps=recipe.evaluation_steps,
        validate=(lambda: _figures(scorer, validation)) if validation else dict,
        description={
            fingerprints.TRAINED: "a pair scorer",
            **recipe.lasting_fields(),
            "seed": seed,
            "batch_size": batch_size,
            "max_length": max_length,
            "origin": origin,
            "pairs": data.description(),
            "validation": validation.description() if validation else None,
            "encoder": _nameless(scorer.encoder.get_config()),
            "tokenizer": fingerprints.of_tokenizer(scorer.tokenizer),
        },
        **options,
    )


def _check_fits(scorer, data):
    if (scorer.activation, scorer.labels) != (data.activation, data.labels):
        raise ValueError(
            f"Expected pairs for the activation {scorer.activation!r} and the labels {scorer.labels} of the scorer. "
            f"Received: {data.activation!r} and {data.labels}"
        )


def training_loop(
    scorer: "TextPairScorer",
    recipe: EmbeddingRecipe,
    strategy: "tf.distribute.Strategy | None" = None,
    micro_batches: int = 1,
) -> "TrainingLoop":
    """The `TrainingLoop` of a scorer's cross-encoder, which is compiled for it with the loss of its activation."""
    import keras
    import tensorflow as tf

    from keras_transformer.training.training_loop import TrainingLoop

    strategy = strategy or tf.distribute.get_strategy()
    model = scorer.encoder
    with strategy.scope():
        if scorer.activation == "linear":
            loss = keras.losses.MeanSquaredError()
        elif scorer.activation == "softmax":
            loss = keras.losses.CategoricalCrossentropy(from_logits=True)
        else:
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile(recipe.make_optimizer(model.encoder.output_shape[-1]), loss, jit_compile=False)
    return TrainingLoop(model, strategy, micro_batches=micro_batches, clip_norm=recipe.clip_norm)


def _check_targets(name, data):
    """Refuses targets that are all equal: nothing can be learnt from these, and no order measured."""
    if _kind(data) != "classes" and np.ptp(data.targets) == 0:
        raise ValueError(
            f"Expected {name} of different targets; a ranking has them in rows with wrong texts. Received: "
            f"{data.targets[0]:g} alone"
        )


def _kind(validation):
    if validation.labels:
        return "classes"
    is_match = np.isin(validation.targets, (0, 1)).all() and validation.activation == "sigmoid"
    return "matches" if is_match else "similarity"


def _monitor(validation):
    names = {"classes": "accuracy", "matches": "average_precision", "similarity": "spearman"}
    return f"val_{names[_kind(validation)]}"


def _figures(scorer, validation) -> Logs:
    from keras_transformer.evaluation.pair_scores import main_figure

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* have more than max_length")  # in each evaluation
        scores = scorer.score(validation.pairs)
    return {_monitor(validation): main_figure(scores, validation.targets, _kind(validation))[1]}


def _nameless(config):
    """Without the names of models, which count those of the process."""
    inner = config["encoder"]
    return {**config, "name": None, "encoder": {**inner, "config": {**inner["config"], "name": None}}}
