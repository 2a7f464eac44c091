import os

import keras
import tensorflow as tf

# Keras has no public way to ask, and its own TFSMLayer refuses by this function.
from keras.src.saving.serialization_lib import in_safe_mode


@keras.saving.register_keras_serializable(package="keras_transformer")
class HubLayer(keras.layers.Layer):
    """A TF2 SavedModel of the hub's reusable interface as a Keras 3 layer; strings go in too.

    Args:
        handle: folder of the SavedModel, or any handle that `tensorflow_hub.resolve` takes.
        trainable: whether its trainable weights are trained with the model around it, its regularization losses
            are added, and it runs in training mode during training.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        inputs: what the SavedModel takes.
        training: passed on, if the SavedModel has such an argument and the layer is trainable.

    Returns:
        What the SavedModel returns.

    Raises:
        ValueError: if the SavedModel cannot be called (it lacks the reusable interface); and, when a `.keras`
            file is loaded in safe mode, because a graph is code.

    References:
        "Reusable SavedModels", the TF Hub documentation.
    """

    def __init__(self, handle, trainable=False, **kwargs):
        # The SavedModel fixes its dtypes; Keras' casts would only spoil them.
        super().__init__(trainable=trainable, autocast=False, **kwargs)
        self.handle = os.fspath(handle)
        with tf.init_scope():
            self.saved_model = _load(_resolve(self.handle))
        if not callable(self.saved_model):
            signatures = sorted(getattr(self.saved_model, "signatures", {}))
            raise ValueError(
                "Expected a SavedModel that can be called (the reusable interface of TF2 hub "
                f"modules). Received: {self.handle}, which has only the signatures {signatures}"
            )
        self._adopt_variables()
        function_type = self.saved_model.__call__.function_type
        self._takes_training = "training" in function_type.parameters
        self.built = True

    def _adopt_variables(self):
        """Makes Keras variables that share the SavedModel's; a `keras.Variable` of a `tf.Variable` is no copy."""
        trainable = list(getattr(self.saved_model, "trainable_variables", []))
        known = {id(variable) for variable in trainable}
        others = [v for v in getattr(self.saved_model, "variables", []) if id(v) not in known]
        for variables, is_trainable in ((trainable, True), (others, False)):
            for variable in variables:
                adopted = keras.Variable(
                    variable,
                    trainable=is_trainable,
                    dtype=variable.dtype.name,
                    name=variable.name.split(":")[0].replace("/", "_"),
                )
                self._track_variable(adopted)

    def call(self, inputs, training=None):
        if not self._takes_training:
            outputs = self.saved_model(inputs)
        else:
            outputs = self.saved_model(inputs, training=bool(training) and self.trainable)
        if self.trainable:
            for loss in getattr(self.saved_model, "regularization_losses", []):
                self.add_loss(loss())
        return outputs

    def get_config(self):
        return {**super().get_config(), "handle": self.handle}

    @classmethod
    def from_config(cls, config):
        if in_safe_mode():
            raise ValueError(
                f"Expected safe_mode=False to load a HubLayer, because a SavedModel "
                f"({config['handle']}) is a graph that may do anything. Received: safe_mode=True"
            )
        return cls(**config)


def _load(path):
    """Loads a SavedModel; the operations of tensorflow_text are registered only if it has some."""
    try:
        return tf.saved_model.load(path)
    except (RuntimeError, tf.errors.NotFoundError) as error:
        if "Op type not registered" not in str(error):
            raise
        try:
            import tensorflow_text  # noqa: F401
        except ImportError:
            raise error from None
        return tf.saved_model.load(path)


def _resolve(handle):
    """The local folder of a handle."""
    if os.path.isdir(handle):
        return handle
    import tensorflow_hub

    return tensorflow_hub.resolve(handle)
