import keras
import tensorflow as tf

from keras_transformer.types import Logs


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes the logs of each epoch for TensorBoard, over the steps of the optimizer.

    Keras' own callback does not know at which step a resumed training stands.

    Args:
        folder: for the event files.

    Example:
        >>> board = keras_transformer.training.TensorBoardScalars(str(tmp_path))
        >>> board.on_epoch_end(0, {"loss": 2.5, "step": 100})
        >>> len(list(tmp_path.glob("events*")))
        1
    """

    def __init__(self, folder: str):
        super().__init__()
        self.folder = folder
        self._writer = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
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

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._writer:
            self._writer.close()
