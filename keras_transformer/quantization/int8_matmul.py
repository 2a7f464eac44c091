"""int8 matrix multiplication by oneDNN, in TensorFlow graphs whose weights are constants.

Keras multiplies int8 matrices by an operation that is slow in TensorFlow on CPUs. TensorFlow for x86 contains oneDNN,
which has a fast one. It reorders the weights once, for the processor, and keeps them: so they must be constants.

Activations are quantized dynamically, each row by its own largest value, or statically, all rows by one range that a
calibration found. Static quantization lets bias and activation function become part of the multiplication.

Weights are quantized to [-64, 64]. Processors without VNNI add two products, of an activation moved to [0, 255] and a
weight, in 16 bits: with weights up to 127 the sum could overflow, and would silently be cut off.
"""

import functools

import keras
from keras import ops

from keras_transformer.types import Activation, Tensor

LARGEST_WEIGHT = 64  # 2 * 255 * 64 < 2 ** 15
# The operation's names of the activation functions that it has.
_ACTIVATIONS = {
    None: None,
    keras.activations.linear: None,
    keras.activations.relu: "Relu",
    keras.activations.gelu: "GeluExact",
}


@functools.cache
def is_available() -> bool:
    """Whether this TensorFlow has the operation: builds for x86 processors have."""
    # There is no public list of the kernels of an operation.
    from tensorflow.python.framework import kernels

    found = kernels.get_registered_kernels_for_op("_QuantizedMatMul").kernel
    return any(kernel.device_type == "CPU" for kernel in found)


def has_activation(activation: Activation) -> bool:
    """Whether `static_matmul` can apply the activation function."""
    return activation in _ACTIVATIONS


def dynamic_matmul(inputs: Tensor, kernel: Tensor, kernel_scale: Tensor, transposed: bool = False) -> Tensor:
    """Quantizes each row by its largest absolute value, as Keras does, and multiplies.

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
    # In bfloat16 the largest could become 128, which int8 does not hold.
    rows = ops.cast(ops.reshape(inputs, (-1, inputs.shape[-1])), "float32")
    row_scale = 127 / (ops.max(ops.abs(rows), axis=-1, keepdims=True) + keras.config.epsilon())
    integers = _as_quantized(ops.cast(ops.round(rows * row_scale), "int8"))
    kernel_range = 127 / ops.cast(kernel_scale, "float32")
    outputs = _quantized_matmul(integers, 127.0, kernel, kernel_range, transposed)
    return ops.reshape(outputs * (1 / row_scale), (*ops.shape(inputs)[:-1], kernel_range.shape[0]))


def static_matmul(
    inputs: Tensor,
    input_range: float,
    kernel: Tensor,
    kernel_scale: Tensor,
    bias: Tensor | None = None,
    activation: Activation = None,
) -> Tensor:
    """Quantizes all rows by one range, multiplies, adds the bias and applies the activation in one operation.

    Args:
        inputs: (..., D), floating. What is outside [-`input_range`, `input_range`] is clipped.
        input_range: the value that is quantized to 127.
        kernel: int8 (D, F).
        kernel_scale: (F,); the matrix stands for `kernel / kernel_scale`.
        bias: (F,) or `None`.
        activation: a function for which `has_activation` is true.

    Returns:
        (..., F), float32.

    References:
        Jacob et al., 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
        Inference", section 3.
    """
    import tensorflow as tf

    rows = tf.cast(tf.reshape(inputs, (-1, inputs.shape[-1])), tf.float32)
    # `tf.quantization.quantize` calls it too, with a deprecation warning.
    integers, _, _ = tf.raw_ops.QuantizeV2(
        input=rows,
        min_range=-input_range,
        max_range=input_range,
        T=tf.qint8,
        mode="SCALED",
        round_mode="HALF_TO_EVEN",
        narrow_range=True,
    )
    kernel_range = 127 / ops.cast(kernel_scale, "float32")
    outputs = _quantized_matmul(integers, input_range, kernel, kernel_range, False, bias, activation)
    return ops.reshape(outputs, (*ops.shape(inputs)[:-1], kernel_range.shape[0]))


def _quantized_matmul(rows, input_range, kernel, kernel_range, transposed, bias=None, activation=None):
    """qint8 rows (N, D) times an int8 kernel, whose 127 stand for `input_range` and `kernel_range` (F,).

    The range of the rows is one number known in advance: for each new one oneDNN would prepare the operation again.
    """
    import tensorflow as tf

    # `tf.raw_ops` has no operations whose names begin with "_".
    from tensorflow.python.framework import op_def_library

    activations = [_ACTIVATIONS[activation]] if _ACTIVATIONS[activation] else []
    outputs = op_def_library.apply_op(
        "_QuantizedMatMul",
        name="quantized_matmul",  # names of nodes must not begin with "_"
        device_inputs=[
            rows,
            _as_quantized(kernel),
            tf.zeros(kernel_range.shape) if bias is None else tf.cast(bias, tf.float32),  # it always takes a bias
        ],
        host_inputs=[tf.constant(-input_range), tf.constant(input_range), -kernel_range, kernel_range],
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
    return tf.ensure_shape(tf.nest.flatten(outputs)[0], (rows.shape[0], kernel_range.shape[0]))


def _as_quantized(integers):
    """int8 as TensorFlow's qint8."""
    import tensorflow as tf

    return tf.bitcast(integers, tf.qint8)
