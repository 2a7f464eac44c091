from typing import Any

import numpy as np
import tensorflow as tf

from keras_transformer.hub.loaded_function import LoadedFunction, split_variables
from keras_transformer.hub.tensor_specs import as_tensors, cast_floats, described


class SignatureFunction(LoadedFunction):
    """A signature of a SavedModel: tensors by name in, a dictionary of tensors out; for inference only.

    Args:
        function: the concrete function of the signature.
        handle: where the SavedModel came from, for error messages.
        output_key: the entry of the outputs to return; `None` for all of them.
        arguments: dictionary of inputs that have the same value at each call.
        inference_only: why it cannot be trained, for error messages.

    Call arguments:
        inputs: a dictionary of tensors by name, or the tensor of the only input.
        training: unused; a signature is a graph for inference.

    Raises:
        ValueError: for an output or an argument that it lacks; for inputs of other names, dtypes or shapes.
    """

    def __init__(
        self,
        function: Any,
        handle: str,
        output_key: str | None = None,
        arguments: dict[str, Any] | None = None,
        inference_only: str = "is called by a signature",
    ):
        arguments = arguments or {}
        self._function, self.inference_only = function, inference_only
        specs = dict(sorted(function.structured_input_signature[1].items()))
        if unknown := sorted(set(arguments) - set(specs)):
            raise ValueError(f"Expected arguments of {handle} among {sorted(specs)}. Received: arguments={unknown}")
        self._arguments = {
            name: np.asarray(value, specs[name].dtype.as_numpy_dtype) for name, value in arguments.items()
        }
        self._inputs = {name: spec for name, spec in specs.items() if name not in arguments}
        super().__init__(handle, output_key, [(self._inputs, function.structured_outputs)])

    @property
    def variables(self) -> tuple[list[tf.Variable], list[tf.Variable]]:
        """([], all variables)."""
        return split_variables([], self._function.variables)

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        if not isinstance(inputs, dict) and len(self._inputs) == 1:
            inputs = dict.fromkeys(self._inputs, inputs)
        matching = isinstance(inputs, dict) and set(inputs) == set(self._inputs)
        if matching:
            inputs = cast_floats(dict(inputs), [self._inputs])
            matching = all(spec.is_compatible_with(inputs[name]) for name, spec in self._inputs.items())
        if not matching:
            raise ValueError(
                f"Expected inputs of {self._handle}: {described(self._inputs)}. Received: {described(inputs)}"
            )
        arguments = {name: tf.constant(value) for name, value in self._arguments.items()}
        return self._outputs_of(lambda: self._function(**inputs, **arguments))

    def as_tensors(self, inputs: Any) -> Any:
        is_only = len(self._inputs) == 1 and not isinstance(inputs, dict)
        return as_tensors(inputs, next(iter(self._inputs.values())) if is_only else self._inputs)
