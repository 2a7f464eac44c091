import keras
import tensorflow as tf


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes the logs of each epoch for TensorBoard, over the steps of the optimizer.

    Keras' own callback does not know at which step a training that goes on later stands.

    Args:
        folder: for the event files.
    """

    def __init__(self, folder):
        super().__init__()
        self.folder = folder
        self._writer = None

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs or {})
        self._writer = self._writer or tf.summary.create_file_writer(self.folder)
        step = int(logs.pop("step", epoch + 1))
        # What `tf.summary.scalar` writes, which needs the tensorboard package installed where the training runs.
        scalar = tf.compat.v1.SummaryMetadata(
            plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
            data_class=1,  # DATA_CLASS_SCALAR
        )
        with self._writer.as_default(step=step):
            for name, value in logs.items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=scalar)
        self._writer.flush()

    def on_train_end(self, logs=None):
        if self._writer:
            self._writer.close()
