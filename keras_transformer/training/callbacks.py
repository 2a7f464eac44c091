import math
import time

import keras

from keras_transformer.arguments import positive_number
from keras_transformer.atomic import replacing


class SaveBest(keras.callbacks.Callback):
    """Saves an object as `.keras` after each epoch that improved; the file is whole at any moment.

    `keras.callbacks.ModelCheckpoint` writes in place and only the model that is trained; here it may be the
    `Translator` around it.

    Args:
        saved: the object to save, with Keras' `save(path)`.
        path: the `.keras` file.
        monitor: the logged value that should fall, or `None` to save after every epoch.

    Attributes:
        has_saved: whether any epoch was saved.
    """

    def __init__(self, saved, path, monitor="val_loss"):
        super().__init__()
        self.saved = saved
        self.path = path
        self.monitor = monitor
        self.best = math.inf
        self.has_saved = False

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor)
            if value is None:
                raise ValueError(f"Expected {self.monitor!r} among the logs. Received: {sorted(logs or {})}")
            if not value < self.best:
                return
            self.best = value
        with replacing(self.path) as unfinished:
            self.saved.save(unfinished)
        self.has_saved = True


class StopAfter(keras.callbacks.Callback):
    """Ends training after a time, in the middle of an epoch if need be; that epoch is still validated.

    Args:
        minutes: from the start of `fit` on, compilation included.
    """

    def __init__(self, minutes):
        super().__init__()
        self.minutes = positive_number("minutes", minutes)
        self._started = None

    def on_train_begin(self, logs=None):
        self._started = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._started > 60 * self.minutes:
            self.model.stop_training = True
