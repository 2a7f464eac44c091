"""The paper's formulas in float64 NumPy, written from the paper and nothing else."""

import numpy as np


def attention(query, key, value, mask=None):
    """(T, d), (S, d), (S, dv), mask (T, S) -> context (T, dv), weights (T, S); a row without keys gives zero."""
    scores = query @ key.T / np.sqrt(query.shape[-1])
    weights = np.zeros_like(scores)
    for t, row in enumerate(scores):
        seen = np.arange(len(row)) if mask is None else np.flatnonzero(mask[t])
        if len(seen):
            exponentials = np.exp(row[seen] - row[seen].max())
            weights[t, seen] = exponentials / exponentials.sum()
    return weights @ value, weights


def layer_norm(x, scale, offset, epsilon=1e-6):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * scale + offset


def positional_encoding(positions, width, max_wavelength=10000.0):
    """Section 3.5: sin on even, cos on odd dimensions."""
    table = np.zeros((len(positions), width))
    for row, position in enumerate(positions):
        for i in range(width):
            angle = position / max_wavelength ** ((i - i % 2) / width)
            table[row, i] = np.sin(angle) if i % 2 == 0 else np.cos(angle)
    return table


def multi_head_attention(x, context, w, mask=None):
    """One sequence: x (T, D), context (S, E), `w` the matrices and biases by name, heads in w["heads"]."""
    q, k, v = (
        source @ w[f"{name}_kernel"] + w[f"{name}_bias"]
        for name, source in (("query", x), ("key", context), ("value", context))
    )
    heads = [attention(*parts, mask)[0] for parts in zip(*(np.split(m, w["heads"], axis=-1) for m in (q, k, v)))]
    return np.concatenate(heads, axis=-1) @ w["output_kernel"] + w["output_bias"]


def attention_weights_by_name(layer):
    """The weights of one of our attention layers as separate float64 matrices."""
    names = {"heads": layer.num_heads}
    if hasattr(layer, "query_key_value"):
        parts = [(layer.query_key_value, ("query", "key", "value"))]
    else:
        parts = [(layer.query, ("query",)), (layer.key_value, ("key", "value"))]
    for dense, roles in [*parts, (layer.output_projection, ("output",))]:
        kernel, bias = (np.asarray(w, dtype="float64") for w in dense.get_weights())
        for role, one_kernel, one_bias in zip(roles, np.split(kernel, len(roles), -1), np.split(bias, len(roles), -1)):
            names[f"{role}_kernel"], names[f"{role}_bias"] = one_kernel, one_bias
    return names


def copy_to_keras(layer, keras_layer):
    """Gives a `keras.layers.MultiHeadAttention` the weights of one of our attention layers."""
    w = attention_weights_by_name(layer)
    width, heads = w["query_kernel"].shape[0], layer.num_heads
    values = []
    for role in ("query", "key", "value"):
        kernel = w[f"{role}_kernel"]
        values += [kernel.reshape(kernel.shape[0], heads, -1), w[f"{role}_bias"].reshape(heads, -1)]
    values += [w["output_kernel"].reshape(heads, -1, width), w["output_bias"]]
    keras_layer.set_weights(values)


def randomize(layer, seed=0, scale=0.5):
    """Random values for all float weights, biases and norms too."""
    generator = np.random.default_rng(seed)
    for weight in layer.weights:
        weight.assign(generator.normal(size=weight.shape) * scale)
