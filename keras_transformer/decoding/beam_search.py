from typing import Any, NamedTuple

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.decoding_loop import decoding_loop
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.decoding.search import Search
from keras_transformer.ops.top_k import select, take_rows
from keras_transformer.types import Tensor

_NORMALIZATIONS = ("gnmt", "power")
_RULES = ("exact", "hugging_face")
_LARGEST_PENALTY = 10.0  # of a call: lp of 5,000 tokens still is a float32


class BeamState(NamedTuple):
    """What moves on with each step of a beam search.

    Attributes:
        step: how many tokens there are, ().
        ids: of the beam, (B, K, T + 1), the begin id first.
        log_probs: log P of the beam so far, (B, K); -inf for what is no hypothesis.
        finished_ids: (B, N, T + 1).
        finished_scores: (B, N), the best first; -inf where there are fewer.
        cache: the model's.
    """

    step: Tensor
    ids: Tensor
    log_probs: Tensor
    finished_ids: Tensor
    finished_scores: Tensor
    cache: Any


@keras.saving.register_keras_serializable(package="keras_transformer")
class BeamSearch(Search):
    """The best of the hypotheses that a beam of K finds: score(Y) = log P(Y | X) / lp(|Y|).

    Each step extends the hypotheses of the beam by every token and keeps the K likeliest of all. Those that end
    leave the beam for the finished ones, of which the N of highest score are kept. A sentence is done
    once nothing in its beam can beat the worst of these: log P only falls, and lp(limit) is the most it can be
    divided by. Stopping then changes no result.

    |Y| counts the end id, and not the begin id. Called as every `Search`; a call may give another
    `length_penalty`, in which what is below 0 counts as 0, what is above 10 as 10, and NaN as the search's own.

    Args:
        beam_size: the hypotheses K of a sentence. 1 is greedy search.
        length_penalty: alpha, at least 0. The higher, the longer the results; 0 compares log P itself.
        length_normalization: "gnmt" for lp(n) = ((5 + n) / 6)^alpha, or "power" for lp(n) = n^alpha, which with an
            alpha of 1 compares the mean log-probability of a token.
        min_length: the end id is not chosen before so many other tokens.
        num_best: hypotheses N in the result, at most K, which is the default. Where a call wants fewer it is done
            earlier.
        rules: "exact" for the above. With "hugging_face" a model gives what it gives in their library transformers:
            hypotheses that ended leave the beam to the K likeliest of the others, and a sentence is done once K have
            ended and the likeliest of the others, divided by lp of its length so far, is no better than the worst.
        early_stopping: with the rules of "hugging_face", when a sentence is done: `False` for the above, `True` once K
            have ended, "never" once the likeliest of the others, divided by lp of its limit, is no better.
        renormalize: whether probabilities are those among the tokens that may come, without padding and the like.

    Raises:
        ValueError: for sizes below 1, `num_best` above `beam_size`, negative numbers, an unknown normalization,
            unknown rules, and `early_stopping` with other rules than "hugging_face".

    References:
        Wu et al., 2016, "Google's Neural Machine Translation System", section 7, without its coverage penalty.
        Vaswani et al., 2017, "Attention Is All You Need", section 6.1: K = 4, alpha = 0.6.

    Example:
        >>> model = keras_transformer.models.Transformer.from_preset("tiny", vocabulary_size=50)
        >>> found = keras_transformer.decoding.BeamSearch(beam_size=3)(
        ...     model, np.array([[5, 6, 3]]), [4], begin_id=2, end_id=3
        ... )
        >>> found.ids.shape, bool(found.scores[0, 0] >= found.scores[0, 1])
        (TensorShape([1, 3, 4]), True)
    """

    def __init__(
        self,
        beam_size: int = 4,
        length_penalty: float = 0.6,
        length_normalization: str = "gnmt",
        min_length: int = 0,
        num_best: int | None = None,
        rules: str = "exact",
        early_stopping: bool | str = False,
        renormalize: bool = False,
    ) -> None:
        super().__init__(min_length)
        self.beam_size = arguments.positive_integer("beam_size", beam_size)
        self.length_penalty = arguments.non_negative_number("length_penalty", length_penalty)
        self.length_normalization = arguments.one_of("length_normalization", length_normalization, _NORMALIZATIONS)
        self.rules = arguments.one_of("rules", rules, _RULES)
        early_stopping = arguments.one_of("early_stopping", early_stopping, (False, True, "never"))
        self.early_stopping = early_stopping if early_stopping == "never" else bool(early_stopping)  # 1 is among them
        if early_stopping and rules != "hugging_face":
            raise ValueError(f"Expected early_stopping with rules='hugging_face' alone. Received: rules={rules!r}")
        self.renormalize = renormalize
        self.num_best = arguments.optional_positive_integer("num_best", num_best) or self.beam_size
        if self.num_best > self.beam_size:
            raise ValueError(f"Expected num_best of at most beam_size={beam_size}. Received: num_best={num_best}")

    def _search(self, decoder: BatchDecoder, length_penalty: Tensor = None) -> Hypotheses:
        alpha = self.length_penalty if length_penalty is None else self._within_bounds(length_penalty)
        alpha = ops.reshape(alpha, (-1, 1))
        highest_penalty = self._penalty(decoder.length_limits[:, None], alpha)

        def goes_on(state):
            return (state.step < decoder.max_length) & ops.any(state.log_probs > -float("inf"))

        def advance(state):
            log_probs, ids, parents, ended, cache = self._extend(decoder, state)
            scores = ops.where(ended, log_probs / self._penalty(state.step + 1, alpha), -float("inf"))
            finished_scores, finished_ids = self._finish(state, scores, ids)
            log_probs = ops.where(ended, -float("inf"), log_probs)
            if self._stays_full:
                log_probs, kept = _top_k(log_probs, self.beam_size)
                ids, parents = take_rows(ids, kept), select(parents, kept)
                hopeful = self._hopeful(state.step + 1, log_probs, finished_scores, alpha, highest_penalty)
            else:  # What cannot win any more crowds out only what could not either.
                hopeful = log_probs / highest_penalty > finished_scores[:, -1:]
            log_probs = ops.where(hopeful, log_probs, -float("inf"))
            cache = decoder.reordered(cache, state.cache, parents)
            return BeamState(state.step + 1, ids, log_probs, finished_ids, finished_scores, cache)

        end = decoding_loop(self._start(decoder), goes_on, advance)
        return decoder.hypotheses(end.finished_ids[:, : decoder.num_best], end.finished_scores[:, : decoder.num_best])

    @property
    def _stays_full(self):
        return self.rules == "hugging_face"

    def _start(self, decoder):
        """One empty hypothesis; a second one would be extended to the same."""
        ids, cache = decoder.start()
        number = self.beam_size if self._stays_full else decoder.num_best
        first = (decoder.length_limits > 0)[:, None]
        log_probs = ops.where(first & (ops.arange(self.beam_size) == 0), 0.0, -float("inf"))
        scores = ops.where(~first & (ops.arange(number) == 0), 0.0, -float("inf"))
        return BeamState(ops.zeros((), dtype="int32"), ids, log_probs, ids[:, :number], scores, cache)

    def _extend(self, decoder, state):
        """The likeliest extensions (B, C): log P, ids, the hypotheses that they extend, which end; and the cache."""
        number, step = (2 * self.beam_size if self._stays_full else self.beam_size), state.step
        logits, cache = decoder.logits(state.ids, step, state.cache)
        # The best of all extensions are among as many best of each hypothesis.
        tokens, out = decoder.apply_constraints(decoder.candidates(logits, number), step)
        num_tokens = tokens.shape[-1]
        gains = decoder.log_probs(tokens, logits)
        if self.renormalize:
            gains = ops.minimum(gains - decoder.log_allowed(logits, step), 0.0)
        gains = ops.where(out, -float("inf"), gains)
        log_probs, best = _top_k(_merge(state.log_probs[..., None] + gains), number)
        tokens, parents = select(_merge(tokens), best), best // num_tokens
        ids = decoder.append(take_rows(state.ids, parents), tokens, step)
        return log_probs, ids, parents, decoder.ends(tokens, step), cache

    def _finish(self, state, scores, ids):
        """The best of the finished hypotheses, with those of the beam that have `scores` above -inf."""
        number = state.finished_scores.shape[1]
        finished_ids = ops.concatenate([state.finished_ids, ids[:, : self.beam_size]], axis=1)
        finished_scores = ops.concatenate([state.finished_scores, scores[:, : self.beam_size]], axis=1)
        finished_scores, kept = _top_k(finished_scores, number)
        return finished_scores, take_rows(finished_ids, kept)

    def _hopeful(self, length, log_probs, finished_scores, alpha, highest_penalty):
        """Boolean (B, 1): which sentences go on, by the rules of Hugging Face's library."""
        if self.early_stopping is True:
            return finished_scores[:, -1:] == -float("inf")
        penalty = highest_penalty if self.early_stopping == "never" else self._penalty(length, alpha)
        return log_probs[:, :1] / penalty > finished_scores[:, -1:]

    def _within_bounds(self, length_penalty):
        alpha = ops.convert_to_tensor(length_penalty, dtype="float32")
        return ops.where(ops.isnan(alpha), self.length_penalty, ops.clip(alpha, 0.0, _LARGEST_PENALTY))

    def _penalty(self, length, alpha):
        length = ops.cast(length, "float32")
        return ops.power(
            (5.0 + length) / 6.0 if self.length_normalization == "gnmt" else ops.maximum(length, 1.0), alpha
        )


def _top_k(values, k):
    values, indices = ops.top_k(values, k)
    return values, ops.cast(indices, "int32")


def _merge(candidates):
    """(B, K, C) -> (B, K * C)."""
    batch_size, beam_size, number = ops.shape(candidates)
    return ops.reshape(candidates, (batch_size, beam_size * number))
