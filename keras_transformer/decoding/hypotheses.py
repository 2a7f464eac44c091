import typing


class Hypotheses(typing.NamedTuple):
    """What a search found, the best first.

    Attributes:
        ids: int32 (B, N, T): tokens, the end id where a hypothesis came to it, then padding.
        scores: float32 (B, N); -inf where a sentence has fewer than N hypotheses, whose ids are padding then.
    """

    ids: typing.Any
    scores: typing.Any
