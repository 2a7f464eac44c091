from typing import NamedTuple

from keras_transformer.types import Tensor


class Hypotheses(NamedTuple):
    """What a search found, the best first.

    Attributes:
        ids: int32 (B, N, T): tokens, the end id where a hypothesis came to it, then padding.
        scores: float32 (B, N); -inf where a sentence has fewer than N hypotheses, whose ids are padding then.

    Example:
        >>> found = keras_transformer.decoding.Hypotheses(
        ...     ids=np.array([[[5, 3, 0], [6, 7, 3]]]), scores=np.array([[-0.2, -1.3]])
        ... )
        >>> found.ids[0, 0]  # the best of the first sentence
        array([5, 3, 0])
    """

    ids: Tensor
    scores: Tensor
