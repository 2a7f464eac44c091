import tensorflow as tf


class Tf1Tables(tf.saved_model.experimental.TrackableResource):
    """What fills the tables of a SavedModel of TF1, for Keras' `export`, which of resources keeps those of this class.

    Args:
        saved_model: what `tf.saved_model.load` returned. Its attribute `initializer` is a resource too, of a class that
            Keras passes over: the exported model would have empty tables.
    """

    def __init__(self, saved_model):
        super().__init__()
        self._saved_model = saved_model

    def _create_resource(self):
        return tf.constant(0.0)  # there is none of its own

    # TensorFlow has no public way to give a resource something to be saved with it.
    def _trackable_children(self, save_type="checkpoint", **kwargs):
        return {**super()._trackable_children(save_type, **kwargs), "saved_model": self._saved_model}
