from keras import ops

from keras_transformer import arguments
from keras_transformer.decoding.steps import Steps


class Search:
    """Base of the searches: which sequence of tokens a model that scores the next one should give.

    One loop inside the graph; each step runs the decoder on one position of every hypothesis. The result of a
    sentence does not depend on the others of its batch, but for rounding.

    Args:
        min_length: the end id is not chosen before so many other tokens. A sentence's limit cuts it all the same.

    Call arguments:
        model: has `encode`, `make_cache` and `decode_step`, as `Transformer` has. For a beam of K each tensor of the
            cache is repeated K times along its first axis, and each step reorders all of them but those that
            `decode_step` hands back untouched (the very object), which are taken to be the same for all hypotheses of a
            sentence. If the model has them, its `spread_cache` and `reorder_cache` do what is needed instead. If it has
            a true `has_growing_cache`, and no `max_length` is given, its `encode` is called with `packed=True`, and
            `make_cache` without a length. With a true `always_spreads` a single hypothesis is a beam of 1 to it.
        source_ids: integers (B, S).
        length_limits: integers (B,): the most tokens of each sentence, its end id included. A hypothesis that
            comes to its limit ends there, without end id. 0 gives one empty hypothesis with the score 0.
        begin_id: the id that stands before the first token. It is never chosen, nor is padding.
        end_id: the id that ends a hypothesis.
        padding_id: fills up after the end.
        prefix_ids: integers (B, P), padded behind: how each sentence has to begin. These tokens count in lengths
            and scores, and may be any, the end id included.
        max_length: the length T of the result, which has to be given where the shapes must be static: for XLA, and on
            JAX as a Python integer. By default the largest limit.
        num_best: how many hypotheses are wanted, at most the search's own `num_best`, which is the default.
        return_scores: whether scores are needed. Without, greedy search and sampling save the time, and give zeros.
        **settings: what a search lets change from call to call, as numbers, scalar tensors, or tensors (B,) of one
            for each sentence: `length_penalty` of `BeamSearch`; `seed`, `temperature` and `top_p` of `Sampling`.

    Returns:
        `Hypotheses` with ids (B, N, T) and scores (B, N), N being the number of hypotheses.
    """

    beam_size = 1
    num_best = 1

    def __init__(self, min_length=0):
        self.min_length = arguments.non_negative_integer("min_length", min_length)

    def __call__(
        self,
        model,
        source_ids,
        length_limits,
        begin_id,
        end_id,
        padding_id=0,
        prefix_ids=None,
        max_length=None,
        num_best=None,
        return_scores=True,
        **settings,
    ):
        length_limits = ops.cast(length_limits, "int32")
        is_static = max_length is not None
        if not is_static:
            max_length = ops.max(length_limits, initial=1)
        steps = Steps(
            model,
            ops.convert_to_tensor(source_ids),
            ops.minimum(length_limits, max_length),
            begin_id,
            end_id,
            padding_id,
            None if prefix_ids is None else ops.cast(prefix_ids, "int32"),
            max_length,
            self.min_length,
            self.beam_size,
            min(num_best or self.num_best, self.num_best),
            return_scores,
            is_static,
        )
        return self._search(steps, **settings)

    def _search(self, steps):
        """`Hypotheses` for the batch in `steps`."""
        raise NotImplementedError

    def get_config(self):
        return {"min_length": self.min_length}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
