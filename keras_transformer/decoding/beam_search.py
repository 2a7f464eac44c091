import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.decoding.search import Search
from keras_transformer.decoding.steps import select
from keras_transformer.layers.key_value_cache import take_rows

_NORMALIZATIONS = ("gnmt", "power")
_RULES = ("exact", "transformers")
_LARGEST_PENALTY = 10.0  # of a call: lp of 5,000 tokens still is a float32


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
        rules: "exact" for the above. With "transformers" a model gives what it gives in that library: hypotheses that
            ended leave the beam to the K likeliest of the others, and a sentence is done once K have ended and the
            likeliest of the others, divided by lp of its length so far, is no better than the worst of them.
        early_stopping: with the rules of "transformers", when a sentence is done: `False` for the above, `True` once K
            have ended, "never" once the likeliest of the others, divided by lp of its limit, is no better.
        renormalize: whether probabilities are those among the tokens that may come, without padding and the like.

    Raises:
        ValueError: for sizes below 1, `num_best` above `beam_size`, negative numbers, an unknown normalization,
            unknown rules, and `early_stopping` with others than those of transformers.

    References:
        Wu et al., 2016, "Google's Neural Machine Translation System", section 7, without its coverage penalty.
        Vaswani et al., 2017, "Attention Is All You Need", section 6.1: K = 4, alpha = 0.6.
    """

    def __init__(
        self,
        beam_size=4,
        length_penalty=0.6,
        length_normalization="gnmt",
        min_length=0,
        num_best=None,
        rules="exact",
        early_stopping=False,
        renormalize=False,
    ):
        super().__init__(min_length)
        self.beam_size = arguments.positive_integer("beam_size", beam_size)
        self.length_penalty = arguments.non_negative_number("length_penalty", length_penalty)
        self.length_normalization = arguments.one_of("length_normalization", length_normalization, _NORMALIZATIONS)
        self.rules = arguments.one_of("rules", rules, _RULES)
        early_stopping = arguments.one_of("early_stopping", early_stopping, (False, True, "never"))
        self.early_stopping = early_stopping if early_stopping == "never" else bool(early_stopping)  # 1 is among them
        if early_stopping and rules != "transformers":
            raise ValueError(f"Expected early_stopping with the rules of transformers alone. Received: rules={rules!r}")
        self.renormalize = renormalize
        self.num_best = arguments.optional_positive_integer("num_best", num_best) or self.beam_size
        if self.num_best > self.beam_size:
            raise ValueError(f"Expected num_best of at most beam_size={beam_size}. Received: num_best={num_best}")

    def _search(self, steps, length_penalty=None):
        alpha = self.length_penalty if length_penalty is None else self._within_bounds(length_penalty)
        alpha = ops.reshape(alpha, (-1, 1))
        highest_penalty = self._penalty(steps.length_limits[:, None], alpha)
        stays_full = self.rules == "transformers"
        num_finished = self.beam_size if stays_full else steps.num_best
        num_extended = 2 * self.beam_size if stays_full else self.beam_size

        def goes_on(step, ids, log_probs, finished_ids, finished_scores, cache):
            return (step < steps.max_length) & ops.any(log_probs > -float("inf"))

        def advance(step, ids, log_probs, finished_ids, finished_scores, cache):
            logits, new_cache = steps.logits(ids, step, cache)
            # The best of all extensions are among as many best of each hypothesis.
            tokens, out = steps.settle(steps.best(logits, num_extended), step)
            num_tokens = tokens.shape[-1]
            gains = steps.log_probs(tokens, logits)
            if self.renormalize:
                gains = ops.minimum(gains - steps.log_allowed(logits, step), 0.0)
            gains = ops.where(out, -float("inf"), gains)
            log_probs, best = _top_k(_merge(log_probs[..., None] + gains), num_extended)
            tokens, parents = select(_merge(tokens), best), best // num_tokens
            ids = steps.append(take_rows(ids, parents), tokens, step)

            ended = steps.ends(tokens, step)
            scores = ops.where(ended, log_probs / self._penalty(step + 1, alpha), -float("inf"))[:, : self.beam_size]
            finished_ids = ops.concatenate([finished_ids, ids[:, : self.beam_size]], axis=1)
            finished_scores, kept = _top_k(ops.concatenate([finished_scores, scores], axis=1), num_finished)
            finished_ids = take_rows(finished_ids, kept)

            log_probs = ops.where(ended, -float("inf"), log_probs)
            if stays_full:
                log_probs, kept = _top_k(log_probs, self.beam_size)
                ids, parents = take_rows(ids, kept), select(parents, kept)
                highest = highest_penalty if self.early_stopping == "never" else self._penalty(step + 1, alpha)
                hopeful = log_probs[:, :1] / highest > finished_scores[:, -1:]
                if self.early_stopping is True:
                    hopeful = finished_scores[:, -1:] == -float("inf")
            else:  # What cannot win any more crowds out only what could not either.
                hopeful = log_probs / highest_penalty > finished_scores[:, -1:]
            log_probs = ops.where(hopeful, log_probs, -float("inf"))
            cache = steps.reordered(new_cache, cache, parents)
            return step + 1, ids, log_probs, finished_ids, finished_scores, cache

        ids, cache = steps.start()
        # One empty hypothesis; a second one would be extended to the same.
        first = (steps.length_limits > 0)[:, None]
        log_probs = ops.where(first & (ops.arange(self.beam_size) == 0), 0.0, -float("inf"))
        scores = ops.where(~first & (ops.arange(num_finished) == 0), 0.0, -float("inf"))
        start = (ops.zeros((), dtype="int32"), ids, log_probs, ids[:, :num_finished], scores, cache)
        _, _, _, ids, scores, _ = ops.while_loop(goes_on, advance, start)
        return steps.hypotheses(ids[:, : steps.num_best], scores[:, : steps.num_best])

    def _within_bounds(self, length_penalty):
        alpha = ops.convert_to_tensor(length_penalty, dtype="float32")
        return ops.where(ops.isnan(alpha), self.length_penalty, ops.clip(alpha, 0.0, _LARGEST_PENALTY))

    def _penalty(self, length, alpha):
        length = ops.cast(length, "float32")
        return ops.power(
            (5.0 + length) / 6.0 if self.length_normalization == "gnmt" else ops.maximum(length, 1.0), alpha
        )

    def get_config(self):
        return {
            "beam_size": self.beam_size,
            "length_penalty": self.length_penalty,
            "length_normalization": self.length_normalization,
            "num_best": self.num_best,
            "rules": self.rules,
            "early_stopping": self.early_stopping,
            "renormalize": self.renormalize,
            **super().get_config(),
        }


def _top_k(values, k):
    values, indices = ops.top_k(values, k)
    return values, ops.cast(indices, "int32")


def _merge(candidates):
    """(B, K, C) -> (B, K * C)."""
    batch_size, beam_size, number = ops.shape(candidates)
    return ops.reshape(candidates, (batch_size, beam_size * number))
