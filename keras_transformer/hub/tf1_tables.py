from typing import Any

import tensorflow as tf


class Tf1Tables(tf.saved_model.experimental.TrackableResource):
    """Initializes the tables of a SavedModel of TF1 in a model that Keras exports.

    Keras' `export` keeps resources of this class only. The SavedModel's own `initializer` is of another class: without
    this one the exported model would have empty tables.

    Args:
        saved_model: what `tf.saved_model.load` returned.
    """

    def __init__(self, saved_model: Any):
        super().__init__()
        self._saved_model = saved_model

    def _create_resource(self):
        return tf.constant(0.0)  # there is none of its own

    # TensorFlow has no public way to give a resource something to be saved with it.
    def _trackable_children(self, save_type="checkpoint", **kwargs):
        return {**super()._trackable_children(save_type, **kwargs), "saved_model": self._saved_model}
