"""A stack of post-norm encoder blocks with the same weights in every library, without embeddings."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from benchmarks.benchmark import OURS, Benchmark, Run

Arrays: TypeAlias = Mapping[str, np.ndarray]  # weights by name

NUM_LAYERS, HIDDEN_DIM, INTERMEDIATE_DIM, NUM_HEADS, EPSILON = 6, 512, 2048, 8, 1e-6  # the paper's base model


def write_weights(
    folder: pathlib.Path, batch_size: int, length: int, seed: int = 0, lengths: np.ndarray | None = None
) -> None:
    """Writes weights of all layers, inputs (B, T, D) and a padding mask to FOLDER/blocks.npz.

    The mask has `lengths` (B,) real positions in each row, or `length` in all.
    """
    random = np.random.default_rng(seed)

    def matrix(rows, columns):
        return random.normal(0, rows**-0.5, (rows, columns)).astype("float32")

    arrays = {
        "inputs": random.normal(size=(batch_size, length, HIDDEN_DIM)).astype("float32"),
        "mask": np.arange(length) < np.reshape([length] * batch_size if lengths is None else lengths, (-1, 1)),
    }
    for layer in range(NUM_LAYERS):
        arrays |= {
            f"{layer}/query_key_value": np.concatenate([matrix(HIDDEN_DIM, HIDDEN_DIM) for _ in range(3)], axis=1),
            f"{layer}/output": matrix(HIDDEN_DIM, HIDDEN_DIM),
            f"{layer}/expansion": matrix(HIDDEN_DIM, INTERMEDIATE_DIM),
            f"{layer}/contraction": matrix(INTERMEDIATE_DIM, HIDDEN_DIM),
        }
    np.savez(folder / "blocks.npz", **arrays)


def read(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray, list[Arrays]]:
    """Inputs, mask, and for each layer the four matrices by name."""
    arrays = np.load(folder / "blocks.npz")
    names = "query_key_value", "output", "expansion", "contraction"
    layers = [{name: arrays[f"{layer}/{name}"] for name in names} for layer in range(NUM_LAYERS)]
    return arrays["inputs"], arrays["mask"], layers


def ours(layers: Sequence[Arrays], dtype: str = "float32") -> Any:
    """The stack as a Keras model."""
    from keras_transformer.layers import EncoderBlock

    def block(x, mask):
        return EncoderBlock(NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, dtype=dtype)(x, padding_mask=mask)

    return _with_weights(_keras_model(block, dtype), EncoderBlock, set_ours, layers)


def ours_unpadded(layers: Sequence[Arrays], dtype: str = "float32") -> Any:
    """The same without padding, except around the scores."""
    import keras

    from keras_transformer.layers import EncoderBlock, Repad, Unpad

    inputs, mask = _inputs(dtype)
    x, layout = Unpad(dtype=dtype)(inputs, padding_mask=mask)
    for _ in range(NUM_LAYERS):
        x = EncoderBlock(NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, dtype=dtype)(x, layout=layout)
    model = keras.Model([inputs, mask], Repad(dtype=dtype)(x, layout))
    return _with_weights(model, EncoderBlock, set_ours, layers)


def keras_hub(layers: Sequence[Arrays], dtype: str = "float32") -> Any:
    """KerasHub's `TransformerEncoder`s."""
    from keras_hub.layers import TransformerEncoder

    def block(x, mask):
        encoder = TransformerEncoder(INTERMEDIATE_DIM, NUM_HEADS, dropout=0.0, layer_norm_epsilon=EPSILON, dtype=dtype)
        return encoder(x, padding_mask=mask)

    return _with_weights(_keras_model(block, dtype), TransformerEncoder, set_keras_hub, layers)


def keras_layers(layers: Sequence[Arrays], dtype: str = "float32") -> Any:
    """What one writes with `keras.layers.MultiHeadAttention`."""
    import keras

    def block(x, mask):
        attention = keras.layers.MultiHeadAttention(NUM_HEADS, HIDDEN_DIM // NUM_HEADS, dtype=dtype)
        attended = attention(x, x, attention_mask=mask[:, None, :])
        x = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)(x + attended)
        hidden = keras.layers.Dense(INTERMEDIATE_DIM, activation="relu", dtype=dtype)(x)
        hidden = keras.layers.Dense(HIDDEN_DIM, dtype=dtype)(hidden)
        return keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)(x + hidden)

    model = _with_weights(_keras_model(block, dtype), keras.layers.MultiHeadAttention, set_keras_attention, layers)
    dense = [layer for layer in model.layers if type(layer) is keras.layers.Dense]
    for expansion, contraction, weights in zip(dense[::2], dense[1::2], layers):
        expansion.kernel.assign(weights["expansion"])
        contraction.kernel.assign(weights["contraction"])
    return model


def torch_encoder(layers: Sequence[Arrays]) -> Any:
    """`torch.nn.TransformerEncoder`."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(
        HIDDEN_DIM, NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, layer_norm_eps=EPSILON, batch_first=True
    )
    encoder = torch.nn.TransformerEncoder(layer, NUM_LAYERS)
    for block, weights in zip(encoder.layers, layers):
        set_torch(block, weights)
    return encoder


KERAS = {OURS: ours, "KerasHub": keras_hub, "keras.layers": keras_layers}


def add_subjects(
    benchmark: Benchmark, set_up: Callable[..., Run], models: Mapping[str, Callable[..., Any]] = KERAS, **options: Any
) -> None:
    """Adds Keras models {name: a function above} to a benchmark, each set up by `set_up(folder, make=function)`."""
    for name, make in models.items():
        benchmark.subject(name)(functools.partial(set_up, make=make, **options))


def keras_forward(folder: pathlib.Path, make: Callable[..., Any], dtype: str = "float32") -> Run:
    """A function that runs a Keras model forward and gives what it has at real positions, zeros elsewhere."""
    import tensorflow as tf

    x, mask, layers = read(folder)
    model = make(layers, dtype)
    tensors = [tf.cast(tf.constant(x), dtype), tf.constant(mask)]
    predict = tf.function(lambda: model(tensors, training=False))
    return lambda: _at_real_positions(predict().numpy(), mask)


def torch_forward(folder: pathlib.Path) -> Run:
    """The same of torch. Its fast path, nested tensors, wants a mask with padding and no gradients."""
    import torch

    x, mask, layers = read(folder)
    encoder = torch_encoder(layers).eval()
    x, padding = torch.from_numpy(x), torch.from_numpy(~mask)

    def run():
        with torch.inference_mode():
            return _at_real_positions(encoder(x, src_key_padding_mask=padding).numpy(), mask)

    return run


def set_ours(block: Any, weights: Arrays) -> None:
    """Gives the weights of a layer to an `EncoderBlock` or to what a `DecoderBlock` has of one."""
    block.self_attention.query_key_value.kernel.assign(weights["query_key_value"])
    block.self_attention.output_projection.kernel.assign(weights["output"])
    block.feed_forward.intermediate_dense.kernel.assign(weights["expansion"])
    block.feed_forward.output_dense.kernel.assign(weights["contraction"])


def set_keras_hub(block: Any, weights: Arrays) -> None:
    """Likewise to a `TransformerEncoder` or `TransformerDecoder` of KerasHub."""
    set_keras_attention(block._self_attention_layer, weights)
    block._feedforward_intermediate_dense.kernel.assign(weights["expansion"])
    block._feedforward_output_dense.kernel.assign(weights["contraction"])


def set_keras_attention(attention: Any, weights: Arrays) -> None:
    """Likewise to Keras' `MultiHeadAttention`, or a subclass."""
    dense = attention._query_dense, attention._key_dense, attention._value_dense, attention._output_dense
    for projection, kernel in zip(dense, [*np.split(weights["query_key_value"], 3, axis=1), weights["output"]]):
        projection.kernel.assign(kernel.reshape(projection.kernel.shape))


def set_torch(block: Any, weights: Arrays) -> None:
    """Likewise to a layer of torch's encoder or decoder."""
    import torch

    set_torch_attention(block.self_attn, weights)
    with torch.no_grad():
        for linear, name in ((block.linear1, "expansion"), (block.linear2, "contraction")):
            linear.weight.copy_(torch.from_numpy(weights[name].T))
            linear.bias.zero_()


def set_torch_attention(attention: Any, weights: Arrays) -> None:
    """Likewise to torch's `MultiheadAttention`."""
    import torch

    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.from_numpy(weights["query_key_value"].T))
        attention.in_proj_bias.zero_()
        attention.out_proj.weight.copy_(torch.from_numpy(weights["output"].T))
        attention.out_proj.bias.zero_()


def _at_real_positions(outputs: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return outputs if mask.all() else np.where(mask[..., None], outputs, 0.0)


def _keras_model(block: Any, dtype) -> Any:
    import keras

    inputs, mask = _inputs(dtype)
    x = inputs
    for _ in range(NUM_LAYERS):
        x = block(x, mask)
    return keras.Model([inputs, mask], x)


def _inputs(dtype) -> tuple[Any, Any]:
    import keras

    floating = keras.DTypePolicy(dtype).compute_dtype
    return keras.Input((None, HIDDEN_DIM), dtype=floating), keras.Input((None,), dtype="bool")


def _with_weights(model: Any, layer_class: type, set_weights: Callable[..., None], layers: Sequence[Arrays]) -> Any:
    for block, weights in zip([layer for layer in model.layers if type(layer) is layer_class], layers):
        set_weights(block, weights)
    return model
