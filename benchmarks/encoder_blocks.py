"""A stack of post-norm encoder blocks with the same weights in every library, without embeddings."""

import numpy as np

NUM_LAYERS, HIDDEN_DIM, INTERMEDIATE_DIM, NUM_HEADS, EPSILON = 6, 512, 2048, 8, 1e-6  # the paper's base model


def write_weights(folder, batch_size, length, seed=0, lengths=None):
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


def read(folder):
    """Inputs, mask, and for each layer the four matrices by name."""
    arrays = np.load(folder / "blocks.npz")
    names = "query_key_value", "output", "expansion", "contraction"
    layers = [{name: arrays[f"{layer}/{name}"] for name in names} for layer in range(NUM_LAYERS)]
    return arrays["inputs"], arrays["mask"], layers


def ours(layers, dtype="float32"):
    """The stack as a Keras model."""
    from keras_transformer.layers import EncoderBlock

    def block(x, mask):
        return EncoderBlock(NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, dtype=dtype)(x, padding_mask=mask)

    return _give(_keras_model(block, dtype), layers)


def ours_packed(layers, dtype="float32"):
    """The same, with padding between the scores alone."""
    import keras

    from keras_transformer.layers import EncoderBlock, Pack, Unpack

    inputs, mask = _inputs(dtype)
    x, packing = Pack(dtype=dtype)(inputs, padding_mask=mask)
    for _ in range(NUM_LAYERS):
        x = EncoderBlock(NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, dtype=dtype)(x, packing=packing)
    return _give(keras.Model([inputs, mask], Unpack(dtype=dtype)(x, packing)), layers)


def _give(model, layers):
    """Gives the weights to our blocks."""
    from keras_transformer.layers import EncoderBlock

    for block, weights in zip(_layers(model, EncoderBlock), layers):
        block.self_attention.query_key_value.kernel.assign(weights["query_key_value"])
        block.self_attention.output_projection.kernel.assign(weights["output"])
        block.feed_forward.expansion.kernel.assign(weights["expansion"])
        block.feed_forward.contraction.kernel.assign(weights["contraction"])
    return model


def keras_hub(layers, dtype="float32"):
    """KerasHub's `TransformerEncoder`s."""
    from keras_hub.layers import TransformerEncoder

    def block(x, mask):
        encoder = TransformerEncoder(INTERMEDIATE_DIM, NUM_HEADS, dropout=0.0, layer_norm_epsilon=EPSILON, dtype=dtype)
        return encoder(x, padding_mask=mask)

    model = _keras_model(block, dtype)
    for block, weights in zip(_layers(model, TransformerEncoder), layers):
        _set_attention(block._self_attention_layer, weights)
        block._feedforward_intermediate_dense.kernel.assign(weights["expansion"])
        block._feedforward_output_dense.kernel.assign(weights["contraction"])
    return model


def keras_layers(layers, dtype="float32"):
    """What one writes with `keras.layers.MultiHeadAttention`."""
    import keras

    def block(x, mask):
        attention = keras.layers.MultiHeadAttention(NUM_HEADS, HIDDEN_DIM // NUM_HEADS, dtype=dtype)
        attended = attention(x, x, attention_mask=mask[:, None, :])
        x = keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)(x + attended)
        hidden = keras.layers.Dense(INTERMEDIATE_DIM, activation="relu", dtype=dtype)(x)
        hidden = keras.layers.Dense(HIDDEN_DIM, dtype=dtype)(hidden)
        return keras.layers.LayerNormalization(epsilon=EPSILON, dtype=dtype)(x + hidden)

    model = _keras_model(block, dtype)
    dense = _layers(model, keras.layers.Dense)
    for i, (attention, weights) in enumerate(zip(_layers(model, keras.layers.MultiHeadAttention), layers)):
        _set_attention(attention, weights)
        dense[2 * i].kernel.assign(weights["expansion"])
        dense[2 * i + 1].kernel.assign(weights["contraction"])
    return model


def torch_encoder(layers):
    """`torch.nn.TransformerEncoder`."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(
        HIDDEN_DIM, NUM_HEADS, INTERMEDIATE_DIM, dropout=0.0, layer_norm_eps=EPSILON, batch_first=True
    )
    encoder = torch.nn.TransformerEncoder(layer, NUM_LAYERS)
    with torch.no_grad():
        for block, weights in zip(encoder.layers, layers):
            block.self_attn.in_proj_weight.copy_(torch.from_numpy(weights["query_key_value"].T))
            block.self_attn.in_proj_bias.zero_()
            block.self_attn.out_proj.weight.copy_(torch.from_numpy(weights["output"].T))
            block.self_attn.out_proj.bias.zero_()
            block.linear1.weight.copy_(torch.from_numpy(weights["expansion"].T))
            block.linear1.bias.zero_()
            block.linear2.weight.copy_(torch.from_numpy(weights["contraction"].T))
            block.linear2.bias.zero_()
    return encoder


def _inputs(dtype):
    import keras

    inputs = keras.Input((None, HIDDEN_DIM), dtype=keras.DTypePolicy(dtype).compute_dtype)
    return inputs, keras.Input((None,), dtype="bool")


def _keras_model(block, dtype):
    import keras

    inputs, mask = _inputs(dtype)
    x = inputs
    for _ in range(NUM_LAYERS):
        x = block(x, mask)
    return keras.Model([inputs, mask], x)


def _layers(model, layer_class):
    return [layer for layer in model.layers if type(layer) is layer_class]


def _set_attention(attention, weights):
    """Of Keras' `MultiHeadAttention`, or a subclass."""
    width = HIDDEN_DIM // NUM_HEADS
    dense = attention._query_dense, attention._key_dense, attention._value_dense
    for projection, kernel in zip(dense, np.split(weights["query_key_value"], 3, axis=1)):
        projection.kernel.assign(kernel.reshape(HIDDEN_DIM, NUM_HEADS, width))
    attention._output_dense.kernel.assign(weights["output"].reshape(NUM_HEADS, width, HIDDEN_DIM))
