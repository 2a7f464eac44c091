import inspect

from keras import ops

from keras_transformer import arguments
from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.decodable_model import DecodableModel
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.types import Config, Tensor


class Search:
    """Base of the searches: which sequence of tokens a model that scores the next one should give.

    One loop inside the graph; each step runs the decoder on one position of every hypothesis. The result of a
    sentence does not depend on the others of its batch, but for rounding.

    Args:
        min_length: the end id is not chosen before so many other tokens. A sentence's limit cuts it all the same.

    Call arguments:
        model: a `DecodableModel`, as `Transformer` is.
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

    Example:
        >>> issubclass(keras_transformer.decoding.BeamSearch, keras_transformer.decoding.Search)
        True
    """

    beam_size = 1
    num_best = 1

    def __init__(self, min_length: int = 0) -> None:
        self.min_length = arguments.non_negative_integer("min_length", min_length)

    def __call__(
        self,
        model: DecodableModel,
        source_ids: Tensor,
        length_limits: Tensor,
        begin_id: int,
        end_id: int,
        padding_id: int = 0,
        prefix_ids: Tensor = None,
        max_length: Tensor = None,
        num_best: int | None = None,
        return_scores: bool = True,
        **settings: Tensor,
    ) -> Hypotheses:
        length_limits = ops.cast(length_limits, "int32")
        static_shapes = max_length is not None
        if not static_shapes:
            max_length = ops.max(length_limits, initial=1)
        decoder = BatchDecoder(
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
            static_shapes,
        )
        return self._search(decoder, **settings)

    def _search(self, decoder: BatchDecoder) -> Hypotheses:
        """What is found for the batch."""
        raise NotImplementedError

    def get_config(self) -> Config:
        """Constructor arguments, each of which has an attribute of its name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def from_config(cls, config: Config) -> "Search":
        return cls(**config)
