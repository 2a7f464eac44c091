"""All mask arithmetic. True means "attend", everywhere.

Three forms, named by their shapes:

- padding mask (B, S): which positions of a sequence are real;
- attention mask (T, S), (B, T, S) or (B, H, T, S): which query may see which key;
- score mask: four axes that broadcast to (B, H, T, S), what the attention function takes.
"""

import keras
from keras import ops

# Keras has no public accessor for a tensor's mask, and on JAX' tracers it is no attribute (keras#18416 tells
# what becomes of masks that layers do not carry on).
from keras.src.backend import get_keras_mask, set_keras_mask

from keras_transformer.types import Shape, Tensor


def implicit_mask(tensor: Tensor) -> Tensor:
    """The padding mask that Keras attached to `tensor`, or `None`."""
    return get_keras_mask(tensor)


def of_ids(ids: Tensor, padding_id: int, padding_side: str = "anywhere") -> Tensor:
    """The padding mask of integer ids (B, S).

    Args:
        ids: integers (B, S).
        padding_id: the id that padding has.
        padding_side: where it is padding, "anywhere", or only to the "right" of the last other id, or on "both" sides
            of the others. What it is not, is a token that happens to have this id.
    """
    is_other = ops.not_equal(ids, padding_id)
    if padding_side == "anywhere":
        return is_other
    others = ops.cast(is_other, "int32")
    so_far = ops.cumsum(others, axis=-1)
    is_real = so_far - others < ops.sum(others, axis=-1, keepdims=True)
    return ops.logical_and(is_real, so_far > 0) if padding_side == "both" else is_real


def attach(tensor: Tensor, mask: Tensor) -> None:
    """Makes `mask` the padding mask that Keras finds on `tensor`."""
    set_keras_mask(tensor, mask)


def combine(*masks: Tensor) -> Tensor:
    """Logical AND of the masks that are not `None`, or `None` when there is none."""
    combined = None
    for mask in masks:
        if mask is not None:
            combined = mask if combined is None else ops.logical_and(combined, mask)
    return combined


def resolve(mask: Tensor, name: str, padding_mask: Tensor, shape: Shape) -> Tensor:
    """ANDs the padding mask that Keras found with the one that the user gave.

    Args:
        mask: boolean (B, S), or `None`.
        name: the call argument of the user's mask, for the message.
        padding_mask: boolean of shape `shape`, or `None`.
        shape: (B, S), `None` where unknown.

    Raises:
        ValueError: if the user's mask is not boolean or has another shape.
    """
    return combine(check("mask", mask, shape, broadcast=False), check(name, padding_mask, shape, broadcast=False))


def check(name: str, mask: Tensor, *shapes: Shape, broadcast: bool = True) -> Tensor:
    """Converts `mask` to a tensor and checks it.

    Args:
        name: the argument's name, for the message.
        mask: a tensor or array, or `None`.
        *shapes: the accepted shapes; `None` stands for any size.
        broadcast: whether a size of 1 is accepted for any other.

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
    if not any(_fits(tuple(mask.shape), tuple(shape), broadcast) for shape in shapes):
        expected = " or ".join(str(tuple(shape)) for shape in shapes)
        raise ValueError(f"Expected {name} of shape {expected}. Received: shape={tuple(mask.shape)}")
    return mask


def _fits(actual, expected, broadcast):
    return len(actual) == len(expected) and all(
        a is None or e is None or a == e or (broadcast and a == 1) for a, e in zip(actual, expected)
    )


def zero_padding(x: Tensor, padding_mask: Tensor) -> Tensor:
    """`x` (B, S, D) with zeros at padding, whatever stands there: 0 times NaN or infinity would be NaN."""
    return x if padding_mask is None else ops.where(padding_mask[..., None], x, 0)


def zero_unseen(x: Tensor, score_mask: Tensor) -> Tensor:
    """Keys or values (B, H, S, d) with zeros where no query may attend, by a score mask or `None`."""
    return x if score_mask is None else ops.where(ops.any(score_mask, axis=2)[..., None], x, 0)


def zero_without_keys(x: Tensor, score_mask: Tensor) -> Tensor:
    """`x` (B, H, T, ...) with zeros for queries whose row of the score mask, or `None`, is all False."""
    return x if score_mask is None else ops.where(ops.any(score_mask, axis=-1, keepdims=True), x, 0)


def from_padding(padding_mask: Tensor) -> Tensor:
    """(B, S) -> (B, 1, 1, S): every query of a sequence sees its real keys."""
    return None if padding_mask is None else padding_mask[:, None, None, :]


def from_attention(attention_mask: Tensor) -> Tensor:
    """(T, S), (B, T, S) or (B, H, T, S) -> four axes."""
    if attention_mask is None or len(attention_mask.shape) == 4:
        return attention_mask
    if len(attention_mask.shape) == 3:
        return attention_mask[:, None, :, :]
    return attention_mask[None, None, :, :]


def causal(num_queries: Tensor, num_keys: Tensor, first_query: Tensor = 0) -> Tensor:
    """(1, 1, T, S): query t, which stands at position `first_query + t`, sees keys up to its own."""
    queries = ops.arange(num_queries, dtype="int32") + ops.cast(first_query, "int32")
    keys = ops.arange(num_keys, dtype="int32")
    return (keys[None, :] <= queries[:, None])[None, None, :, :]


def with_causal(score_mask: Tensor, query: Tensor, key: Tensor) -> Tensor:
    """The score mask, or `None`, ANDed with the causal one of `query` (B, H, T, d) and `key` (B, H, S, d)."""
    return combine(score_mask, causal(ops.shape(query)[2], ops.shape(key)[2]))
