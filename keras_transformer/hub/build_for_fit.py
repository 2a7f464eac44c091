from typing import Any

import keras
import tensorflow as tf


def build_for_fit(model: keras.Model, inputs: Any, targets: Any) -> None:
    """Builds what `fit` would build, so that `fit` runs on several devices with strings among the inputs.

    For a model made within `strategy.scope()` Keras first averages a batch over the devices, and strings have no
    average. For a model made outside of the scope it does not, but the optimizer and the metrics must be built before
    `fit`:

        strategy = tf.distribute.MirroredStrategy()
        with strategy.scope():
            texts = keras.Input((), dtype="string")
            outputs = keras.layers.Dense(1)(HubLayer(handle, trainable=True)(texts))
        model = keras.Model(texts, outputs)  # outside
        with strategy.scope():
            model.compile("adam", "mse")
            build_for_fit(model, x[:1], y[:1])
            model.fit(x, y)

    Args:
        model: a compiled `keras.Model` whose layers were made and built within the scope, itself made outside of it.
        inputs: a batch of one or more examples.
        targets: of the same examples.

    Raises:
        ValueError: outside of a strategy's scope; for a model made within it, or not compiled.
    """
    if not tf.distribute.has_strategy():
        raise ValueError("Expected a call within strategy.scope(). Received: no strategy")
    strategy = tf.distribute.get_strategy()
    with tf.Graph().as_default():  # Here no scope counts but that which the model remembers.
        made_within = model.distribute_strategy is strategy
    if made_within:
        raise ValueError(
            "Expected a keras.Model made outside of strategy.scope(), of layers made within it. Received: "
            f"{model.name}, which was made within the scope"
        )
    if not model.compiled:
        raise ValueError(f"Expected a compiled model. Received: {model.name}, which is not compiled")
    model.optimizer.build(model.trainable_variables)
    predictions = model(inputs, training=False)
    model.compute_loss(inputs, targets, predictions)
    model.compute_metrics(inputs, targets, predictions)
    model.reset_metrics()
