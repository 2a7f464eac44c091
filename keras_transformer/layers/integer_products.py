"""Products of 8-bit integers in TensorFlow graphs whose weights are constants, for quantized layers.

Keras multiplies integers by an operation that TensorFlow has in one slow form on processors. oneDNN, which its builds
for x86 contain, has a fast one. It keeps the weights in the order that the processor wants, and that is why they must
be constants.
"""

import contextlib
import contextvars
import functools

import keras
from keras import ops

_CONSTANT_WEIGHTS = contextvars.ContextVar("constant_weights", default=False)


@contextlib.contextmanager
def constant_weights(constant=True):
    """A scope that says whether the values of variables are constants for what is traced in it, but for XLA."""
    token = _CONSTANT_WEIGHTS.set(constant)
    try:
        yield
    finally:
        _CONSTANT_WEIGHTS.reset(token)


def can_replace(layer):
    """Whether `product` gives what a quantized Keras layer gives, and can be called here.

    That is in a scope of constant weights, with TensorFlow's operation, and the quantization that is Keras' default.
    """
    if not _CONSTANT_WEIGHTS.get() or layer.quantization_mode != "int8" or layer.lora_enabled:
        return False
    quantizer = layer.inputs_quantizer
    is_default = isinstance(quantizer, keras.quantizers.AbsMaxQuantizer) and tuple(quantizer.value_range) == (-127, 127)
    return is_default and keras.config.backend() == "tensorflow" and _is_graph() and are_available()


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
    import tensorflow as tf

    # In bfloat16 the largest could become 128, which is none of the integers.
    rows = ops.cast(ops.reshape(inputs, (-1, inputs.shape[-1])), "float32")
    row_scale = 127 / (ops.max(ops.abs(rows), axis=-1, keepdims=True) + keras.config.epsilon())
    integers = ops.cast(ops.round(rows * row_scale), "int8")
    largest = 127 / ops.cast(kernel_scale, "float32")
    outputs = _quantized_matmul(tf.bitcast(integers, tf.qint8), tf.bitcast(kernel, tf.qint8), largest, transposed)
    return ops.reshape(outputs * (1 / row_scale), (*ops.shape(inputs)[:-1], largest.shape[0]))


@functools.cache
def are_available():
    """Whether this TensorFlow has the operation: those for x86 processors have."""
    from tensorflow.python.framework import kernels

    found = kernels.get_registered_kernels_for_op("_QuantizedMatMul").kernel
    return any(kernel.device_type == "CPU" for kernel in found)


def _quantized_matmul(rows, kernel, largest, transposed):
    """`rows` times `kernel`, whose columns' 127 stands for `largest`, in float32.

    The operation could scale rows too, but by one number for all, and would prepare itself anew for each such number.
    """
    import tensorflow as tf

    # `tf.raw_ops` has only operations whose names do not begin with "_".
    from tensorflow.python.framework import op_def_library

    outputs = op_def_library.apply_op(
        "_QuantizedMatMul",
        name="quantized_matmul",  # the operation's own begins with what no name may begin with
        device_inputs=[rows, kernel, tf.zeros(largest.shape)],
        host_inputs=[tf.constant(-127.0), tf.constant(127.0), -largest, largest],
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
        fused_ops=["BiasAdd", "Dequantize"],  # it has none without a bias
        input_quant_mode="SCALED",
        output_quant_mode="SCALED",
        leakyrelu_alpha=0.2,
    )
    return tf.ensure_shape(tf.nest.flatten(outputs)[0], (rows.shape[0], largest.shape[0]))


def _is_graph():
    import tensorflow as tf

    return not tf.executing_eagerly()
