"""Any embedder as a model of MTEB, the Massive Text Embedding Benchmark."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from keras_transformer import arguments
from keras_transformer.types import PathLike, Tensor


class MtebModel:
    """Gives an embedder to `mteb.evaluate`.

    It follows the protocol of encoders of mteb 2 (`mteb.models.EncoderProtocol`). Vectors are compared by cosine.

    Args:
        embedder: a `TextEmbedder` or anything else with a method `embed(texts, batch_size=...)`; or the path of what
            `keras_transformer.pipelines.load_embedder` opens, any SavedModel from strings to vectors too; or a handle
            of TF-Hub, which `tensorflow_hub.resolve` finds.
        name: under which results are stored, "organization/model".
        revision: of the model, part of where results are stored.
        prompts: what is put before texts: {"query": ..., "document": ...} by their role, or by the name or type of a
            task, as mteb chooses among them. By default the embedder's own; an embedder with a default prompt puts that
            before these too.
        batch_size: texts embedded at once.

    Raises:
        FileNotFoundError: if there is no model at the path.
        ValueError: for a batch size below 1.

    Example:
        >>> from keras_transformer.evaluation import MtebModel
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> model = MtebModel(keras_transformer.TextEmbedder(encoder, tokenizer), "local/random")
        >>> batches = [{"text": ["a dog", "a cat"]}, {"text": ["a tree"]}]  # as mteb gives them
        >>> model.encode(batches, task_metadata=None, hf_split="test", hf_subset="default").shape
        (3, 6)

    References:
        Muennighoff et al., 2023, "MTEB: Massive Text Embedding Benchmark".
    """

    def __init__(
        self,
        embedder: PathLike | Any,
        name: str,
        revision: str = "1",
        prompts: Mapping[str, str] | None = None,
        batch_size: int = 32,
    ):
        self.name, self.revision = name, revision
        self.batch_size = arguments.positive_integer("batch_size", batch_size)
        self.embedder = _opened(embedder) if isinstance(embedder, (str, os.PathLike)) else embedder
        self._roles = _roles(getattr(self.embedder, "prompts", {})) if prompts is None else {}
        self.prompts = {name: self.embedder.prompts[role] for name, role in self._roles.items()} or dict(prompts or {})

    def encode(
        self,
        inputs: Iterable[Mapping[str, list[str]]],
        *,
        task_metadata: Any,
        hf_split: str,
        hf_subset: str,
        prompt_type: Any = None,
        **kwargs: Any,
    ) -> np.ndarray:
        """The vectors of the texts of all batches.

        Args:
            inputs: batches, {"text": a list of `str`}.
            task_metadata: mteb's, of the task.
            hf_split: not used.
            hf_subset: not used.
            prompt_type: mteb's, the role of the texts.
            **kwargs: of `mteb.evaluate(encode_kwargs=...)`; of these `batch_size` is used.

        Returns:
            (N, D), float32.
        """
        name = self._prompt_name(task_metadata, prompt_type)
        options = {"prompt": self._roles[name]} if name in self._roles else {}
        before = "" if options else self.prompts.get(name, "")
        texts = [before + text for batch in inputs for text in batch["text"]]
        vectors = self.embedder.embed(texts, batch_size=kwargs.get("batch_size") or self.batch_size, **options)
        return np.asarray(vectors, "float32")

    def similarity(self, embeddings1: Tensor, embeddings2: Tensor) -> Tensor:
        """Cosines (N, M), a tensor of torch."""
        from mteb.similarity_functions import cos_sim

        return cos_sim(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Tensor, embeddings2: Tensor) -> Tensor:
        """Cosines (N,) of vectors in equal places, a tensor of torch."""
        from mteb.similarity_functions import pairwise_cos_sim

        return pairwise_cos_sim(embeddings1, embeddings2)

    @property
    def mteb_model_meta(self) -> Any:
        """Mteb's `ModelMeta`: the name, the revision, and what of the embedder is known."""
        from mteb.models.model_meta import ModelMeta, ScoringFunction

        known = {
            "name": self.name,
            "revision": self.revision,
            "framework": ["TF"],
            "max_tokens": getattr(self.embedder, "max_length", None),
            "similarity_fn_name": ScoringFunction.COSINE,
            "use_instructions": bool(self.prompts),
        }
        return ModelMeta.create_empty(known)

    def _prompt_name(self, task_metadata, prompt_type):
        if not self.prompts:
            return None
        from mteb.models.abs_encoder import get_prompt_name

        return get_prompt_name(self.prompts, task_metadata, prompt_type)


def _roles(prompts):
    """{mteb's name of a role, or the role itself: role} of an embedder's prompts."""
    from keras_transformer.pipelines.embedding import DOCUMENT, QUERY, first_of

    of_mteb = {"query": first_of(prompts, QUERY), "document": first_of(prompts, DOCUMENT)}
    return {name: role for name, role in {**of_mteb, **dict(zip(prompts, prompts))}.items() if role is not None}


def _opened(handle):
    from keras_transformer.pipelines import load_embedder

    if not os.path.exists(handle) and "://" in os.fspath(handle):
        import tensorflow_hub

        handle = tensorflow_hub.resolve(os.fspath(handle))
    return load_embedder(handle)
