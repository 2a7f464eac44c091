"""All mask arithmetic. True means "attend", everywhere.

Three forms, named by their shapes:

- padding mask (B, S): which positions of a sequence are real;
- attention mask (T, S), (B, T, S) or (B, H, T, S): which query may see which key;
- score mask: four axes that broadcast to (B, H, T, S), what the attention function takes.
"""

import keras
from keras import ops


def implicit_mask(tensor):
    """The padding mask that Keras attached to `tensor`, or `None`.

    Keras keeps it in this attribute on eager, graph and symbolic tensors alike and has no public accessor.
    """
    return getattr(tensor, "_keras_mask", None)


def attach(tensor, mask):
    """Makes `mask` the padding mask that Keras finds on `tensor`."""
    tensor._keras_mask = mask


def combine(*masks):
    """Logical AND of the masks that are not `None`, or `None` when there is none."""
    combined = None
    for mask in masks:
        if mask is not None:
            combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined


def resolve(tensor, mask, name, padding_mask):
    """The padding mask that holds for `tensor` (B, S, ...) in a call.

    `mask`, Keras' own argument, stands for the implicit mask of `tensor` where given, as everywhere in Keras;
    `padding_mask`, the user's argument called `name`, is ANDed with it.
    """
    if mask is None:
        mask = implicit_mask(tensor)
    return combine(mask, check(name, padding_mask, tuple(tensor.shape[:2])))


def check(name, mask, *shapes):
    """Converts `mask` to a tensor and checks it.

    Args:
        name: the argument's name, for the message.
        mask: a tensor or array, or `None`.
        *shapes: the accepted shapes; `None` stands for any size, and a size of 1 broadcasts.

    Returns:
        The mask as a tensor, or `None`.

    Raises:
        ValueError: if the dtype is not boolean, or no shape fits.
    """
    if mask is None:
        return None
    mask = mask if isinstance(mask, keras.KerasTensor) else ops.convert_to_tensor(mask)
    if keras.backend.standardize_dtype(mask.dtype) != "bool":
        raise ValueError(
            f"Expected a boolean mask (True = attend). Received: {name} of dtype={mask.dtype}. "
            "Cast it with keras.ops.cast(mask, 'bool')."
        )
    if not any(_fits(tuple(mask.shape), shape) for shape in shapes):
        expected = " or ".join(str(tuple(shape)) for shape in shapes)
        raise ValueError(f"Expected {name} of shape {expected}. Received: shape={tuple(mask.shape)}")
    return mask


def _fits(actual, expected):
    return len(actual) == len(expected) and all(
        a is None or e is None or a in (1, e) for a, e in zip(actual, expected)
    )


def from_padding(padding_mask):
    """(B, S) -> (B, 1, 1, S): every query of a sequence sees its real keys."""
    return None if padding_mask is None else padding_mask[:, None, None, :]


def from_attention(attention_mask):
    """(T, S), (B, T, S) or (B, H, T, S) -> four axes."""
    if attention_mask is None or len(attention_mask.shape) == 4:
        return attention_mask
    if len(attention_mask.shape) == 3:
        return attention_mask[:, None, :, :]
    return attention_mask[None, None, :, :]


def causal(num_queries, num_keys, first_query=0):
    """(1, 1, T, S): query t, which stands at position `first_query + t`, sees keys up to its own."""
    queries = ops.arange(num_queries, dtype="int32") + ops.cast(first_query, "int32")
    keys = ops.arange(num_keys, dtype="int32")
    return (keys[None, :] <= queries[:, None])[None, None, :, :]
