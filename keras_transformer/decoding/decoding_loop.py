"""Step by step inside the graph: the loop of all searches, and the search that follows one hypothesis."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from keras import ops

from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.types import Tensor

State = TypeVar("State", bound=tuple)


def decoding_loop(state: State, goes_on: Callable[[State], Tensor], advance: Callable[[State], State]) -> State:
    """`state`, a named tuple of tensors, after `advance` was called as long as `goes_on` is true."""
    make = type(state)
    return make(
        *ops.while_loop(lambda *parts: goes_on(make(*parts)), lambda *parts: tuple(advance(make(*parts))), tuple(state))
    )


class SequenceState(NamedTuple):
    """What moves on with each step of a search that follows one hypothesis.

    Attributes:
        step: how many tokens there are, ().
        ids: (B, 1, T + 1), the begin id first.
        scores: log P so far, (B, 1).
        going: boolean (B, 1), which have not ended.
        cache: the model's.
    """

    step: Tensor
    ids: Tensor
    scores: Tensor
    going: Tensor
    cache: Tensor


def decode_one_by_one(decoder: BatchDecoder, choose: Callable[[Tensor, Tensor], Tensor]) -> Hypotheses:
    """Decodes until every sentence ended or reached its own limit.

    Args:
        decoder: of beam size 1.
        choose: takes logits (B, 1, V) and the number of tokens before; gives allowed tokens (B, 1).

    Returns:
        `Hypotheses`; the scores are log P(Y | X), or zeros where none are needed.
    """

    def goes_on(state):
        return (state.step < decoder.max_length) & ops.any(state.going)

    def advance(state):
        step, going = state.step, state.going
        logits, cache = decoder.logits(state.ids, step, state.cache)
        tokens = ops.cast(choose(logits, step), "int32")
        tokens, _ = decoder.apply_constraints(tokens[..., None], step)
        scores = state.scores
        if decoder.return_scores:
            scores = scores + ops.where(going, decoder.log_probs(tokens, logits)[..., 0], 0.0)
        tokens = ops.where(going, tokens[..., 0], decoder.padding_id)
        ids = decoder.append(state.ids, tokens, step)
        return SequenceState(step + 1, ids, scores, going & ~decoder.ends(tokens, step), cache)

    ids, cache = decoder.start()
    going = (decoder.length_limits > 0)[:, None]
    start = SequenceState(ops.zeros((), dtype="int32"), ids, ops.zeros_like(going, dtype="float32"), going, cache)
    end = decoding_loop(start, goes_on, advance)
    return decoder.hypotheses(end.ids, end.scores)
