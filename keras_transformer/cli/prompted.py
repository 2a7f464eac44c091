"""An embedder for commands that embed texts of one role."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # not before the arguments are checked
    import numpy as np

    from keras_transformer.types import Tensor, Texts


class Prompted:
    """An embedder that puts the prompt of a role in front of all texts.

    Args:
        embedder: what `load_embedder` opened.
        prompt: the role; `None` for the embedder's default one.

    Raises:
        ValueError: for a role that the embedder has no prompt for.
    """

    def __init__(self, embedder: Any, prompt: str | None):
        from keras_transformer.pipelines.embedding import known_prompt

        self._embedder = embedder
        self._options = {} if prompt is None else {"prompt": known_prompt(embedder.prompts, prompt)}
        self.output_dim, self.max_length = embedder.output_dim, embedder.max_length

    def embed(self, texts: Iterable[str], batch_size: int = 32) -> "np.ndarray":
        """As the embedder's own."""
        return self._embedder.embed(texts, batch_size, **self._options)

    def num_tokens(self, texts: "Texts") -> "Tensor":
        """As the embedder's own."""
        return self._embedder.num_tokens(texts, **self._options)
