import warnings

import keras
import pytest
import tensorflow as tf

from keras_transformer.training import TrainingLoop
from keras_transformer.training.optimization import Optimization
from keras_transformer.training.saved_training import run_and_save, saying_what_was_written


def train(folder, **options):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", keras.losses.MeanSquaredError())
    batches = tf.data.Dataset.from_tensors((tf.ones((2, 1)), tf.ones((2, 1)))).repeat(3)
    recipe = Optimization(**options)
    return run_and_save(
        model, TrainingLoop(model), lambda epoch: batches, folder / "m.keras", recipe, verbose=0, epochs=2
    )


def test_a_training_that_ends_within_its_warmup_is_warned_of(tmp_path):
    with pytest.warns(UserWarning, match=r"ended after 6 steps, within its warm-up of 1,000: .* only 1% of its peak"):
        train(tmp_path / "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        train(tmp_path / "b", warmup_steps=6)


def test_says_what_was_written(tmp_path):
    said, path = [], tmp_path / "file"
    for text in ("a", None):
        with saying_what_was_written(path, said.append):
            if text:
                path.write_text(text)
    assert said == [f"Wrote {path}", f"{path} stays as it is"]
