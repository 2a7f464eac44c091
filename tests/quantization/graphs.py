"""Graphs of layers that multiply by oneDNN, as frozen exports trace them."""

import numpy as np
import tensorflow as tf

from keras_transformer.export import frozen_weights
from keras_transformer.quantization import fused_kernels
from tests import operations

# Rows of very different size.
X = np.random.default_rng(0).normal(size=(7, 19)).astype("float32") * np.geomspace(0.01, 100, 7)[:, None].astype("f")


def traced(layer, *arguments, function=None, jit_compile=False):
    """`function`, by default the layer itself, traced with fused kernels, and the names of its operations."""
    signature = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in arguments]
    with frozen_weights(layer.variables), fused_kernels(layer):
        graph = tf.function(lambda *xs: (function or layer)(*xs), input_signature=signature, jit_compile=jit_compile)
        concrete = graph.get_concrete_function()
    return concrete, operations.of_graph(concrete.graph.as_graph_def())
