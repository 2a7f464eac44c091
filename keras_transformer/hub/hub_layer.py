import json
import warnings
from typing import Any

import keras
import tensorflow as tf

# Keras has no public way to ask, and its own TFSMLayer refuses by this function.
from keras.src.saving.serialization_lib import in_safe_mode

from keras_transformer.hub.adopted_variables import adopt_variables
from keras_transformer.hub.saved_model_files import MOST_BYTES, SavedModelFiles, made_in_this_process
from keras_transformer.hub.saved_model_function import choose_function
from keras_transformer.hub.tf1_tables import Tf1Tables
from keras_transformer.types import Config, PathLike, Shape


@keras.saving.register_keras_serializable(package="keras_transformer")
class HubLayer(keras.layers.Layer):
    """Any SavedModel as a Keras 3 layer: from TF-Hub or from disk, written by any library, for strings too.

    The layer can be trained if the SavedModel has the reusable interface of TF2 hub modules, that is, if its root can
    be called. `variables`, `trainable_variables` and `regularization_losses` are those of the root. If the root lists
    no variables (that of a plain `tf.Module` does not), they are the variables that its call uses, trainable as they
    were created. A SavedModel that is called by a signature is for inference only: what Keras' `export` writes, and
    the TF1 hub format.

    A `.keras` file holds the SavedModel itself (its files, in base64 in the config: 4/3 of their size) and the current
    weights, so that it loads without the handle. Until a model is saved or exported for the last time, the folder that
    it was loaded from must not change. `save_weights` writes the weights alone.

    Inside the layer computations are in the SavedModel's own dtypes, whatever the mixed precision around it: floats
    are cast on their way in.

    Under a `tf.distribute.Strategy` make the layer within `strategy.scope()`. `keras_transformer.training.TrainingLoop`
    trains it like any other; for `fit` with strings among the inputs see `build_for_fit`.

    A model around a TF1 SavedModel of reference variables (TensorFlow warns of them while it loads) cannot be
    exported: TensorFlow does not write them again.

    Args:
        handle: folder of the SavedModel; or a tar archive of it, compressed or not; or any handle that
            `tensorflow_hub.resolve` takes, which keeps downloads in `TFHUB_CACHE_DIR`.
        trainable: whether the layer is fine-tuned with the model around it: its trainable weights are trained, its
            regularization losses are added (once, however often the layer is called), and it runs in training mode
            during training.
        signature: name of the signature to call. By default the root is called; if it cannot be, the signature
            "serving_default", or the only one ("default" in the TF1 hub format).
        output_key: the entry of a dictionary of outputs to return. By default the dictionary is returned (the entry
            "default" in the TF1 hub format if no `signature` is named).
        arguments: dictionary of keyword arguments passed at each call, of values that JSON holds.
        tags: list of tags of the graph to load, for SavedModels of TF1 with several.
        input_shape: the shape of an input without the batch, `[]` for strings: a `keras.Sequential` that begins with
            this layer is then built before it sees data.
        output_shape: the shape of the output without the batch, for a SavedModel that does not tell it; checked at
            each call.
        dtype: the dtype of the only input; any other than the SavedModel's own is refused.
        max_unpacked_size: the bytes that an archive, or the copy in a `.keras` file, may unpack to; 8 GiB by default.
            It does not limit what `tensorflow_hub` downloads and unpacks.
        **kwargs: `name` of `keras.layers.Layer`.

    Call arguments:
        inputs: what the SavedModel takes: a tensor, or a dictionary or list of tensors. A signature takes a
            dictionary, or its only input. A Python list is converted to a tensor. (`fit` and `predict` of a model take
            a string tensor, or an array with `dtype=object`: Keras takes no lists of `str` there.)
        training: passed on, if the SavedModel has such an argument and the layer is trainable.

    Returns:
        What the SavedModel returns; a signature returns a dictionary. (A dictionary of one output causes a warning,
        since layers like `Dense` do not take it for its tensor.)

    Raises:
        FileNotFoundError: if there is nothing at `handle`.
        OSError: if `handle` cannot be fetched, or a file cannot be read.
        ValueError: for what is no complete SavedModel, with the damaged file; for an archive that is too large, or
            holds links or paths outside of its folder; for another `dtype`; for outputs of another `output_shape`; for
            a signature, an output or an argument that the SavedModel lacks; for `trainable=True` of a SavedModel for
            inference only (if that is set later, at the next call); for inputs of other dtypes or shapes; and, when a
            `.keras` file is loaded in safe mode, because a graph is code.

    Example:
        >>> import tensorflow as tf
        >>> module = tf.Module()
        >>> module.scale = tf.Variable(2.0)
        >>> spec = tf.TensorSpec([None, 3], tf.float32)
        >>> module.__call__ = tf.function(lambda x: x * module.scale, input_signature=[spec], autograph=False)
        >>> tf.saved_model.save(module, str(tmp_path / "saved"))
        >>> layer = keras_transformer.hub.HubLayer(tmp_path / "saved", trainable=True)
        >>> layer([[1.0, 2.0, 3.0]]).numpy()
        array([[2., 4., 6.]], dtype=float32)
        >>> inputs = keras.Input((3,))
        >>> model = keras.Model(inputs, keras.layers.Dense(5)(layer(inputs)))
        >>> len(model.trainable_variables)
        3

    References:
        "Reusable SavedModels", the TF Hub documentation.
    """

    def __init__(
        self,
        handle: PathLike | SavedModelFiles,
        trainable: bool = False,
        signature: str | None = None,
        output_key: str | None = None,
        arguments: dict[str, Any] | None = None,
        tags: list[str] | None = None,
        input_shape: Shape | None = None,
        output_shape: Shape | None = None,
        dtype: Any = None,
        max_unpacked_size: int = MOST_BYTES,
        **kwargs: Any,
    ):
        # `from_config` passes the files that it unpacked.
        files = handle if isinstance(handle, SavedModelFiles) else SavedModelFiles(handle, None, max_unpacked_size)
        options = _as_json_holds(
            signature=signature, output_key=output_key, arguments=arguments, tags=tags,
            input_shape=_shape("input_shape", input_shape), output_shape=_shape("output_shape", output_shape),
            max_unpacked_size=max_unpacked_size,
        )  # fmt: skip
        with tf.init_scope():
            saved_model = files.load(options["tags"])
        function = choose_function(
            saved_model, files.handle, signature, output_key, options["arguments"], files.is_tf1_hub_format
        )
        _check_dtype(dtype, function.input_dtype, files.handle)
        # Keras asks no layer before a `Dense` that gets a dictionary of one tensor says `KeyError: -1`.
        if function.only_output is not None and files is not handle:
            warnings.warn(
                f"{files.handle} gives a dictionary of one output. For a layer that takes a tensor, as Dense does, "
                f"pass output_key={function.only_output!r}",
                stacklevel=2,
            )
        # Before its first data a Sequential model asks for the dtype. Keras' own casts would only spoil them.
        super().__init__(trainable=trainable, dtype=function.input_dtype, autocast=False, **kwargs)
        self.supports_jit = False  # XLA knows no strings and tables
        self.handle = files.handle
        self.saved_model = saved_model
        if hasattr(saved_model, "initializer"):
            self._tf1_tables = Tf1Tables(saved_model)
        self._files, self._function = files, function
        self._options = json.dumps(options)  # of a dictionary TensorFlow would make something to be tracked
        if input_shape is not None:
            self.input_shape = (None, *options["input_shape"])  # where a Sequential model looks for it
        self._output_shape = None if output_shape is None else (None, *options["output_shape"])
        self._check_trainable()
        self._weights_to_train, self._other_weights = adopt_variables(function, self.trainable, files.handle)
        for weight in self._weights_to_train:  # only now: Keras tracks by what they are when they are assigned
            weight.trainable = self.trainable
        self.built = True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(self._function.as_tensors(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        self._check_trainable()
        outputs = self._function(inputs, training=bool(training) and self.trainable)
        return outputs if self._output_shape is None else self._shaped(outputs)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["dtype"]
        return {**config, "handle": self.handle, **json.loads(self._options), "saved_model": self._files.as_text()}

    @classmethod
    def from_config(cls, config: Config) -> "HubLayer":
        """The layer of a config, with the SavedModel that the config holds.

        Raises:
            ValueError: in safe mode, and where Keras is not loading, unless this process made the config itself.
        """
        config = dict(config)
        text = config.pop("saved_model", None)
        copying = in_safe_mode() is None and text is not None and made_in_this_process(text)
        if in_safe_mode() is not False and not copying:
            raise ValueError(
                f"Expected safe_mode=False to load a HubLayer, because a SavedModel ({config['handle']}) is a graph "
                f"that may do anything. Received: safe_mode={in_safe_mode()}"
            )
        if text is not None:
            config["handle"] = SavedModelFiles(config["handle"], text, config.get("max_unpacked_size", MOST_BYTES))
        trainable = config.pop("trainable", False)
        layer = cls(**config)
        # The constructor would refuse what `model.trainable = True` sets for every layer.
        layer.trainable = trainable
        return layer

    def _shaped(self, outputs):
        if not tf.is_tensor(outputs) or not outputs.shape.is_compatible_with(self._output_shape):
            found = outputs.shape if tf.is_tensor(outputs) else type(outputs).__name__
            raise ValueError(f"Expected outputs of {self.handle} of shape {self._output_shape}. Received: {found}")
        return tf.ensure_shape(outputs, self._output_shape)

    def _check_trainable(self):
        if self.trainable and self._function.inference_only:
            raise ValueError(
                f"Expected trainable=False: {self.handle} {self._function.inference_only}. Received: trainable=True"
            )


def _shape(name, shape):
    """A shape without the batch as a list."""
    if shape is None:
        return None
    try:
        return tf.TensorShape(shape).as_list()
    except (TypeError, ValueError) as error:
        raise ValueError(f"Expected a list of sizes, without that of the batch. Received: {name}={shape!r}") from error


def _check_dtype(dtype, own, handle):
    """Old notebooks name the dtype; another than the SavedModel's would not do what it says."""
    try:
        is_own = dtype is None or tf.as_dtype(dtype).name == own
    except TypeError:
        is_own = False
    if not is_own:
        raise ValueError(f"Expected no dtype but that of {handle}, {own!r}. Received: dtype={dtype!r}")


def _as_json_holds(**options):
    """The options as they come back from a config: tuples as lists."""
    try:
        return json.loads(json.dumps(options))
    except TypeError as error:
        raise ValueError(f"Expected arguments and tags that JSON holds. Received: {options}") from error
