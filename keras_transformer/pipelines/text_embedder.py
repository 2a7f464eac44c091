import inspect
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.pipelines.embedding import EmbedsTexts, ids_and_lengths, known_prompt
from keras_transformer.pipelines.encoder_pipeline import EncoderPipeline
from keras_transformer.pipelines.litert_export import write_litert
from keras_transformer.pipelines.onnx_export import write_onnx
from keras_transformer.pipelines.signatures import (
    IDS,
    STRINGS,
    ExportFunctions,
    Requests,
    checked_prompts,
    known_ids,
    lengths_signature,
    pieces,
    prompts_of,
    traced,
)
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows
from keras_transformer.text import Tokenizer
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import Config, PathLike, Tensor, Texts


@keras.saving.register_keras_serializable(package="keras_transformer")
class TextEmbedder(EmbedsTexts, EncoderPipeline):
    """Strings to unit vectors: tokenizer and sentence encoder.

    A call embeds one batch, in the graph; `embed` any number of texts.

    Args:
        encoder: a model from token ids (N, T) to vectors (N, D), `keras_transformer.models.SentenceEncoder` for
            example. If it has a method `encode` from ids to a vector for each token (N, T, E), these are to be had too;
            if also a method `pool` that makes the text's vector of them, and `encode` an argument `unpadding`, padding
            costs nothing.
        tokenizer: of the texts.
        max_length: longer texts are truncated to so many tokens.
        name: the model's name.
        truncate_dim: only the first so many numbers of a vector are kept, of length 1 again, in exports too; for
            encoders that were trained for it (`Matryoshka`).
        prompts: {role: text} of encoders that were trained with it: "query: ", for example, stands in front of each
            text whose role is "query". It counts as part of the text. `embed_queries` and a `SemanticIndex`'s search
            take "query", `embed_documents` and what an index is made of "document", "passage" or "corpus".
        default_prompt: the role of texts of which none is told; `None` for no prompt.

    Call arguments:
        inputs: strings (N,): a list of `str` or a string tensor.
        training: whether dropout is active.
        prompt: the role of the texts, one of `prompts`; by default `default_prompt`.

    Returns:
        (N, D), float32, of length 1 unless the encoder gives others. A text without tokens (empty, blanks) gives the
        zero vector; under a tokenizer that puts ids around each text, as BERT's, it has a vector too.

    Exported signatures, inputs -> outputs:
        - "serving_default": inputs, strings (N,) -> outputs, float32 (N, D).
        - "ids": inputs, int32 ids (N, T), padded as the tokenizer pads (0, of ours) -> outputs, float32 (N, D). Rows
          are truncated to `max_length`, and ids that the tokenizer does not have count as unknown. To a `BertEncoder`
          the padding id between other ids is a token, and padding only around them.
        - "tokens": inputs, strings (N,) -> outputs, float32 (N, T, E), a vector for each token and zeros behind the
          last; tokens, strings (N, T), padded with ""; lengths, int64 (N,), how many there are. Only of an encoder
          that has a method `encode`.
        - "lengths": inputs, strings (N,) -> outputs, int64 (N,), the tokens of each text, and longest, int64 (N,):
          what is beyond so many is not embedded.
        - one of each role in `prompts`, by its name: as "serving_default", which takes `default_prompt`. The others
          take none.
        - "prompts", if there are any: inputs, strings (N,), roles -> outputs, strings (N,), their prompts; of "" the
          default one.

    Raises:
        ValueError: for inputs that are not a list or vector of strings, a `max_length` below 1, a `truncate_dim`
            that is not from 1 to the width of the encoder's vectors, roles with the name of another signature, and
            an unknown role.

    References:
        Cer et al., 2018, "Universal Sentence Encoder".

    Example:
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = keras_transformer.models.SentenceEncoder(
        ...     tokenizer.vocabulary_size, num_layers=1, hidden_dim=8, intermediate_dim=16, num_heads=2, output_dim=4
        ... )
        >>> embedder = keras_transformer.TextEmbedder(encoder, tokenizer)
        >>> vectors = embedder.embed(["A dog runs.", "Un chien court.", ""])
        >>> vectors.shape
        (3, 4)
        >>> np.linalg.norm(vectors, axis=1).round(4)
        array([1., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        encoder: keras.Model,
        tokenizer: Tokenizer,
        max_length: int = 512,
        name: str | None = None,
        *,
        truncate_dim: int | None = None,
        prompts: Mapping[str, str] | None = None,
        default_prompt: str | None = None,
    ):
        super().__init__(encoder, tokenizer, max_length, name)
        self.truncate_dim = arguments.optional_positive_integer("truncate_dim", truncate_dim)
        if truncate_dim is not None and truncate_dim > encoder.output_shape[-1]:
            raise ValueError(
                f"Expected a truncate_dim of at most {encoder.output_shape[-1]}. Received: truncate_dim={truncate_dim}"
            )
        self.prompts = checked_prompts(prompts or {})
        self.default_prompt = default_prompt and known_prompt(self.prompts, default_prompt)

    @property
    def output_dim(self) -> int:
        """The width D of the vectors."""
        return self.truncate_dim or self.encoder.output_shape[-1]

    def call(self, inputs: Tensor, training: bool | None = None, prompt: str | None = None) -> tf.Tensor:
        return self._from_ids(self._ids(self._prompted(inputs, prompt)), training=training)

    def _prompted(self, texts, prompt):
        """Texts (N,) behind the prompt of a role, by default the default one."""
        role = self.default_prompt if prompt is None else known_prompt(self.prompts, prompt)
        text = self.prompts[role] if role else ""
        return tf.strings.join([text, texts]) if text else texts

    def num_tokens(self, texts: Texts, prompt: str | None = None) -> tf.Tensor:
        """How many tokens each of the texts (N,) has, with its prompt: int64 (N,).

        What is beyond `max_length` is not embedded.
        """
        return super().num_tokens(self._prompted(as_strings(texts), prompt))

    def embed_tokens(self, texts: Iterable[str], batch_size: int = 32) -> list[tuple[list[str], np.ndarray]]:
        """A vector for each token, of which the encoder makes the text's.

        Args:
            texts: an iterable of `str`.
            batch_size: texts that are embedded at once.

        Returns:
            A list with (tokens, vectors) for each text: T `str` as they stand in the vocabulary, a byte that is no
            character as "\\xff", and float32 (T, E). A warning says which texts were truncated, counted from 1.

        Raises:
            ValueError: if the encoder has no method `encode`, and as `embed`.
        """
        if not self._has_token_vectors:
            raise ValueError(
                "Expected an encoder with a method encode, and a tokenizer with ids_to_pieces. "
                f"Received: {type(self.encoder).__name__}, {type(self.tokenizer).__name__}"
            )
        limit = Limit("max_length", self.max_length, "embedded")
        return list(in_batches(text_rows(texts=texts), batch_size, self._embed_tokens_of_batch, limit))

    @property
    def _has_token_vectors(self):
        return hasattr(self.encoder, "encode") and hasattr(self.tokenizer, "ids_to_pieces")

    def _embed_batch(self, texts, prompt=None):
        def embed(texts):
            ids, lengths = ids_and_lengths(self.tokenizer, self._prompted(texts, prompt), self.max_length)
            return self._from_ids(ids, training=False), lengths

        return [x.numpy() for x in self._graph(embed, [STRINGS], "embed", prompt)(tf.constant(texts))]

    def _embed_tokens_of_batch(self, texts):
        found, lengths = self._graph(self._token_vectors, [STRINGS], "embed_tokens")(tf.constant(texts))
        found = [found[name].numpy() for name in ("tokens", "outputs", "lengths")]
        rows = [
            ([token.decode("utf-8", "backslashreplace") for token in tokens[:length]], vectors[:length].copy())
            for tokens, vectors, length in zip(*found)
        ]
        return rows, lengths.numpy()

    def _token_vectors(self, texts):
        """What the signature "tokens" gives, and how many tokens each text had before it was truncated."""
        ids, lengths = ids_and_lengths(self.tokenizer, texts, self.max_length)
        kept = tf.minimum(lengths, self.max_length)
        is_token = tf.sequence_mask(kept, tf.shape(ids)[1])[:, :, None]
        vectors = tf.cast(self.encoder.encode(ids, **self._unpadding), tf.float32)
        tokens = pieces(self.tokenizer, ids)
        return {"outputs": tf.where(is_token, vectors, 0.0), "tokens": tokens, "lengths": kept}, lengths

    def _ids(self, texts):
        return self.tokenizer.pad(self._tokens(texts))

    @property
    def _unpadding(self):
        """The argument of `encode` that makes it fast, if there is one."""
        has_it = "unpadding" in inspect.signature(self.encoder.encode).parameters
        return {"unpadding": True} if has_it else {}

    def _from_ids(self, ids, training=None):
        if training or not hasattr(self.encoder, "pool"):
            vectors = self.encoder(ids, training=training)
        else:
            vectors = self.encoder.pool(self.encoder.encode(ids, **self._unpadding))
        return self.truncate(vectors)

    def truncate(self, vectors: Tensor) -> tf.Tensor:
        """The encoder's vectors (N, W) as float32 (N, D), cut to `truncate_dim` if there is one."""
        vectors = tf.cast(vectors, tf.float32)
        return tf.math.l2_normalize(vectors[:, : self.truncate_dim], axis=-1) if self.truncate_dim else vectors

    def get_config(self) -> Config:
        of_vectors = {"truncate_dim": self.truncate_dim} if self.truncate_dim else {}
        of_texts = {"prompts": dict(self.prompts), "default_prompt": self.default_prompt} if self.prompts else {}
        return {**super().get_config(), **of_vectors, **of_texts}

    def export_functions(self, trainable: bool) -> ExportFunctions:
        of_tokens = self._sliced(lambda ids: self._from_ids(ids, training=False), 1, trainable)

        def of_role(role):
            return traced(STRINGS)(lambda inputs: of_tokens(self._tokens_in_chunks(self._prompted(inputs, role))))

        embed = of_role(None)

        def ids(inputs):
            known = known_ids(inputs, self.tokenizer, self.max_length, has_end=self.tokenizer.adds_ends)
            return {"outputs": of_tokens(tf.RaggedTensor.from_tensor(known, padding=self.tokenizer.padding_id))}

        signatures = {
            "serving_default": traced(STRINGS)(lambda inputs: {"outputs": embed(inputs)}),
            "ids": traced(IDS)(ids),
            "lengths": lengths_signature(super().num_tokens, self.max_length),
        }
        if self._has_token_vectors:
            signatures["tokens"] = traced(STRINGS)(lambda inputs: self._token_vectors(inputs)[0])
        for role in self.prompts:
            function = of_role(role)
            signatures[role] = traced(STRINGS)(lambda inputs, function=function: {"outputs": function(inputs)})
        if self.prompts:
            named = {**self.prompts, "": self.prompts[self.default_prompt] if self.default_prompt else ""}
            signatures["prompts"] = traced(STRINGS)(lambda inputs: {"outputs": prompts_of(named, inputs)})
        return self._root_functions(embed, trainable), signatures

    def export_for_inference(
        self, path: PathLike, format: str, dtype: str | None = None, lengths: Sequence[int] | None = None
    ) -> None:
        if format == "litert":
            write_litert(self, path, dtype, lengths)
        elif lengths is not None:
            raise ValueError(f"Expected format='litert' with lengths. Received: format={format!r}")
        else:
            write_onnx(self, path, dtype)

    def warmup_requests(self, texts: Sequence[str]) -> Requests:
        strings = {"inputs": as_strings(texts)}
        requests = {"serving_default": strings, "ids": {"inputs": self._ids(as_strings(texts))}, "lengths": strings}
        others = [*self.prompts, "prompts"] if self.prompts else []
        others += ["tokens"] if self._has_token_vectors else []
        return {**requests, **dict.fromkeys(others, strings)}
