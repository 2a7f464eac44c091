"""What a SavedModel's root and its signatures have in common when they are called."""

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from keras_transformer.hub.tensor_specs import Spec, only_dtype


class LoadedFunction:
    """A function of a loaded SavedModel.

    Args:
        handle: where the SavedModel came from, for error messages.
        output_key: the entry of a dictionary of outputs to return; `None` for all of them.
        specs: a list of (specs of the inputs, specs of the outputs), one for each trace.

    Attributes:
        specs: as the argument.
        inference_only: why the function cannot be trained; `None` if it can.
        input_dtype: the dtype of the only input tensor; "float32" if there are several.
        only_output: the name of the only output, if it is returned in a dictionary; else `None`.

    Raises:
        ValueError: for an `output_key` that the outputs lack.
    """

    inference_only: str | None = None

    def __init__(self, handle: str, output_key: str | None, specs: list[tuple[Spec, Spec]]):
        self.specs = specs
        self.input_dtype = only_dtype(specs[0][0])
        self._handle, self._output_key = handle, output_key
        for _, outputs in specs:
            _check_output_key(output_key, outputs, handle)
        outputs = specs[0][1]
        is_returned = output_key is None and isinstance(outputs, dict) and len(outputs) == 1
        self.only_output = next(iter(outputs)) if is_returned else None

    @property
    def variables(self) -> tuple[list[tf.Variable], list[tf.Variable]]:
        """(trainable variables, other variables)."""
        raise NotImplementedError

    def as_tensors(self, inputs: Any) -> Any:
        """`inputs` with Python lists converted to tensors, where the SavedModel takes tensors."""
        raise NotImplementedError

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        """The outputs for `inputs`."""
        raise NotImplementedError

    def _outputs_of(self, call: Callable[[], Any]) -> Any:
        outputs = on_one_device(call)
        return outputs if self._output_key is None else outputs[self._output_key]


def on_one_device(function: Callable[[], Any]) -> Any:
    """Calls `function`. What was loaded within `strategy.scope()` runs on one of its devices, not on all at once."""
    strategy = tf.distribute.get_strategy()
    if not (tf.executing_eagerly() and tf.distribute.has_strategy() and tf.distribute.in_cross_replica_context()):
        return function()
    return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], strategy.run(function))


def split_variables(
    trainable: Iterable[tf.Variable], variables: Iterable[tf.Variable]
) -> tuple[list[tf.Variable], list[tf.Variable]]:
    """(the trainable variables, all others), each once."""
    trainable = without_repeats(trainable)
    known = {id(variable) for variable in trainable}
    return trainable, [variable for variable in without_repeats(variables) if id(variable) not in known]


def without_repeats(variables: Iterable[tf.Variable]) -> list[tf.Variable]:
    return list({id(variable): variable for variable in variables}.values())


def _check_output_key(output_key, outputs, handle):
    if output_key is None:
        return
    if not isinstance(outputs, dict):
        raise ValueError(f"Expected output_key=None, since {handle} returns no dictionary. Received: {output_key!r}")
    if output_key not in outputs:
        raise ValueError(f"Expected one of the outputs {sorted(outputs)} of {handle}. Received: {output_key!r}")
