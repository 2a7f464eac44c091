"""Greedy decoding: the likeliest next token, step by step, with a cache."""

from keras import ops


def greedy_decode(model, source_ids, length_limits, begin_id, end_id, padding_id=0, max_length=None):
    """Decodes a batch until every sentence ended or reached its own limit.

    One loop inside the graph; every step runs the decoder on one position per sentence.

    Args:
        model: has `encode`, `make_cache` and `decode_step`, as `Transformer` has.
        source_ids: integers (B, S).
        length_limits: integers (B,): the most tokens of each sentence, its end id included. 0 gives none.
        begin_id: the id that stands before the first token. It is never chosen, nor is padding.
        end_id: the id that ends a sentence.
        padding_id: fills up after the end.
        max_length: number of steps at most, as a Python integer where the shapes must be static (JAX, XLA); by
            default the largest limit.

    Returns:
        int32 ids (B, `max_length`): the tokens of each sentence, its end id if it came to it, then padding.
    """
    length_limits = ops.cast(length_limits, "int32")
    if max_length is None:
        max_length = ops.max(length_limits, initial=1)
    memory = model.encode(source_ids)
    batch_size = ops.shape(source_ids)[0]

    def goes_on(step, ids, current, finished, cache):
        return ops.logical_and(step < max_length, ops.logical_not(ops.all(finished)))

    def advance(step, ids, current, finished, cache):
        logits, cache = model.decode_step(current[:, None], cache, step)
        chosen = _likeliest(logits[:, 0, :], (padding_id, begin_id))
        chosen = ops.where(finished, padding_id, chosen)
        ids = ops.slice_update(ids, (0, step), chosen[:, None])
        finished = finished | (chosen == end_id) | (step + 1 >= length_limits)
        return step + 1, ids, chosen, finished, cache

    start = (
        ops.zeros((), dtype="int32"),
        ops.full((batch_size, max_length), padding_id, dtype="int32"),
        ops.full((batch_size,), begin_id, dtype="int32"),
        length_limits <= 0,
        model.make_cache(memory, max_length),
    )
    return ops.while_loop(goes_on, advance, start)[1]


def _likeliest(logits, never):
    """Argmax over the last axis without the ids `never`: (B, V) -> (B,), int32."""
    ids = ops.arange(logits.shape[-1], dtype="int32")
    forbidden = ops.any(ids[:, None] == ops.convert_to_tensor(never, dtype="int32"), axis=-1)
    logits = ops.where(forbidden, -3e38, ops.cast(logits, "float32"))
    return ops.cast(ops.argmax(logits, axis=-1), "int32")
