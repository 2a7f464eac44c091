import os
import warnings

import keras

from keras_transformer import arguments
from keras_transformer.training.callbacks import SaveBest, StopAfter
from keras_transformer.training.losses import LabelSmoothedCrossEntropy
from keras_transformer.training.metrics import Perplexity, TokenAccuracy
from keras_transformer.training.schedules import InverseSquareRootSchedule


def fit_translator(
    translator,
    training,
    validation=None,
    *,
    path,
    epochs,
    tokens_per_batch=2048,
    learning_rate=2e-3,
    warmup_steps=1000,
    label_smoothing=0.1,
    minutes=None,
    jit_compile=False,
    seed=None,
):
    """Trains a translator's `Transformer` with `fit` and the paper's recipe, and saves the best epoch's translator.

    Adam with 0.9, 0.98 and 1e-9, warm-up and inverse square root, label smoothing, batches of about equal length.

    Args:
        translator: a `Translator`.
        training: a `ParallelText`.
        validation: another, whose loss chooses the best epoch; without it the last epoch counts.
        path: the `.keras` file for the translator. A history.csv is written beside it.
        epochs: passes over `training` at most.
        tokens_per_batch: of `ParallelText.batches`.
        learning_rate: the peak of the schedule; the default suits some ten thousand pairs.
        warmup_steps: of the schedule.
        label_smoothing: of the loss.
        minutes: stop after this time, if not `None`.
        jit_compile: compile with XLA, on a small set of shapes.
        seed: of the order of the pairs.

    Returns:
        What `fit` returns.

    Raises:
        ValueError: for numbers out of range, before anything is written; if no pair is left to train on; if no epoch
            had a finite validation loss, so that nothing was saved.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", sections 5.1 to 5.4.
    """
    arguments.positive_integer("epochs", epochs)
    callbacks = [] if minutes is None else [StopAfter(minutes)]
    batches = training.batches(tokens_per_batch, seed=seed, fixed_shapes=jit_compile)
    optimizer = keras.optimizers.Adam(
        InverseSquareRootSchedule(learning_rate, warmup_steps), beta_1=0.9, beta_2=0.98, epsilon=1e-9
    )
    loss = LabelSmoothedCrossEntropy(label_smoothing)
    if validation is not None:
        # No batch may be dropped here, even if XLA then compiles more shapes.
        validation = validation.batches(tokens_per_batch, shuffle=False)
    for name, dataset in (("training", batches), ("validation", validation)):
        if dataset is not None and not list(dataset.take(1)):
            raise ValueError(f"Expected {name} pairs within max_length. Received: all are left out")

    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    save = SaveBest(translator, path, monitor=None if validation is None else "val_loss")
    log = keras.callbacks.CSVLogger(os.path.join(folder, "history.csv"))
    translator.transformer.compile(optimizer, loss, metrics=[TokenAccuracy(), Perplexity()], jit_compile=jit_compile)
    with warnings.catch_warnings():
        # Shuffling fills the buckets differently: an epoch may have a batch less than the first, of which Keras warns.
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        history = translator.transformer.fit(
            batches, validation_data=validation, epochs=epochs, callbacks=[save, log, *callbacks]
        )
    if not save.has_saved:
        raise ValueError(f"Expected a finite loss. Received: val_loss={history.history['val_loss']}; nothing is saved")
    return history
