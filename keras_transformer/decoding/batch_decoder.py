"""What the searches share: one batch on its way through a model, and the rules for its tokens."""

import dataclasses
from typing import Any

import keras
from keras import ops

from keras_transformer.decoding.decodable_model import BeamableCache, DecodableModel
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.ops import masks
from keras_transformer.ops.top_k import rows_of, select, top_k
from keras_transformer.types import Tensor

_MOST_FORBIDDEN = 3  # padding, begin, and at first the end


@dataclasses.dataclass(frozen=True)
class BatchDecoder:
    """One batch on its way through a model: B sentences with K hypotheses each.

    The ids of hypotheses are (B, K, T + 1): the begin id stands first.
    """

    model: DecodableModel
    source_ids: Tensor  # (B, S)
    length_limits: Tensor  # (B,)
    begin_id: int
    end_id: int
    padding_id: int
    prefix_ids: Tensor  # (B, P) or None
    max_length: Tensor  # T
    min_length: int
    beam_size: int  # K
    num_best: int  # N
    return_scores: bool
    static_shapes: bool  # whether they must not change from step to step

    def start(self) -> tuple[Tensor, Any]:
        """Hypotheses without tokens, and the cache for K of each sentence."""
        shape = (ops.shape(self.source_ids)[0], self.beam_size)
        begin = ops.full((*shape, 1), self.begin_id, dtype="int32")
        ids = ops.concatenate([begin, ops.full((*shape, self.max_length), self.padding_id, dtype="int32")], axis=-1)
        cache = self.model.start_decoding(self.source_ids, self.max_length, static_shapes=self.static_shapes)
        if self.beam_size == 1:
            return ids, cache
        if isinstance(cache, BeamableCache):
            return ids, cache.expand_to_beam(self.beam_size)
        return ids, keras.tree.map_structure(lambda x: ops.repeat(x, self.beam_size, axis=0), cache)

    def reordered(self, cache: Any, old_cache: Any, parents: Tensor) -> Any:
        """`cache`, which a step made of `old_cache`, for hypotheses that go on from `parents` int32 (B, K)."""
        if self.beam_size == 1:
            return cache
        if isinstance(cache, BeamableCache):
            return cache.reorder(parents)
        rows = ops.reshape(rows_of(parents, self.beam_size), (-1,))
        return keras.tree.map_structure(
            lambda old, new: new if new is old else ops.take(new, rows, axis=0), old_cache, cache
        )

    def logits(self, ids: Tensor, step: Tensor, cache: Any) -> tuple[Tensor, Any]:
        """Logits (B, K, V) of the tokens after `step` others, in float32, and the updated cache."""
        batch_size = ops.shape(ids)[0]
        last = ops.reshape(ops.take(ids, step, axis=-1), (batch_size * self.beam_size, 1))
        logits, cache = self.model.decode_step(last, cache, step)
        shape = (batch_size, self.beam_size, logits.shape[-1])
        return ops.cast(ops.reshape(logits, shape), "float32"), cache

    def candidates(self, logits: Tensor, number: int) -> Tensor:
        """The tokens int32 (B, K, C) among which are the `number` likeliest allowed ones, the likeliest first.

        Those that must not come are few, so that they need not be taken out of all V logits: as many more tokens are
        taken, and `apply_constraints` tells which are ruled out.
        """
        return top_k(logits, min(number + _MOST_FORBIDDEN, logits.shape[-1]))[1]

    def allowed(self, logits: Tensor, step: Tensor) -> Tensor:
        """`logits` (B, K, V) with -inf for the tokens that must not come."""
        return ops.where(self._forbidden(ops.arange(logits.shape[-1], dtype="int32"), step), -float("inf"), logits)

    def likeliest(self, logits: Tensor, step: Tensor) -> Tensor:
        """The likeliest allowed token of each hypothesis, int32 (B, K)."""
        tokens = ops.cast(ops.argmax(logits, axis=-1), "int32")
        # What must not come is hardly ever the likeliest: all V logits are looked at for it only then.
        return ops.cond(
            ops.any(self._forbidden(tokens, step)),
            lambda: ops.cast(ops.argmax(self.allowed(logits, step), axis=-1), "int32"),
            lambda: tokens,
        )

    def apply_constraints(self, tokens: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Which candidates may come, and the prefix' token in their place where a sentence is still inside its prefix.

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

    def log_probs(self, tokens: Tensor, logits: Tensor) -> Tensor:
        """The model's own log-probabilities (B, K, C) of `tokens`, from all logits (B, K, V).

        Softmax is one operation on TensorFlow, and half the time of the five of `ops.logsumexp`. The probability of the
        likeliest token, which is never small, tells the sum.
        """
        highest = ops.max(logits, axis=-1, keepdims=True)
        log_sum = highest - ops.log(ops.max(ops.softmax(logits, axis=-1), axis=-1, keepdims=True))
        return ops.minimum(select(logits, tokens) - log_sum, 0.0)  # never above, so that sums of them can only fall

    def log_allowed(self, logits: Tensor, step: Tensor) -> Tensor:
        """The log-probability (B, K, 1) that all logits (B, K, V) give to the tokens that may come."""
        special = sorted({self.padding_id, self.begin_id, self.end_id})
        tokens = ops.broadcast_to(ops.convert_to_tensor(special, "int32"), (*ops.shape(logits)[:2], len(special)))
        probs = ops.where(self._forbidden(tokens, step), ops.exp(self.log_probs(tokens, logits)), 0.0)
        return ops.log1p(-ops.sum(probs, axis=-1, keepdims=True))

    def append(self, ids: Tensor, tokens: Tensor, step: Tensor) -> Tensor:
        """`ids` (B, K, T + 1) with `tokens` (B, K) behind the first `step`."""
        # Not `ops.slice_update`, which on TensorFlow is an operation of XLA: servers refuse it by default.
        is_next = ops.arange(ops.shape(ids)[-1], dtype="int32") == step + 1
        return ops.where(is_next, tokens[..., None], ids)

    def ends(self, tokens: Tensor, step: Tensor) -> Tensor:
        """Boolean (B, K): which hypotheses end with `tokens` (B, K), the `step + 1`-th."""
        return (tokens == self.end_id) | (step + 1 >= self.length_limits)[:, None]

    def hypotheses(self, ids: Tensor, scores: Tensor) -> Hypotheses:
        """The result, from ids (B, N, T + 1) and scores (B, N)."""
        found = (scores > -float("inf"))[..., None]
        return Hypotheses(ops.where(found, ids[:, :, 1:], self.padding_id), scores)

    def _forbidden(self, tokens, step):
        never = (tokens == self.padding_id) | (tokens == self.begin_id)
        return never | ((tokens == self.end_id) & (step < self.min_length)) if self.min_length else never
