"""Products of 8-bit integers in TensorFlow graphs whose weights are constants, for quantized layers.

Keras multiplies integers by an operation that TensorFlow has in one slow form on processors. oneDNN, which its builds
for x86 contain, has a fast one. It keeps the weights in the order that the processor wants, and that is why they must
be constants.

A calibration (`calibrating`) tells how large the inputs of a layer are. All rows are then quantized alike, by a number
that is known beforehand, and bias and activation become part of the product. Without, each row is quantized by its own
largest value.

Weights have 64 steps to each side. Processors without VNNI add two products, of an input moved to 0 to 255 and a
weight, in 16 bits: with 127 steps the sum could be too large for them, and would silently be cut off.
"""

import contextlib
import contextvars
import functools

import keras
import numpy as np
from keras import ops

_CONSTANT_WEIGHTS = contextvars.ContextVar("constant_weights", default=False)
_CALIBRATING = contextvars.ContextVar("calibrating", default=False)
# Of 0.5, 0.75, 0.85 and 1 what leaves MiniLM nearest to itself. The paper calls it alpha.
_SMOOTHNESS = 0.75
_WEIGHT_STEPS = 64  # 2 * 255 * 64 < 2 ** 15
# Those that the operation has: its names.
_ACTIVATIONS = {
    None: None,
    keras.activations.linear: None,
    keras.activations.relu: "Relu",
    keras.activations.gelu: "GeluExact",
}


@contextlib.contextmanager
def constant_weights(constant=True):
    """A scope that says whether the values of variables are constants for what is traced in it, but for XLA."""
    token = _CONSTANT_WEIGHTS.set(constant)
    try:
        yield
    finally:
        _CONSTANT_WEIGHTS.reset(token)


@contextlib.contextmanager
def calibrating():
    """A scope in which layers that are called eagerly note how large their inputs are."""
    token = _CALIBRATING.set(True)
    try:
        yield
    finally:
        _CALIBRATING.reset(token)


def is_calibrating():
    """Whether this is an eager call of TensorFlow in a scope of `calibrating`."""
    return _CALIBRATING.get() and keras.config.backend() == "tensorflow" and not _is_graph()


def largest_inputs(inputs, before=None):
    """The largest absolute value of each channel (D,) of inputs (..., D), and of those `before` (D,)."""
    rows = ops.abs(ops.cast(ops.reshape(inputs, (-1, inputs.shape[-1])), "float32"))
    largest = ops.convert_to_numpy(ops.max(rows, axis=0, initial=0.0))
    return largest if before is None else np.maximum(largest, before)


def smoothing(largest, kernel):
    """Factors (D,) that inputs are divided by, and the rows of the kernel (D, F) multiplied, before both are quantized.

    They take from the few channels that are much larger than the others, whom one number for all would round away.

    Args:
        largest: of each channel (D,), what `largest_inputs` found.
        kernel: (D, F).

    References:
        Xiao et al., 2023, "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models",
        section 4.
    """
    inputs, weights = largest, np.abs(kernel).max(axis=1)
    # What the calibration did not see may come.
    inputs, weights = (np.maximum(x, 0.01 * x.max() + keras.config.epsilon()) for x in (inputs, weights))
    return inputs**_SMOOTHNESS / weights ** (1 - _SMOOTHNESS)


def with_exact_weights(config, axis):
    """Keras' configuration of "int8" with as many steps as every processor multiplies exactly, unless it tells them.

    `axis` is that of a product's sum.
    """
    if not isinstance(config, keras.quantizers.Int8QuantizationConfig) or config.weight_quantizer is not None:
        return config
    weights = keras.quantizers.AbsMaxQuantizer(axis=axis, value_range=(-_WEIGHT_STEPS, _WEIGHT_STEPS))
    return keras.quantizers.Int8QuantizationConfig(weights, config.activation_quantizer)


def can_replace(layer, kernel):
    """Whether `product` with the variable `kernel` gives what a quantized Keras layer gives, and can be called here.

    That is in a scope of constant weights, with TensorFlow's operation, inputs that are quantized as is Keras' default,
    and integers that every processor multiplies exactly: a graph may come to another than this one.
    """
    if not _CONSTANT_WEIGHTS.get() or layer.quantization_mode != "int8" or layer.lora_enabled:
        return False
    quantizer = layer.inputs_quantizer
    is_default = isinstance(quantizer, keras.quantizers.AbsMaxQuantizer) and tuple(quantizer.value_range) == (-127, 127)
    if not (is_default and keras.config.backend() == "tensorflow" and _is_graph() and are_available()):
        return False
    return _largest(kernel) <= _WEIGHT_STEPS


def _largest(kernel):
    import tensorflow as tf

    with tf.init_scope():
        return np.abs(ops.convert_to_numpy(kernel).astype("int16")).max()


def product(inputs, kernel, kernel_scale, transposed=False):
    """Each row quantized by its largest absolute value, as Keras does it, times integers, as floats again.

    Args:
        inputs: (..., D), floating.
        kernel: int8 (D, F), or (F, D) with `transposed`.
        kernel_scale: (F,); the matrix stands for `kernel / kernel_scale`.
        transposed: whether `kernel` is the transposed matrix.

    Returns:
        (..., F), float32.

    References:
        Bhandare et al., 2019, "Efficient 8-Bit Quantization of Transformer Neural Machine Language Translation Model".
        Relative to it: a scale for each row, found when the graph runs, and for each column of the matrix.
    """
    # In bfloat16 the largest could become 128, which is none of the integers.
    rows = ops.cast(ops.reshape(inputs, (-1, inputs.shape[-1])), "float32")
    row_scale = 127 / (ops.max(ops.abs(rows), axis=-1, keepdims=True) + keras.config.epsilon())
    integers = _as_quantized(ops.cast(ops.round(rows * row_scale), "int8"))
    largest = 127 / ops.cast(kernel_scale, "float32")
    outputs = _quantized_matmul(integers, 127.0, kernel, largest, transposed)
    return ops.reshape(outputs * (1 / row_scale), (*ops.shape(inputs)[:-1], largest.shape[0]))


def calibrated_product(inputs, input_range, kernel, kernel_scale, bias=None, activation=None):
    """All inputs quantized alike, times integers: with bias and activation in one operation.

    Args:
        inputs: (..., D), floating. What is beyond `input_range` is cut off.
        input_range: what stands for 127.
        kernel: int8 (D, F).
        kernel_scale: (F,); the matrix stands for `kernel / kernel_scale`.
        bias: (F,) or `None`.
        activation: one for which `is_fused` is true.

    Returns:
        (..., F), float32.

    References:
        Jacob et al., 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
        Inference", section 3.
    """
    import tensorflow as tf

    rows = tf.cast(tf.reshape(inputs, (-1, inputs.shape[-1])), tf.float32)
    # What `tf.quantization.quantize` calls, with a warning that it is deprecated.
    integers, _, _ = tf.raw_ops.QuantizeV2(
        input=rows,
        min_range=-input_range,
        max_range=input_range,
        T=tf.qint8,
        mode="SCALED",
        round_mode="HALF_TO_EVEN",
        narrow_range=True,
    )
    largest = 127 / ops.cast(kernel_scale, "float32")
    outputs = _quantized_matmul(integers, input_range, kernel, largest, False, bias, activation)
    return ops.reshape(outputs, (*ops.shape(inputs)[:-1], largest.shape[0]))


def is_fused(activation):
    """Whether `calibrated_product` has the activation."""
    return activation in _ACTIVATIONS


@functools.cache
def are_available():
    """Whether this TensorFlow has the operation: those for x86 processors have."""
    from tensorflow.python.framework import kernels

    found = kernels.get_registered_kernels_for_op("_QuantizedMatMul").kernel
    return any(kernel.device_type == "CPU" for kernel in found)


def _quantized_matmul(rows, input_range, kernel, largest, transposed, bias=None, activation=None):
    """qint8 rows, whose 127 stands for `input_range`, times `kernel`, whose columns' stands for `largest`.

    The range is a number for all rows, known beforehand: the operation prepares itself anew for each that comes.
    """
    import tensorflow as tf

    # `tf.raw_ops` has only operations whose names do not begin with "_".
    from tensorflow.python.framework import op_def_library

    activations = [_ACTIVATIONS[activation]] if _ACTIVATIONS[activation] else []
    outputs = op_def_library.apply_op(
        "_QuantizedMatMul",
        name="quantized_matmul",  # the operation's own begins with what no name may begin with
        device_inputs=[
            rows,
            _as_quantized(kernel),
            tf.zeros(largest.shape) if bias is None else tf.cast(bias, tf.float32),  # it has none without a bias
        ],
        host_inputs=[tf.constant(-input_range), tf.constant(input_range), -largest, largest],
        Tdevice_outputs=[tf.float32],
        Thost_outputs=[],
        T1=tf.qint8,
        T2=tf.qint8,
        Tbias=tf.float32,
        U=tf.float32,
        Tout=tf.float32,
        transpose_a=False,
        transpose_b=transposed,
        is_weight_const=True,
        is_bias_const=True,
        fused_ops=["BiasAdd", *activations, "Dequantize"],
        input_quant_mode="SCALED",
        output_quant_mode="SCALED",
        leakyrelu_alpha=0.2,
    )
    return tf.ensure_shape(tf.nest.flatten(outputs)[0], (rows.shape[0], largest.shape[0]))


def _as_quantized(integers):
    """int8 as TensorFlow's qint8."""
    import tensorflow as tf

    return tf.bitcast(integers, tf.qint8)


def _is_graph():
    import tensorflow as tf

    return not tf.executing_eagerly()
