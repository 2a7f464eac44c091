"""Training on several devices through `keras.distribution`, which Keras' JAX backend has."""

import re
from collections.abc import Iterator

import keras

from keras_transformer import arguments
from keras_transformer.layers import FeedForward
from keras_transformer.layers.composite import sublayers
from keras_transformer.layers.multi_head_attention import MultiHeadAttention

_BLOCK = re.compile(r"(encoder|decoder)_block_\d+")


def layout_map(
    model: keras.Model, device_mesh: keras.distribution.DeviceMesh, model_axis: str = "model"
) -> keras.distribution.LayoutMap:
    """How `keras.distribution.ModelParallel` splits the weights of a model of this library, after Megatron-LM.

    Projections to queries, keys and values and the first layer of each feed-forward network are split by columns with
    their biases, what follows them by rows. Embeddings are split by rows of the vocabulary, or by width where their
    number of rows does not divide. LoRA's matrices follow the weights that they are added to. Everything else is on
    every device: norms, positions, biases behind a sum, projections to sentence vectors.

    A weight gets its layout when it is made. So this takes a first model, of which only the sizes matter, and the one
    to train is made afterwards, under the distribution. All blocks of a stack share their layouts: where the model is
    too large for one device, give one with a single block of each kind.

    Args:
        model: a model of `keras_transformer.models`, or a Keras model around one.
        device_mesh: the devices, with an axis for the parts of the model beside the one for the parts of a batch. Each
            part of a batch has all of the model, in as many parts as the model's axis is long.
        model_axis: the name of that axis.

    Returns:
        A `keras.distribution.LayoutMap` from regular expressions over `variable.path` to layouts.

    Raises:
        ValueError: for a mesh without the axis, and for heads, feed-forward widths and embeddings that it does not
            divide.

    References:
        Shoeybi et al., 2019, "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism".

    Example:
        >>> devices = [f"cpu:{i}" for i in range(8)]
        >>> mesh = keras.distribution.DeviceMesh((2, 4), ["data", "model"], devices)
        >>> model = keras_transformer.models.Transformer(vocabulary_size=52, num_layers=1, num_heads=8)
        >>> layouts = keras_transformer.distribution.layout_map(model, mesh)
        >>> layouts["encoder_block_5/feed_forward/output_dense/kernel"].axes  # rows of whichever block
        ('model', None)
    """
    arguments.one_of("model_axis", model_axis, device_mesh.axis_names)
    parts = device_mesh.shape[list(device_mesh.axis_names).index(model_axis)]
    rows, columns = (model_axis, None), (None, model_axis)
    axes = {}
    for layer in _layers(model):
        if isinstance(layer, MultiHeadAttention):
            _check_divides(layer, "num_heads", layer.num_heads, parts)
            for dense in _layers(layer):
                if isinstance(dense, keras.layers.Dense):
                    axes |= _of_layer(dense, rows if dense is layer.output_projection else columns)
        elif isinstance(layer, FeedForward):
            _check_divides(layer, "intermediate_dim", layer.intermediate_dim, parts)
            axes |= _of_layer(layer.intermediate_dense, columns) | _of_layer(layer.output_dense, rows)
        elif isinstance(layer, keras.layers.Embedding):
            by_rows = layer.input_dim % parts == 0
            if not by_rows:
                _check_divides(layer, f"the {layer.input_dim} embeddings or their width", layer.output_dim, parts)
            axes |= _of_layer(layer, rows if by_rows else columns)
    layouts = keras.distribution.LayoutMap(device_mesh)
    for key, value in axes.items():
        layouts[key] = value
    return layouts


def _layers(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    return (child for _, child in sublayers(layer))


def _check_divides(layer, name, size, parts):
    if size % parts:
        raise ValueError(
            f"Expected a mesh of a number of model parts that divides {name} of {layer.path}. "
            f"Received: {parts} parts, {name}={size}"
        )


def _of_layer(layer, axes):
    """{regular expression: axes} of a Dense layer or an embedding, and of the matrices that LoRA would add."""
    rows, columns = axes
    matrix = "embeddings" if isinstance(layer, keras.layers.Embedding) else "kernel"
    of_weights = {matrix: axes, f"lora_{matrix}_a": (rows, None), f"lora_{matrix}_b": (None, columns)}
    if matrix == "kernel" and columns:  # a bias of what is split by rows is added to the sum
        of_weights["bias"] = (columns,)
    path = _BLOCK.sub(r"\1_block_\\d+", re.escape(layer.path))
    return {f"{path}/{name}": split for name, split in of_weights.items() if any(split)}
