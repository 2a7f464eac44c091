import contextlib
import os

import tensorflow as tf

from keras_transformer.pipelines.streaming import in_length_order
from keras_transformer.text.tokenizer import as_strings


class ExportedTranslator:
    """A SavedModel from strings to strings, called as a `Translator` is.

    It runs what `Translator.export` wrote, or another project's SavedModel: its signature "serving_default", if that
    takes one vector of strings and gives one, else its root. How it searches is fixed in its graph.

    Args:
        path: the folder of the SavedModel.

    Attributes:
        max_source_length: sources of more tokens are cut, as its signature "lengths" tells; `None` if it has none.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.

    Returns:
        A string tensor (N,).

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if it does not go from strings to strings.
    """

    def __init__(self, path):
        path = os.fspath(path)
        if not os.path.isfile(os.path.join(path, "saved_model.pb")):
            raise FileNotFoundError(f"Expected the folder of a SavedModel. Received: {path}")
        # Registers the operations of its tokenizers; a SavedModel without any does without.
        with contextlib.suppress(ImportError):
            import tensorflow_text  # noqa: F401
        self._root = tf.saved_model.load(path)  # keeps the variables of the function
        self._function = _strings_to_strings(self._root, path)
        self._lengths = getattr(self._root, "signatures", {}).get("lengths")
        self.max_source_length = None
        if self._lengths is not None:
            self.max_source_length = int(self._lengths(inputs=tf.constant([""]))["longest"])

    def __call__(self, inputs):
        return self._function(as_strings(inputs))

    def num_source_tokens(self, texts):
        """As `Translator.num_source_tokens`, where `max_source_length` is known."""
        return self._lengths(inputs=as_strings(texts))["outputs"]

    def translate(self, texts, batch_size=32):
        """As `Translator.translate`: an iterable of `str`, however long, in constant memory.

        Args:
            texts: an iterable of `str`, a file of lines for example.
            batch_size: sentences that are translated at once.

        Yields:
            One `str` for each text.

        Raises:
            ValueError: for a batch size below 1, and a single string.
        """
        return in_length_order(texts, batch_size, self._translate_batch)

    def _translate_batch(self, texts):
        return [translation.decode("utf-8", "replace") for translation in self(texts).numpy()]


def _strings_to_strings(root, path):
    signature = getattr(root, "signatures", {}).get("serving_default")
    if signature is None:
        if not callable(root):
            raise ValueError(f"Expected a SavedModel with a signature serving_default in {path}. Received: none")
        return root
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    for specs in (inputs, outputs):
        if [spec.dtype for spec in specs.values()] != [tf.string] or not _is_vector(*specs.values()):
            raise ValueError(
                f"Expected a SavedModel from strings to strings in {path}. Received: from {_dtypes(inputs)} to "
                f"{_dtypes(outputs)}"
            )
    (argument,), (result,) = inputs, outputs
    return lambda texts: signature(**{argument: texts})[result]


def _is_vector(spec):
    return spec.shape.rank in (1, None)


def _dtypes(specs):
    return {name: f"{spec.dtype.name} {spec.shape}" for name, spec in specs.items()}
