"""One hypothesis for each sentence, one token after the other."""

from keras import ops


def decode_one_by_one(steps, choose):
    """Decodes until every sentence ended or reached its own limit.

    Args:
        steps: the `Steps` through a batch, of beam size 1.
        choose: takes logits (B, 1, V) and the number of tokens before; gives allowed tokens (B, 1).

    Returns:
        `Hypotheses`; the scores are log P(Y | X), or zeros where none are needed.
    """

    def goes_on(step, ids, scores, going, cache):
        return (step < steps.max_length) & ops.any(going)

    def advance(step, ids, scores, going, cache):
        logits, cache = steps.logits(ids, step, cache)
        tokens = ops.cast(choose(logits, step), "int32")
        tokens, _ = steps.settle(tokens[..., None], step)
        if steps.return_scores:
            scores = scores + ops.where(going, steps.log_probs(tokens, logits)[..., 0], 0.0)
        tokens = ops.where(going, tokens[..., 0], steps.padding_id)
        return step + 1, steps.append(ids, tokens, step), scores, going & ~steps.ends(tokens, step), cache

    ids, cache = steps.start()
    going = (steps.length_limits > 0)[:, None]
    start = (ops.zeros((), dtype="int32"), ids, ops.zeros_like(going, dtype="float32"), going, cache)
    _, ids, scores, _, _ = ops.while_loop(goes_on, advance, start)
    return steps.hypotheses(ids, scores)
