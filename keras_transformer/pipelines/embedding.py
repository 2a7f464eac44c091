"""What the embedders share."""

import functools
import types
from collections.abc import Iterable, Iterator, Mapping, Sized

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows
from keras_transformer.text import Tokenizer
from keras_transformer.types import Texts
from keras_transformer.vector_similarity import KINDS, similarity

# The roles of texts, the first that an embedder has a prompt for; as in sentence-transformers.
QUERY, DOCUMENT = ("query",), ("document", "passage", "corpus")


class EmbedsTexts:
    """The vectors of texts, for a class that embeds a batch of them.

    A subclass has `output_dim`, the width of its vectors, `max_length`, the tokens that it takes of a text (`None` if
    that is unknown), and `_embed_batch`: from N texts, as `bytes`, to (vectors (N, D), number of tokens (N,) or
    `None`). If it has `prompts`, {role: text}, `_embed_batch` takes a role as `prompt`.
    """

    prompts: Mapping[str, str] = types.MappingProxyType({})

    def embed(
        self, texts: Iterable[str], batch_size: int = 32, show_progress: bool = False, prompt: str | None = None
    ) -> np.ndarray:
        """The vectors of any number of texts.

        Texts of about equal length go into one batch; the order is kept. A text has the same vector in any batch, to
        1e-5. Beside the result, memory does not grow with the number of texts.

        Args:
            texts: an iterable of `str`: a list, a file of lines, a generator.
            batch_size: texts that are embedded at once.
            show_progress: draw a bar, as `predict` does.
            prompt: the role of the texts: one of `prompts`, which is put in front of each. By default the embedder's
                default one, if it has any.

        Returns:
            (N, D), float32. A warning says which texts were truncated, counted from 1, and how many.

        Raises:
            ValueError: for a batch size below 1, a single string, what is no string, and an unknown role.
        """
        return as_array(self._stream(texts, batch_size, show_progress, prompt, stacklevel=4), self.output_dim)

    def embed_queries(self, texts: Iterable[str], batch_size: int = 32, show_progress: bool = False) -> np.ndarray:
        """As `embed`, with the prompt "query" if there is one: texts that one searches with."""
        prompt = first_of(self.prompts, QUERY)
        return as_array(self._stream(texts, batch_size, show_progress, prompt, stacklevel=4), self.output_dim)

    def embed_documents(self, texts: Iterable[str], batch_size: int = 32, show_progress: bool = False) -> np.ndarray:
        """As `embed`, with the prompt "document", "passage" or "corpus" if there is one: texts that are searched."""
        prompt = first_of(self.prompts, DOCUMENT)
        return as_array(self._stream(texts, batch_size, show_progress, prompt, stacklevel=4), self.output_dim)

    def embed_stream(
        self, texts: Iterable[str], batch_size: int = 32, prompt: str | None = None
    ) -> Iterator[np.ndarray]:
        """As `embed`, but one vector after the other, in constant memory.

        Args:
            texts: as for `embed`.
            batch_size: as for `embed`.
            prompt: as for `embed`.

        Yields:
            (D,), float32, for each text. When all are read, a warning says which ones were truncated.

        Raises:
            ValueError: as `embed`.
        """
        return self._stream(texts, batch_size, prompt=prompt, stacklevel=2)

    def similarity(
        self,
        texts_a: Iterable[str],
        texts_b: Iterable[str],
        kind: str = "angular",
        paired: bool = False,
        batch_size: int = 32,
    ) -> np.ndarray:
        """How alike texts are: `keras_transformer.pipelines.similarity` of their vectors.

        Args:
            texts_a: an iterable of N `str`.
            texts_b: an iterable of M `str`.
            kind: "angular" or "cosine".
            paired: compare text n with text n alone.
            batch_size: as for `embed`.

        Returns:
            (N, M), or (N,) if `paired`; float64.

        Raises:
            ValueError: for an unknown kind, unequal numbers of pairs, and as `embed`.
        """
        arguments.one_of("kind", kind, KINDS)  # before time is spent on the vectors
        a, b = (self.embed(texts, batch_size) for texts in (texts_a, texts_b))
        return similarity(a, b, kind, paired)

    def _stream(self, texts, batch_size, show_progress=False, prompt=None, *, stacklevel):
        embed_batch = self._embed_batch
        if prompt is not None:
            embed_batch = functools.partial(embed_batch, prompt=known_prompt(self.prompts, prompt))
        bar = progress_bar(texts) if show_progress else None
        limit = Limit("max_length", self.max_length, "embedded")
        return in_batches(text_rows(texts=texts), batch_size, embed_batch, limit, bar, stacklevel)


def first_of(prompts: Mapping[str, str], roles: Iterable[str]) -> str | None:
    """The first of `roles` that there is a prompt for, or `None`."""
    return next((role for role in roles if role in prompts), None)


def known_prompt(prompts: Mapping[str, str], role: str) -> str:
    """`role`; raises `ValueError` if there is no prompt for it."""
    if role not in prompts:
        raise ValueError(f"Expected a prompt of {list(prompts)}. Received: {role!r}")
    return role


def as_array(vectors: Iterable[np.ndarray], width: int) -> np.ndarray:
    """A stream of vectors (D,) as one float32 array (N, D), without a second copy of all of them."""
    return np.fromiter(vectors, np.dtype((np.float32, (width,))))


def progress_bar(texts: Iterable[str]) -> keras.utils.Progbar:
    """A bar for so many texts, if their number is known."""
    return keras.utils.Progbar(len(texts) if isinstance(texts, Sized) else None, unit_name="text")


def ids_and_lengths(tokenizer: Tokenizer, texts: Texts, max_length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Texts (N,) as ids (N, T), padded, and how many tokens each had before it was truncated, int64 (N,)."""
    tokens = tokenizer.tokenize(texts)
    return tokenizer.pad(tokenizer.truncate(tokens, max_length)), tokens.row_lengths()
