"""The variables of a SavedModel as Keras variables: a `keras.Variable` of a `tf.Variable` shares its value."""

import keras
import tensorflow as tf

from keras_transformer.hub.loaded_function import LoadedFunction


def adopt_variables(
    function: LoadedFunction, trainable: bool, handle: str
) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """Makes Keras variables that share the values of a function's variables.

    Args:
        function: of a SavedModel.
        trainable: whether there must be something to train.
        handle: where the SavedModel came from, for error messages.

    Returns:
        (variables that can be trained, all of them trainable; others). The first brings the regularization losses.

    Raises:
        ValueError: if `trainable` and there is nothing to train.
    """
    to_train, others = function.variables
    if trainable and not to_train:
        raise ValueError(f"Expected trainable=False: {handle} has no trainable weights. Received: trainable=True")
    # Keras has no variables of strings or of unknown shape: they stay the SavedModel's alone.
    others = [v for v in others if v.dtype != tf.string and v.shape.is_fully_defined()]
    adopted = [_adopted(variable, trainable=True) for variable in to_train]
    if adopted and function.has_regularization:
        # Keras adds what regularizes a weight once, and only while the weight is trained.
        adopted[0].regularizer = _Penalty(function)
    return adopted, [_adopted(variable, trainable=False) for variable in others]


class _Penalty(keras.regularizers.Regularizer):
    """The regularization losses of a SavedModel, whichever of its weights they are of."""

    def __init__(self, function):
        self._function = function

    def __call__(self, weight):
        return self._function.regularization_loss()


def _adopted(variable, trainable):
    return keras.Variable(
        variable,
        trainable=trainable,
        dtype=variable.dtype.name,
        autocast=False,
        name=variable.name.split(":")[0].replace("/", "_"),
    )
