import csv
import math
from typing import Any

import keras

from keras_transformer.arguments import optional_positive_integer
from keras_transformer.atomic import replacing
from keras_transformer.types import Logs, PathLike


class SaveBest(keras.callbacks.Callback):
    """Saves an object as `.keras` after each epoch that improved; the file is whole at any moment.

    `keras.callbacks.ModelCheckpoint` writes in place and only the model that is trained; here it may be the
    `Translator` around it.

    Args:
        saved: the object to save, with Keras' `save(path)`.
        path: the `.keras` file.
        monitor: the logged value that decides, or `None` to save after every epoch.
        higher_is_better: whether that value should rise, as BLEU does, instead of fall.
        patience: epochs in a row without a better one that end the training, or `None`.

    Attributes:
        has_saved: whether any epoch was saved.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> best = keras_transformer.training.SaveBest(model, tmp_path / "best.keras", monitor="val_loss")
        >>> for epoch, loss in enumerate([2.0, 1.0, 3.0]):
        ...     best.on_epoch_end(epoch, {"val_loss": loss})
        >>> best.best
        1.0
    """

    def __init__(
        self,
        saved: Any,
        path: PathLike,
        monitor: str | None = "val_loss",
        higher_is_better: bool = False,
        patience: int | None = None,
    ):
        super().__init__()
        self.saved = saved
        self.path = path
        self.monitor = monitor
        self.sign = -1.0 if higher_is_better else 1.0
        self.patience = optional_positive_integer("patience", patience)
        self.best = math.inf
        self.waited = 0
        self.has_saved = False

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor)
            if value is None:
                raise ValueError(f"Expected {self.monitor!r} among the logs. Received: {sorted(logs or {})}")
            if not self.sign * value < self.best:
                self.waited += 1
                self._stop_if_patience_ends()
                return
            self.best = self.sign * value
            self.waited = 0
        with replacing(self.path) as unfinished:
            self.saved.save(unfinished)
        self.has_saved = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._stop_if_patience_ends()  # it may have ended before

    def _stop_if_patience_ends(self):
        if self.patience and self.waited >= self.patience:
            self.model.stop_training = True

    def get_state(self) -> Any:
        """What a resumed training needs."""
        return {"best": self.best, "waited": self.waited, "has_saved": self.has_saved}

    def set_state(self, state: Any) -> None:
        """The reverse of `get_state`."""
        self.best, self.waited, self.has_saved = state["best"], state["waited"], state["has_saved"]


class HistoryFile(keras.callbacks.Callback):
    """Writes the logs of all epochs as CSV after each one; the file is whole at any moment.

    Args:
        path: the file.

    Example:
        >>> keras_transformer.training.HistoryFile(tmp_path / "history.csv").on_epoch_end(0, {"loss": 2.5})
        >>> (tmp_path / "history.csv").read_text()
        'epoch,loss\\n1,2.5\\n'
    """

    def __init__(self, path: PathLike):
        super().__init__()
        self.path = path
        self.rows = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.rows.append({"epoch": epoch + 1, **(logs or {})})
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with replacing(self.path) as unfinished, open(unfinished, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)

    def get_state(self) -> Any:
        """What a resumed training needs."""
        return self.rows

    def set_state(self, state: Any) -> None:
        """The reverse of `get_state`."""
        self.rows = state
