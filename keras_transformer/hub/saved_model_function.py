"""The function of a loaded SavedModel that a layer calls: its root's or one of its signatures."""

import keras
import numpy as np
import tensorflow as tf


def choose_function(saved_model, handle, signature=None, output_key=None, arguments=None, tf1_hub_format=False):
    """The function that answers these options.

    Args:
        saved_model: what `tf.saved_model.load` returned.
        handle: where it came from, for errors.
        signature: name of a signature; `None` for the root itself if it can be called, else for the signature
            "serving_default" or the only one.
        output_key: the entry of a dictionary of outputs to return; `None` for all of them.
        arguments: dictionary of further keyword arguments.
        tf1_hub_format: whether it was written by `hub.Module`: by default its signature and output "default" are meant.

    Returns:
        A `RootFunction` or a `SignatureFunction`.

    Raises:
        ValueError: for a signature, an output or an argument that there is not.
    """
    signatures = dict(getattr(saved_model, "signatures", {}))
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise ValueError(f"Expected arguments to be a dictionary. Received: {arguments!r}")
    is_callable = bool(_traces(saved_model))
    if is_callable and signature is None:
        return RootFunction(saved_model, handle, output_key, arguments)
    if not is_callable and not signatures:
        raise ValueError(f"Expected a SavedModel with functions. Received: {handle}, of which none was traced")
    if is_callable:
        why = f"is called by its signature {signature!r}, a graph for inference"
    elif tf1_hub_format:
        why = "is in the TF1 hub format, which TF2 loads without regularization losses and updates of its statistics"
    else:
        why = "has no reusable interface (its root cannot be called), only signatures, which are graphs for inference"
    if signature is None and tf1_hub_format:
        signature, output_key = "default", output_key or "default"
    if signature is None:
        usual = ["serving_default"] if "serving_default" in signatures else list(signatures)
        if len(usual) != 1:
            raise ValueError(
                f"Expected signature to be one of {sorted(signatures)}, since the root of {handle} cannot be called. "
                "Received: signature=None"
            )
        signature = usual[0]
    if signature not in signatures:
        raise ValueError(f"Expected one of the signatures {sorted(signatures)} of {handle}. Received: {signature!r}")
    return SignatureFunction(signatures[signature], handle, output_key, arguments, why)


class RootFunction:
    """The call of a SavedModel that has the reusable interface of TF2 hub modules.

    Attributes:
        inference_only: `None`: it can be trained.
        input_dtype: of the only input tensor; "float32" if there are several.
        only_output: the name of the only output, if it comes in a dictionary.
    """

    inference_only = None

    def __init__(self, saved_model, handle, output_key, arguments):
        self._root, self._handle = saved_model, handle
        self._output_key, self._arguments = output_key, arguments
        self._parameters = list(saved_model.__call__.function_type.parameters)
        self._specs = [trace.structured_input_signature for trace in _traces(saved_model)]
        if not self._parameters:
            raise ValueError(f"Expected a SavedModel that takes inputs. Received: {handle}, whose root takes none")
        self._inputs = [(*positional, *keyword.values())[0] for positional, keyword in self._specs]
        self.input_dtype = _only_dtype(self._inputs[0])
        known = [name for name in self._parameters[1:] if name != "training"]
        if unknown := sorted(set(arguments) - set(known)):
            raise ValueError(f"Expected arguments of {handle} among {known}. Received: arguments={unknown}")
        outputs = [trace.structured_outputs for trace in _traces(saved_model)]
        for each in outputs:
            _check_output_key(output_key, each, handle)
        self.only_output = _only_output(output_key, outputs[0])

    @property
    def variables(self):
        """(trainable, others): those that the root lists; where it lists none, those that its call uses."""
        used = _without_repeats(variable for trace in _traces(self._root) for variable in trace.variables)
        variables = getattr(self._root, "variables", used)
        trainable = getattr(self._root, "trainable_variables", [v for v in variables if v.trainable])
        return _split(trainable, variables)

    @property
    def has_regularization(self):
        """Whether the SavedModel has regularization losses."""
        return bool(getattr(self._root, "regularization_losses", []))

    def regularization_loss(self):
        """Their sum, with the weights as they are now."""
        return _on_one_device(lambda: tf.add_n([loss() for loss in self._root.regularization_losses]))

    def __call__(self, inputs, training):
        """The outputs for one tensor or structure of tensors; `training` is a Python bool."""
        inputs = _cast_floats(inputs, self._inputs)
        function, more = self._root, dict(self._arguments)
        if training and hasattr(self._root, "call_in_training"):  # of our exports: gradients without a condition
            function = self._root.call_in_training
        elif "training" in self._parameters:
            more["training"] = training
        try:
            outputs = _on_one_device(lambda: function(inputs, **more))
        except (TypeError, ValueError) as error:  # no function for them, says TensorFlow at great length
            options = "; or ".join(sorted({self._described(*spec) for spec in self._specs}))
            raise ValueError(
                f"Expected inputs of {self._handle}: {options}. Received: {self._described((inputs,), more)}"
            ) from error
        return outputs if self._output_key is None else outputs[self._output_key]

    def as_tensors(self, inputs):
        """`inputs` with Python lists as tensors, where the SavedModel takes tensors."""
        return _as_tensors(inputs, self._inputs[0])

    def _described(self, positional, keyword):
        first, *others = [*zip(self._parameters, positional), *keyword.items()]
        return ", ".join([_described(first[1]), *(f"{name}={_described(value)}" for name, value in others)])


class SignatureFunction:
    """A signature: tensors by name in, a dictionary of tensors out; for inference.

    Attributes:
        inference_only: why it cannot be trained.
        input_dtype: of the only input tensor; "float32" if there are several.
        only_output: the name of the only output, if it comes in a dictionary.
    """

    def __init__(self, function, handle, output_key, arguments, inference_only):
        self._function, self._handle, self._output_key = function, handle, output_key
        self.inference_only = inference_only
        self._specs = dict(sorted(function.structured_input_signature[1].items()))
        if unknown := sorted(set(arguments) - set(self._specs)):
            raise ValueError(
                f"Expected arguments of {handle} among {sorted(self._specs)}. Received: arguments={unknown}"
            )
        self._arguments = {
            name: np.asarray(value, self._specs[name].dtype.as_numpy_dtype) for name, value in arguments.items()
        }
        self._inputs = {name: spec for name, spec in self._specs.items() if name not in arguments}
        self.input_dtype = _only_dtype(self._inputs)
        _check_output_key(output_key, function.structured_outputs, handle)
        self.only_output = _only_output(output_key, function.structured_outputs)

    @property
    def variables(self):
        """(trainable, others), all of them others."""
        return _split([], self._function.variables)

    def __call__(self, inputs, training):
        """The outputs for a tensor, or for a dictionary of tensors by name."""
        if not isinstance(inputs, dict) and len(self._inputs) == 1:
            inputs = dict.fromkeys(self._inputs, inputs)
        matching = isinstance(inputs, dict) and set(inputs) == set(self._inputs)
        if matching:
            inputs = _cast_floats(dict(inputs), [self._inputs])
            matching = all(spec.is_compatible_with(inputs[name]) for name, spec in self._inputs.items())
        if not matching:
            raise ValueError(
                f"Expected inputs of {self._handle}: {_described(self._inputs)}. Received: {_described(inputs)}"
            )
        arguments = {name: tf.constant(value) for name, value in self._arguments.items()}
        outputs = _on_one_device(lambda: self._function(**inputs, **arguments))
        return outputs if self._output_key is None else outputs[self._output_key]

    def as_tensors(self, inputs):
        """`inputs` with Python lists as tensors."""
        is_only = len(self._inputs) == 1 and not isinstance(inputs, dict)
        return _as_tensors(inputs, next(iter(self._inputs.values())) if is_only else self._inputs)


def _traces(saved_model):
    """The concrete functions behind the call of a SavedModel's root; none if it cannot be called."""
    if not callable(saved_model):
        return []
    call = saved_model.__call__
    return list(getattr(call, "concrete_functions", [call]))


def _on_one_device(function):
    """Calls `function`. What was loaded within `strategy.scope()` runs on one of its devices, not on all at once."""
    strategy = tf.distribute.get_strategy()
    if not (tf.executing_eagerly() and tf.distribute.has_strategy() and tf.distribute.in_cross_replica_context()):
        return function()
    return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], strategy.run(function))


def _without_repeats(variables):
    return list({id(variable): variable for variable in variables}.values())


def _split(trainable, variables):
    trainable = _without_repeats(trainable)
    known = {id(variable) for variable in trainable}
    return trainable, [variable for variable in _without_repeats(variables) if id(variable) not in known]


def _only_dtype(spec):
    """The dtype of the only tensor of a structure; "float32" if there are several."""
    specs = tf.nest.flatten(spec)
    return specs[0].dtype.name if len(specs) == 1 else "float32"


def _check_output_key(output_key, outputs, handle):
    if output_key is None:
        return
    if not isinstance(outputs, dict):
        raise ValueError(f"Expected output_key=None, since {handle} returns no dictionary. Received: {output_key!r}")
    if output_key not in outputs:
        raise ValueError(f"Expected one of the outputs {sorted(outputs)} of {handle}. Received: {output_key!r}")


def _only_output(output_key, outputs):
    """The name of the only output of a dictionary that is returned as such, else `None`."""
    is_returned = output_key is None and isinstance(outputs, dict) and len(outputs) == 1
    return next(iter(outputs)) if is_returned else None


def _as_tensors(inputs, spec):
    if isinstance(inputs, dict) and isinstance(spec, dict):
        return {name: _as_tensors(value, spec.get(name)) for name, value in inputs.items()}
    if isinstance(inputs, (list, tuple)) and isinstance(spec, (list, tuple)) and len(inputs) == len(spec):
        return type(spec)(_as_tensors(*pair) for pair in zip(inputs, spec))
    is_python = isinstance(inputs, (list, tuple, str, bytes, float, int))
    if not is_python or not isinstance(spec, tf.TensorSpec):
        return inputs
    if any(isinstance(leaf, keras.KerasTensor) for leaf in tf.nest.flatten(inputs)):
        return inputs
    try:
        return tf.convert_to_tensor(inputs, spec.dtype)
    except (TypeError, ValueError):
        return tf.convert_to_tensor(inputs)  # of a dtype that the call will complain of


def _cast_floats(inputs, specs):
    """Floats in the precision of one of `specs`: what is around the SavedModel may compute in another."""
    for spec in specs:
        try:
            tf.nest.assert_same_structure(inputs, spec)
        except (TypeError, ValueError):
            continue
        return tf.nest.map_structure(_cast_float, inputs, spec)
    return inputs


def _cast_float(value, spec):
    are_floats = all(hasattr(each, "dtype") and each.dtype.is_floating for each in (value, spec))
    return tf.cast(value, spec.dtype) if are_floats else value


def _described(value):
    """A tensor, its spec or a structure of them as dtype and shape; other values as they are."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_described(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_described, value)) + "]"
    if not hasattr(value, "dtype") or not hasattr(value, "shape"):
        return repr(value)
    shape = tf.TensorShape(value.shape)
    return f"{tf.as_dtype(value.dtype).name} {'of any shape' if shape.rank is None else tuple(shape)}"
