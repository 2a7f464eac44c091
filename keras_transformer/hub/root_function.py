from typing import Any

import tensorflow as tf

from keras_transformer.hub.loaded_function import LoadedFunction, on_one_device, split_variables, without_repeats
from keras_transformer.hub.tensor_specs import as_tensors, cast_floats, described


class RootFunction(LoadedFunction):
    """The root of a SavedModel, called: the reusable interface of TF2 hub modules, which can be trained.

    Args:
        saved_model: what `tf.saved_model.load` returned.
        handle: where it came from, for error messages.
        output_key: the entry of a dictionary of outputs to return; `None` for all of them.
        arguments: dictionary of further keyword arguments.

    Call arguments:
        inputs: a tensor, or the structure of tensors that the root takes.
        training: Python bool.

    Raises:
        ValueError: for a root without inputs; for an output or an argument that it lacks; for inputs of other dtypes
            or shapes than it was traced for.
    """

    def __init__(self, saved_model: Any, handle: str, output_key: str | None, arguments: dict[str, Any]):
        self._root, self._arguments = saved_model, arguments
        self._parameters = list(saved_model.__call__.function_type.parameters)
        if not self._parameters:
            raise ValueError(f"Expected a SavedModel that takes inputs. Received: {handle}, whose root takes none")
        known = [name for name in self._parameters[1:] if name != "training"]
        if unknown := sorted(set(arguments) - set(known)):
            raise ValueError(f"Expected arguments of {handle} among {known}. Received: arguments={unknown}")
        self._signatures = [trace.structured_input_signature for trace in traces(saved_model)]
        self._inputs = [(*positional, *keyword.values())[0] for positional, keyword in self._signatures]
        outputs = [trace.structured_outputs for trace in traces(saved_model)]
        super().__init__(handle, output_key, list(zip(self._inputs, outputs)))

    @property
    def variables(self) -> tuple[list[tf.Variable], list[tf.Variable]]:
        """(trainable, others): those that the root lists; if it lists none, those that its call uses."""
        used = without_repeats(variable for trace in traces(self._root) for variable in trace.variables)
        variables = getattr(self._root, "variables", used)
        trainable = getattr(self._root, "trainable_variables", [v for v in variables if v.trainable])
        return split_variables(trainable, variables)

    @property
    def has_regularization(self) -> bool:
        """Whether the SavedModel has regularization losses."""
        return bool(getattr(self._root, "regularization_losses", []))

    def regularization_loss(self) -> tf.Tensor:
        """The sum of the regularization losses for the current weights."""
        return on_one_device(lambda: tf.add_n([loss() for loss in self._root.regularization_losses]))

    def __call__(self, inputs: Any, training: bool = False) -> Any:
        inputs = cast_floats(inputs, self._inputs)
        function, more = self._root, dict(self._arguments)
        if training and hasattr(self._root, "call_in_training"):  # of our exports: gradients without a condition
            function = self._root.call_in_training
        elif "training" in self._parameters:
            more["training"] = training
        try:
            return self._outputs_of(lambda: function(inputs, **more))
        except (TypeError, ValueError) as error:  # TensorFlow lists all traces, at great length
            options = "; or ".join(sorted({self._described(*signature) for signature in self._signatures}))
            raise ValueError(
                f"Expected inputs of {self._handle}: {options}. Received: {self._described((inputs,), more)}"
            ) from error

    def as_tensors(self, inputs: Any) -> Any:
        return as_tensors(inputs, self._inputs[0])

    def _described(self, positional, keyword):
        first, *others = [*zip(self._parameters, positional), *keyword.items()]
        return ", ".join([described(first[1]), *(f"{name}={described(value)}" for name, value in others)])


def traces(saved_model: Any) -> list[Any]:
    """The concrete functions behind the call of a SavedModel's root; none if it cannot be called."""
    if not callable(saved_model):
        return []
    call = saved_model.__call__
    return list(getattr(call, "concrete_functions", [call]))
