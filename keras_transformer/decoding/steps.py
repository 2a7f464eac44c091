"""What the searches share: the steps through one batch, and the rules for its tokens."""

import dataclasses
import typing

import keras
from keras import ops

from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.layers import masks
from keras_transformer.layers.key_value_cache import rows_of

_MOST_FORBIDDEN = 3  # padding, begin, and at first the end
_GROUP = 128  # logits


@dataclasses.dataclass(frozen=True)
class Steps:
    """One batch on its way through a model: B sentences with K hypotheses each.

    The ids of hypotheses are (B, K, T + 1): the begin id stands first.
    """

    model: typing.Any
    source_ids: typing.Any  # (B, S)
    length_limits: typing.Any  # (B,)
    begin_id: int
    end_id: int
    padding_id: int
    prefix_ids: typing.Any  # (B, P) or None
    max_length: typing.Any  # T
    min_length: int
    beam_size: int  # K
    num_best: int  # N
    return_scores: bool
    is_static: bool  # whether shapes must not change from step to step

    def start(self):
        """Hypotheses without tokens, and the cache for K of each sentence."""
        shape = (ops.shape(self.source_ids)[0], self.beam_size)
        begin = ops.full((*shape, 1), self.begin_id, dtype="int32")
        ids = ops.concatenate([begin, ops.full((*shape, self.max_length), self.padding_id, dtype="int32")], axis=-1)
        if getattr(self.model, "has_growing_cache", False) and not self.is_static:
            cache = self.model.make_cache(self.model.encode(self.source_ids, packed=True))
        else:
            cache = self.model.make_cache(self.model.encode(self.source_ids), self.max_length)
        has_many = self.beam_size > 1 or getattr(self.model, "always_spreads", False)
        return ids, self._spread(cache) if has_many else cache

    def _spread(self, cache):
        if hasattr(self.model, "spread_cache"):
            return self.model.spread_cache(cache, self.beam_size)
        return keras.tree.map_structure(lambda x: ops.repeat(x, self.beam_size, axis=0), cache)

    def reordered(self, cache, old_cache, parents):
        """`cache`, which a step made of `old_cache`, for hypotheses that go on from `parents` int32 (B, K)."""
        if self.beam_size == 1:
            return cache
        if hasattr(self.model, "reorder_cache"):
            return self.model.reorder_cache(cache, parents)
        rows = ops.reshape(rows_of(parents, self.beam_size), (-1,))
        return keras.tree.map_structure(
            lambda old, new: new if new is old else ops.take(new, rows, axis=0), old_cache, cache
        )

    def logits(self, ids, step, cache):
        """Logits (B, K, V) of the tokens after `step` others, in float32, and the updated cache."""
        batch_size = ops.shape(ids)[0]
        last = ops.reshape(ops.take(ids, step, axis=-1), (batch_size * self.beam_size, 1))
        logits, cache = self.model.decode_step(last, cache, step)
        shape = (batch_size, self.beam_size, logits.shape[-1])
        return ops.cast(ops.reshape(logits, shape), "float32"), cache

    def best(self, logits, number):
        """The tokens int32 (B, K, C) among which are the `number` likeliest allowed ones, the likeliest first.

        Those that must not come are few, so that they need not be taken out of all V logits: as many more tokens are
        taken, and `settle` tells which are ruled out.
        """
        return ops.cast(top_k(logits, min(number + _MOST_FORBIDDEN, logits.shape[-1]))[1], "int32")

    def allowed(self, logits, step):
        """`logits` (B, K, V) with -inf for the tokens that must not come."""
        return ops.where(self._forbidden(ops.arange(logits.shape[-1], dtype="int32"), step), -float("inf"), logits)

    def likeliest(self, logits, step):
        """The likeliest allowed token of each hypothesis, int32 (B, K)."""
        tokens = ops.cast(ops.argmax(logits, axis=-1), "int32")
        # What must not come is hardly ever the likeliest: all V logits are looked at for it only then.
        return ops.cond(
            ops.any(self._forbidden(tokens, step)),
            lambda: ops.cast(ops.argmax(self.allowed(logits, step), axis=-1), "int32"),
            lambda: tokens,
        )

    def settle(self, tokens, step):
        """Candidates after prefixes had their say.

        Args:
            tokens: int32 (B, K, C), of which some may be forbidden.
            step: the number of tokens before.

        Returns:
            (tokens, ruled out), both (B, K, C). Where a sentence is still inside its prefix, the prefix' token is the
            only candidate that is not ruled out.
        """
        out = self._forbidden(tokens, step)
        if self.prefix_ids is None:
            return tokens, out
        # One more column of padding, to which all steps after the prefix point.
        prefix_ids = ops.pad(self.prefix_ids, [[0, 0], [0, 1]], constant_values=self.padding_id)
        column = ops.minimum(step, ops.shape(prefix_ids)[1] - 1)
        forced = ops.take(prefix_ids, column, axis=1)[:, None, None]
        is_prefix = masks.of_ids(prefix_ids, self.padding_id, "right")
        inside = ops.take(is_prefix, column, axis=1)[:, None, None]
        return ops.where(inside, forced, tokens), ops.where(inside, ops.arange(tokens.shape[-1]) > 0, out)

    def log_probs(self, tokens, logits):
        """The model's own log-probabilities (B, K, C) of `tokens`, from all logits (B, K, V).

        Softmax is one operation on TensorFlow, and half the time of the five of `ops.logsumexp`. The probability of the
        likeliest token, which is never small, tells the sum.
        """
        highest = ops.max(logits, axis=-1, keepdims=True)
        log_sum = highest - ops.log(ops.max(ops.softmax(logits, axis=-1), axis=-1, keepdims=True))
        return ops.minimum(select(logits, tokens) - log_sum, 0.0)  # never above, so that sums of them can only fall

    def log_allowed(self, logits, step):
        """The log-probability (B, K, 1) that all logits (B, K, V) give to the tokens that may come."""
        special = sorted({self.padding_id, self.begin_id, self.end_id})
        tokens = ops.broadcast_to(ops.convert_to_tensor(special, "int32"), (*ops.shape(logits)[:2], len(special)))
        probs = ops.where(self._forbidden(tokens, step), ops.exp(self.log_probs(tokens, logits)), 0.0)
        return ops.log1p(-ops.sum(probs, axis=-1, keepdims=True))

    def append(self, ids, tokens, step):
        """`ids` (B, K, T + 1) with `tokens` (B, K) behind the first `step`."""
        # Not `ops.slice_update`, which on TensorFlow is an operation of XLA: servers refuse it by default.
        is_next = ops.arange(ops.shape(ids)[-1], dtype="int32") == step + 1
        return ops.where(is_next, tokens[..., None], ids)

    def ends(self, tokens, step):
        """Boolean (B, K): which hypotheses end with `tokens` (B, K), the `step + 1`-th."""
        return (tokens == self.end_id) | (step + 1 >= self.length_limits)[:, None]

    def hypotheses(self, ids, scores):
        """The result, from ids (B, N, T + 1) and scores (B, N)."""
        found = (scores > -float("inf"))[..., None]
        return Hypotheses(ops.where(found, ids[:, :, 1:], self.padding_id), scores)

    def _forbidden(self, tokens, step):
        never = (tokens == self.padding_id) | (tokens == self.begin_id)
        return never | ((tokens == self.end_id) & (step < self.min_length)) if self.min_length else never


def top_k(logits, k):
    """`ops.top_k` of logits (B, K, V), many times faster on CPU where V is large: (values, indices), both (B, K, k).

    The k largest are in the k groups of logits whose largest are largest. Groups stay in their order, so that of equal
    ones the lower index comes first here too.
    """
    vocabulary_size = logits.shape[-1]
    num_groups = -(-vocabulary_size // _GROUP)
    if k > num_groups // 4:
        return ops.top_k(logits, k)
    if vocabulary_size % _GROUP:
        missing = num_groups * _GROUP - vocabulary_size
        logits = ops.pad(logits, [[0, 0], [0, 0], [0, missing]], constant_values=-float("inf"))
    batch_size, beam_size = ops.shape(logits)[:2]
    groups = ops.reshape(logits, (batch_size * beam_size, num_groups, _GROUP))
    chosen = ops.sort(ops.cast(ops.top_k(ops.max(groups, axis=-1), k)[1], "int32"), axis=-1)
    rows = ops.arange(ops.shape(groups)[0], dtype="int32")[:, None] * num_groups + chosen
    candidates = ops.reshape(ops.take(ops.reshape(groups, (-1, _GROUP)), rows, axis=0), (-1, k * _GROUP))
    values, places = ops.top_k(candidates, k)
    places = ops.cast(places, "int32")
    indices = select(chosen, places // _GROUP) * _GROUP + places % _GROUP
    shape = (batch_size, beam_size, k)
    return ops.reshape(values, shape), ops.reshape(indices, shape)


def select(values, indices):
    """Of values (..., M) those at int32 indices (..., C): (..., C). The leading axes are the same."""
    rows = ops.reshape(indices, (-1, indices.shape[-1]))
    first = ops.arange(ops.shape(rows)[0], dtype="int32")[:, None] * values.shape[-1]
    return ops.reshape(ops.take(ops.reshape(values, (-1,)), first + rows), ops.shape(indices))
