from typing import Any

import keras
import numpy as np
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.ops import token_ids
from keras_transformer.types import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class TokenWeights(CompositeLayer):
    """Multiplies the vector of each token by a learned weight of its id, that begins small for frequent ones.

    Weights begin as the smooth inverse frequency a / (a + p). Ids are taken to be in order of falling frequency, as
    `WordTokenizer` and a `SubwordTokenizer` of type "unigram" number them (not of type "bpe", whose single characters
    come last; with byte fallback 256 bytes come first, so that `num_special` is 260), with
    p(rank) = 1 / (rank (ln V + 0.5772)) by Zipf's law.

    Args:
        vocabulary_size: number of token ids V.
        smoothing: the frequency a at which a weight is one half.
        num_special: how many first ids stand for no text; their weights begin as 1.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: (B, T, D), floating.
        ids: integer (B, T), the token of each position, in [0, V).

    Returns:
        (B, T, D) in the compute dtype, with the Keras mask of `inputs`.

    Raises:
        ValueError: for a vocabulary without ids beside the special ones, a smoothing of 0 or less, ids of another
            shape than (B, T), and in eager calls for ids outside the vocabulary.

    References:
        Arora et al., 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", section 3. Relative to the
        paper: frequencies are guessed from ranks, and the weights are learned from there. In sentence-transformers a
        similar module is called `WordWeights`.

    Example:
        >>> layer = keras_transformer.layers.TokenWeights(vocabulary_size=1000)
        >>> weights = np.ravel(layer(np.ones((1, 2, 1)), np.array([[4, 999]])))
        >>> bool(weights[0] < weights[1])  # the most frequent word and a rare one
        True
    """

    def __init__(self, vocabulary_size: int, smoothing: float = 1e-3, num_special: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = arguments.positive_integer("vocabulary_size", vocabulary_size)
        self.smoothing = arguments.positive_number("smoothing", smoothing)
        self.num_special = arguments.non_negative_integer("num_special", num_special)
        if self.num_special >= self.vocabulary_size:
            raise ValueError(
                f"Expected a vocabulary_size above num_special={num_special}. "
                f"Received: vocabulary_size={vocabulary_size}"
            )

    def build(self, inputs_shape: Shape, ids_shape: Shape | None = None) -> None:
        self.factors = self.add_weight(shape=(self.vocabulary_size,), initializer=self._first_factors, name="factors")

    def _first_factors(self, shape, dtype=None):
        count = self.vocabulary_size - self.num_special
        frequencies = 1.0 / (np.arange(1, count + 1) * (np.log(count) + np.euler_gamma))
        factors = np.concatenate([np.ones(self.num_special), self.smoothing / (self.smoothing + frequencies)])
        return ops.convert_to_tensor(factors, dtype=dtype)

    def call(self, inputs: Tensor, ids: Tensor, mask: Tensor = None) -> Tensor:
        arguments.same_shape(self, inputs=inputs.shape[:-1], ids=ids.shape)
        token_ids.check(ids, self.vocabulary_size)
        factors = ops.take(ops.cast(self.factors, self.compute_dtype), ids, axis=0)
        if mask is not None:
            # What padding holds would reach the gradient.
            factors = ops.where(mask, factors, 1)
        return inputs * factors[..., None]
