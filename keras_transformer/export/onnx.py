"""Functions as models of ONNX, for ONNX Runtime and what is built on it."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_transformer import quiet

# Of the operators' set: the newest that tf2onnx writes, and the first with BitwiseXor.
_OPSET = 18


def onnx_model(function: Callable[..., Mapping[str, tf.Tensor]]) -> bytes:
    """Converts a function to a model of ONNX. Sizes that the function's signature leaves open stay open.

    Args:
        function: a concrete function of named tensors that gives a dictionary and holds no variables
            (`keras_transformer.export.frozen_weights`).

    Returns:
        The model, a serialized `onnx.ModelProto`: inputs and outputs with the names of the function's.

    Raises:
        ImportError: if tf2onnx is not installed.
        ValueError: for a function with variables, and one with an operation that ONNX lacks.

    Example:
        >>> import tensorflow as tf
        >>> from keras_transformer.export import onnx_model
        >>> signature = [tf.TensorSpec([None], tf.float32, name="x")]
        >>> double = tf.function(lambda x: {"y": 2.0 * x}, input_signature=signature).get_concrete_function()
        >>> model = onnx_model(double)  # doctest: +SKIP
    """
    if function.variables:
        raise ValueError(f"Expected a function without variables. Received one with {len(function.variables)}")
    check_installed()
    import onnx
    from tf2onnx import convert, optimizer, tf_loader, tfonnx

    inputs, outputs = ([tensor.name for tensor in tensors] for tensors in (function.inputs, function.outputs))
    with quiet.without_log("tf2onnx"), tf.device("/cpu:0"):
        names = convert.tensor_names_from_structed(function, inputs, outputs)
        definition = tf_loader.from_function(function, inputs, outputs)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
            converted = tfonnx.process_tf_graph(
                graph,
                opset=_OPSET,
                input_names=inputs,
                output_names=outputs,
                tensors_to_rename=names,
                custom_op_handlers={name: (handler, []) for name, handler in _HANDLERS.items()},
            )
        # Not `catch_errors`, which copies the weights before each step.
        converted = optimizer.optimize_graph(converted, catch_errors=False, optimizers=_optimizers(optimizer))
        model = converted.make_model("keras_transformer")
    if others := sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)}):
        raise ValueError(f"Expected operations that ONNX has. Received others: {', '.join(others)}")
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def with_sentencepiece(model: bytes, tokenizer: bytes, inputs: Sequence[str]) -> bytes:
    """Puts a SentencePiece model before a model of ONNX, so that it takes strings.

    What runs it is ONNX Runtime with the operations of onnxruntime-extensions.

    Args:
        model: a serialized `onnx.ModelProto`.
        tokenizer: a serialized SentencePiece model.
        inputs: the names of the model's inputs: int32 (K,), the ids of all texts one behind another, and int64
            (N + 1,), where each text begins, and where the last one ends.

    Returns:
        The model, whose one input is "text", strings (N,).
    """
    import onnx
    from onnx import TensorProto, helper

    proto = onnx.ModelProto.FromString(model)
    received = [value.name for value in proto.graph.input]
    if sorted(received) != sorted(inputs):
        raise ValueError(f"Expected a model with the inputs {list(inputs)}. Received: {received}")
    del proto.graph.input[:]
    proto.graph.input.append(helper.make_tensor_value_info("text", TensorProto.STRING, ["N"]))
    # No n best, no sampling, no begin and end ids, not in reverse.
    options = {"nbest": (TensorProto.INT64, 0), "alpha": (TensorProto.FLOAT, 0.0)}
    options |= dict.fromkeys(("begin", "end", "reverse"), (TensorProto.BOOL, False))
    names = [f"sentencepiece/{name}" for name in options]
    for name, (kind, value) in zip(names, options.values()):
        proto.graph.initializer.append(helper.make_tensor(name, kind, [1], [value]))
    domain = "ai.onnx.contrib"
    node = helper.make_node("SentencepieceTokenizer", ["text", *names], inputs, domain=domain, model=tokenizer)
    proto.graph.node.insert(0, node)
    proto.opset_import.append(helper.make_opsetid(domain, 1))
    return proto.SerializeToString(deterministic=True)


def check_installed() -> None:
    """Raises `ImportError`, with what is to be installed, unless tf2onnx is there."""
    try:
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError("Expected tf2onnx: pip install 'keras-transformer-layers[onnx]'") from error


def _optimizers(optimizer) -> "OrderedDict[str, Any]":
    """tf2onnx' own, but for the one that writes sizes of 0, "as in the input", into reshapes.

    Another one then leaves out the reshape before, as that of a projection before heads are split, and with it the
    input that was meant.
    """
    kinds = "Transpose", "ConstFold", "MergeDuplicatedNodes", "Identity", "BackToBack"
    return OrderedDict((kind, getattr(optimizer, f"{kind}Optimizer")) for kind in kinds)


def _erfc(graph, node, name, args):
    """1 - Erf, which ONNX has: of the exact GELU."""
    output, shape, dtype = node.output[0], graph.get_shape(node.output[0]), graph.get_dtype(node.output[0])
    graph.remove_node(name)
    erf = graph.make_node("Erf", node.input, shapes=[shape], dtypes=[dtype])
    one = graph.make_const(f"{name}/one", np.ones([], "float32"))
    graph.make_node("Sub", [one.output[0], erf.output[0]], name=name, outputs=[output], shapes=[shape], dtypes=[dtype])


def _where(graph, node, name, args):
    """Where: tf2onnx' own are products with 0 and 1 if a shape is unknown, and 0 times NaN is NaN."""
    from onnx import TensorProto

    node.type = "Where"
    output, shape, dtype = node.output[0], graph.get_shape(node.output[0]), graph.get_dtype(node.output[0])
    if dtype != TensorProto.BOOL:
        return
    # ONNX Runtime has none of booleans.
    for place in (1, 2):
        cast = graph.make_node("Cast", [node.input[place]], attr={"to": TensorProto.INT32})
        graph.replace_input(node, node.input[place], cast.output[0], place)
    graph.set_dtype(output, TensorProto.INT32)
    cast = graph.insert_new_node_on_output("Cast", output, to=TensorProto.BOOL)
    graph.set_shape(cast.output[0], shape)
    graph.set_dtype(cast.output[0], dtype)


def _as_it_is(graph, node, name, args):
    """An operation that ONNX has by the same name."""


def _floor_mod(graph, node, name, args):
    """Mod, whose result has the sign of the divisor; tf2onnx' own has that of the dividend. ONNX's is of integers."""
    from onnx import TensorProto

    if graph.get_dtype(node.output[0]) in (TensorProto.INT32, TensorProto.INT64):
        node.type = "Mod"


_HANDLERS = {"BitwiseXor": _as_it_is, "Erfc": _erfc, "FloorMod": _floor_mod, "SelectV2": _where}
