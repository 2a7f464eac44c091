import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.decoding_loop import decode_one_by_one
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.decoding.search import Search
from keras_transformer.ops.top_k import select
from keras_transformer.types import Tensor

_NUM_PLACES = 32749  # the largest prime whose square is below 2^30
_SMALLEST, _HOTTEST = 1e-6, 1e6  # of temperature and top_p, where a call gives less, and of temperature, where more


@keras.saving.register_keras_serializable(package="keras_transformer")
class Sampling(Search):
    """Tokens drawn from the model's distribution, or from the likelier part of it.

    Logits are divided by the temperature; the `top_k` likeliest tokens stay; of these the nucleus: the fewest that
    together have a probability of at least `top_p`.

    A sentence's sample is a function of the seed and the sentence: the same in whatever batch, in eager mode, in a
    graph, and exported. (XLA has random numbers of its own.) Other samples of the same sentence take other seeds.

    Called as every `Search`; a call may give another `seed`, `temperature` and `top_p`. In a call what is below or
    above the bounds counts as the bound (0 for seeds, 1e-6 and 1e6 for temperatures, 1e-6 and 1 for top_p), and NaN as
    the search's own. The score is log P(Y | X) of the model itself, without temperature and selection.

    Args:
        temperature: above 0. Below 1 sharpens the distribution, above 1 flattens it.
        top_k: number of tokens that may be drawn; 0 for all.
        top_p: probability of the nucleus, in (0, 1]; 1 for all. Without `top_k` it sorts the whole vocabulary.
        seed: an integer in [0, 2^31).
        min_length: the end id is not chosen before so many other tokens.

    Raises:
        ValueError: for numbers outside these bounds.

    References:
        Fan et al., 2018, "Hierarchical Neural Story Generation" (top k); Holtzman et al., 2020, "The Curious Case of
        Neural Text Degeneration" (nucleus).

    Example:
        >>> model = keras_transformer.models.Transformer.from_preset("tiny", vocabulary_size=50)
        >>> search, source = keras_transformer.decoding.Sampling(temperature=0.7, top_k=5), np.array([[5, 6, 3]])
        >>> one, other = (search(model, source, [4], begin_id=2, end_id=3, seed=seed).ids for seed in (1, 1))
        >>> np.array_equal(one, other)
        True
    """

    def __init__(
        self, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int = 0, min_length: int = 0
    ) -> None:
        super().__init__(min_length)
        self.temperature = arguments.positive_number("temperature", temperature)
        self.top_k = arguments.non_negative_integer("top_k", top_k)
        self.top_p = arguments.fraction("top_p", top_p)
        self.seed = arguments.seed("seed", seed)

    def _search(
        self, decoder: BatchDecoder, seed: Tensor = None, temperature: Tensor = None, top_p: Tensor = None
    ) -> Hypotheses:
        seed = ops.maximum(ops.cast(self.seed if seed is None else seed, "int32"), 0)
        temperature = self.temperature if temperature is None else _for_logits(temperature, self.temperature, _HOTTEST)
        top_p = self.top_p if top_p is None else _for_logits(top_p, self.top_p, 1.0)
        places = _places(decoder.source_ids, decoder.padding_id)

        def choose(logits, step):
            uniform = _uniform(seed, step, places)
            allowed = decoder.allowed(logits, step) / temperature
            return _draw(self._likelier(allowed, top_p), 1.0 - uniform[:, None])

        return decode_one_by_one(decoder, choose)

    def _likelier(self, logits, top_p):
        """`logits` (B, 1, V) with -inf for what is not among the top k or not in the nucleus."""
        if not self.top_k and isinstance(top_p, float) and top_p == 1:
            return logits
        vocabulary_size = logits.shape[-1]
        values, tokens = ops.top_k(logits, min(self.top_k or vocabulary_size, vocabulary_size))
        cumulative = ops.cumsum(ops.exp(values - values[..., :1]), axis=-1)
        # A token is in the nucleus if those before it do not suffice, as the first always is.
        insufficient = cumulative[..., :-1] < top_p * cumulative[..., -1:]
        last = ops.sum(ops.cast(insufficient, "int32"), axis=-1, keepdims=True)
        value, token = select(values, last), select(ops.cast(tokens, "int32"), last)
        # Of equal ones the lower id comes first.
        kept = (logits > value) | ((logits == value) & (ops.arange(vocabulary_size, dtype="int32") <= token))
        return ops.where(kept, logits, -float("inf"))


def _for_logits(setting, own, largest):
    """A number, or one for each sentence (B,), within bounds, as it goes with logits (B, 1, V); `own` for NaN."""
    setting = ops.convert_to_tensor(setting, dtype="float32")
    setting = ops.where(ops.isnan(setting), own, ops.clip(setting, _SMALLEST, largest))
    return ops.reshape(setting, (-1, 1, 1))


def _uniform(seed, step, places):
    """Each sentence's number (B,) in [0, 1): that at its place (B,) in the sequence of its seed, () or (B,)."""

    def one_sequence(seed, places):
        return ops.take(keras.random.uniform((_NUM_PLACES,), seed=_StepSeed(seed, step)), places)

    if len(seed.shape) == 0:
        return one_sequence(seed, places)
    # Of the many numbers of a sequence one is used: sequences are made anew only for seeds that differ.
    return ops.cond(
        ops.all(seed == seed[:1]),
        lambda: one_sequence(ops.max(seed, initial=0), places),
        lambda: ops.map(lambda pair: one_sequence(*pair), (seed, places)),
    )


class _StepSeed(keras.random.SeedGenerator):
    """Gives `keras.random` a seed that is a tensor, of which it takes only those of generators."""

    def __init__(self, seed, step):
        # Not the base class' constructor, which makes a variable.
        dtype = "uint32" if keras.backend.backend() == "jax" else "int32"
        self.seed = ops.cast(ops.stack([seed, step]), dtype)

    def next(self, ordered=True):
        return self.seed


def _draw(logits, uniform):
    """Logits (B, 1, V) and numbers (B, 1) in (0, 1] to tokens (B, 1)."""
    cumulative = ops.cumsum(ops.exp(logits - ops.max(logits, axis=-1, keepdims=True)), axis=-1)
    # The first token to reach a share of the total; one without probability is never the first.
    return ops.sum(ops.cast(cumulative < uniform[..., None] * cumulative[..., -1:], "int32"), axis=-1)


def _places(source_ids, padding_id):
    """Where each sentence (B, S) finds its random numbers: a hash of its ids, (B,), in [0, _NUM_PLACES)."""
    positions = ops.arange(ops.shape(source_ids)[1], dtype="int32") % _NUM_PLACES
    factors = (positions * 7919 + 104729) % _NUM_PLACES
    ids = ops.where(source_ids == padding_id, 0, ops.cast(source_ids, "int32") % (_NUM_PLACES - 1) + 1)
    return ops.sum(ids * factors % _NUM_PLACES, axis=1) % _NUM_PLACES
