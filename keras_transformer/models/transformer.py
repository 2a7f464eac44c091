from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Bias, DecoderBlock, Dropout, PositionalEncoding, TokenEmbedding
from keras_transformer.layers.decoder_block import DecoderBlockCache
from keras_transformer.models.encoder_model import EncoderModel
from keras_transformer.ops import BeamCache, CrossAttentionCache, DecoderCache, masks
from keras_transformer.types import Activation, DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class Transformer(EncoderModel):
    """The encoder-decoder of "Attention Is All You Need".

    The paper's by default: post-norm, ReLU, sinusoids, one table for source embeddings, target embeddings and
    logits, embeddings times sqrt(D), dropout on sub-layer outputs and on the sums of embeddings and positions.

    Args:
        vocabulary_size: number of token ids V, of both languages together.
        num_layers: blocks of the encoder, and of the decoder unless `num_decoder_layers` is given.
        hidden_dim: width D.
        intermediate_dim: width F of the feed-forward networks.
        num_heads: heads H of every attention.
        dropout: rate on sub-layer outputs and on the sums of embeddings and positions.
        attention_dropout: rate on attention weights. The paper has none.
        activation_dropout: rate inside the feed-forward networks. The paper has none.
        activation: of the feed-forward networks.
        norm_first: pre-norm instead of the paper's post-norm, with a last normalisation after each stack.
        layer_norm_epsilon: added to variances.
        padding_id: the id that is not attended to; with `begins_with_padding` only behind the last other id.
        target_vocabulary_size: gives the target side a table of its own, tied to the logits; by default
            the two sides share one.
        num_decoder_layers: blocks of the decoder; by default `num_layers`.
        position_layout: `layout` of `PositionalEncoding`.
        max_wavelength: likewise.
        logits_bias: whether a bias is added to the logits. The paper has none.
        begins_with_padding: whether decoding begins with the padding id, as in Marian.
        name: the model's name.
        dtype: dtype or dtype policy, as "mixed_bfloat16"; by default the global one.

    Call arguments:
        inputs: {"source_ids": integers (B, S), "target_ids": integers (B, T)}, where `target_ids` are those that
            stand before each wanted one (the begin id first).
        training: whether dropout is active.

    Returns:
        Logits (B, T, V) of the next target ids, in the compute dtype, with the target's Keras mask.

    Raises:
        ValueError: for bad sizes, rates and ids.

    References:
        Vaswani et al., 2017, "Attention Is All You Need". At V = 37,000 base has 63.08 M parameters and big
        214.25 M; the paper's table 3 prints 65 M and 213 M.

    Example:
        >>> model = keras_transformer.models.Transformer.from_preset("tiny", vocabulary_size=50)
        >>> source, target = np.array([[5, 6, 7, 3]]), np.array([[2, 8, 9]])
        >>> model({"source_ids": source, "target_ids": target}).shape
        TensorShape([1, 3, 50])
        >>> cache = model.start_decoding(source, max_length=3)
        >>> logits, cache = model.decode_step(target[:, :1], cache, 0)
        >>> logits.shape
        TensorShape([1, 1, 50])
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_layers: int = 6,
        hidden_dim: int = 512,
        intermediate_dim: int = 2048,
        num_heads: int = 8,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
        activation: Activation = "relu",
        norm_first: bool = False,
        layer_norm_epsilon: float = 1e-6,
        padding_id: int = 0,
        target_vocabulary_size: int | None = None,
        num_decoder_layers: int | None = None,
        position_layout: str = "interleaved",
        max_wavelength: float = 10000.0,
        logits_bias: bool = False,
        begins_with_padding: bool = False,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        arguments.rate("dropout", dropout)
        dtype = keras.dtype_policies.get(dtype)
        block = {
            "num_heads": num_heads,
            "intermediate_dim": intermediate_dim,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation_dropout": activation_dropout,
            "activation": activation,
            "norm_first": norm_first,
            "layer_norm_epsilon": layer_norm_epsilon,
            "dtype": dtype,
        }
        self._make_embeddings(
            vocabulary_size, target_vocabulary_size, hidden_dim, padding_id, begins_with_padding, dtype
        )
        self.positional_encoding = PositionalEncoding(
            max_wavelength, position_layout, dtype=dtype, name="positional_encoding"
        )
        self.source_dropout, self.target_dropout = (
            Dropout(dropout, dtype=dtype, name=f"{side}_dropout") for side in ("source", "target")
        )
        self.make_encoder(num_layers, **block)
        self._make_decoder(num_decoder_layers, num_layers, **block)
        self.logits_bias = Bias(dtype=dtype, name="logits_bias") if logits_bias else None

        # Functional graph
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        super().__init__(
            inputs={"source_ids": source_ids, "target_ids": target_ids},
            outputs=self.decode(target_ids, self.encode(source_ids)),
            name=name,
        )

    def _make_embeddings(
        self, vocabulary_size, target_vocabulary_size, hidden_dim, padding_id, begins_with_padding, dtype
    ):
        """One table for both sides, or, with a vocabulary of its own, one more for the target."""
        options = {
            "hidden_dim": hidden_dim,
            "padding_id": padding_id,
            "begins_with_padding": begins_with_padding,
            # Where decoding begins with the padding id, that is a token, too.
            "padding_side": "right" if begins_with_padding else "anywhere",
            "dtype": dtype,
        }
        shared = target_vocabulary_size is None
        name = "embedding" if shared else "source_embedding"
        self.source_embedding = self.target_embedding = TokenEmbedding(vocabulary_size, name=name, **options)
        if not shared:
            self.target_embedding = TokenEmbedding(target_vocabulary_size, name="target_embedding", **options)

    def _make_decoder(self, num_layers, num_encoder_layers, **block):
        num_layers = arguments.optional_positive_integer("num_decoder_layers", num_layers) or num_encoder_layers
        self.decoder_blocks = [DecoderBlock(name=f"decoder_block_{i}", **block) for i in range(num_layers)]
        self.decoder_norm = self.make_norm("decoder_norm", **block)

    def call_unpadded(self, inputs: Tensor, training: bool | None) -> Tensor:
        outputs = self.encode(inputs["source_ids"], training, unpadding=True)
        return self.decode(inputs["target_ids"], outputs, training, unpadding=True)

    def encode(self, source_ids: Tensor, training: bool | None = None, unpadding: bool = False) -> Tensor:
        """Source ids (B, S) to the encoder's outputs (B, S, D), which carry their Keras mask.

        With `unpadding`, which is not for JAX and XLA, padding costs nothing.
        """
        x = self.positional_encoding(self.source_embedding(source_ids))
        return self.run_encoder(x, self.source_dropout, training, unpadding)

    def decode(
        self,
        target_ids: Tensor,
        encoder_outputs: Tensor,
        training: bool | None = None,
        return_attention_scores: bool = False,
        unpadding: bool = False,
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """All target positions at once, each seeing the ones before it.

        Args:
            target_ids: (B, T), the begin id first.
            encoder_outputs: what `encode` returned.
            training: whether dropout is active.
            return_attention_scores: also return the weights of cross-attention.
            unpadding: whether padding, whose logits are zeros then, costs nothing. Not for JAX and XLA.

        Returns:
            Logits (B, T, V); if asked for also a list with the weights (B, H, T, S) of each block.
        """
        x, layout = self.unpadded(self.positional_encoding(self.target_embedding(target_ids)), unpadding)
        encoder_outputs, encoder_layout = self.unpadded(encoder_outputs, unpadding)
        x = self.target_dropout(x, training=training)
        scores = []
        for block in self.decoder_blocks:
            x = block(
                x,
                encoder_outputs,
                layout=layout,
                encoder_layout=encoder_layout,
                return_attention_scores=return_attention_scores,
                training=training,
            )
            if return_attention_scores:
                x, _, cross_scores = x
                scores.append(cross_scores)
        logits = self.padded(self._logits(x), layout)
        return (logits, scores) if return_attention_scores else logits

    def make_cache(self, encoder_outputs: Tensor, max_length: Tensor) -> DecoderCache:
        """What `decode_step` carries along, of a fixed size; starts after `encode`.

        Args:
            encoder_outputs: what `encode` returned.
            max_length: how many positions will be decoded at most.
        """
        mask = masks.implicit_mask(encoder_outputs)
        if mask is None:
            mask = ops.ones(ops.shape(encoder_outputs)[:2], dtype="bool")
        return self._cache(encoder_outputs, mask, max_length=max_length)

    def make_growing_cache(self, encoder_outputs: Tensor) -> DecoderCache:
        """As `make_cache`, but it grows with each step, and padding of the sources costs nothing.

        Not for JAX and XLA, since shapes depend on the data.
        """
        tokens, layout = self.unpad(encoder_outputs)
        return self._cache(tokens, layout.mask, encoder_layout=layout)

    def _cache(self, encoder_outputs, mask, **options: Any):
        caches = [block.make_cache(encoder_outputs, **options) for block in self.decoder_blocks]
        contexts = tuple((cache.cross_attention.key, cache.cross_attention.value) for cache in caches)
        return DecoderCache(tuple(cache.self_attention for cache in caches), contexts, mask)

    def start_decoding(self, source_ids: Tensor, max_length: Tensor, static_shapes: bool = True) -> DecoderCache:
        """Encodes the sources and makes a cache: what a search begins with.

        Args:
            source_ids: (B, S).
            max_length: how many positions will be decoded at most.
            static_shapes: whether no shape may change from step to step, as XLA wants it; on JAX they never do.
        """
        if static_shapes or keras.config.backend() != "tensorflow":
            return self.make_cache(self.encode(source_ids), max_length)
        return self.make_growing_cache(self.encode(source_ids, unpadding=True))

    def decode_step(
        self, target_ids: Tensor, cache: DecoderCache | BeamCache, index: Tensor
    ) -> tuple[Tensor, DecoderCache | BeamCache]:
        """The next positions only, usually one.

        Args:
            target_ids: (B, T), the ids at positions `index`, `index` + 1, ...; with a `BeamCache` (B * K, 1), those
                of a sentence side by side.
            cache: what `make_cache` or an earlier step returned, or what became of it by `expand_to_beam` and
                `reorder`.
            index: scalar integer. A growing cache writes behind what it has all the same.

        Returns:
            Logits (B, T, V), or (B, K, V), and the updated cache.
        """
        step = cache.step(target_ids, index)
        x = self.positional_encoding(self.target_embedding(step.token_ids), positions=step.positions)
        blocks = []
        for block, past, (key, value) in zip(self.decoder_blocks, cache.blocks, cache.contexts):
            block_cache = DecoderBlockCache(past, CrossAttentionCache(key, value, cache.context_mask))
            x, block_cache = block(x, attention_mask=step.attention_mask, cache=block_cache, cache_index=step.index)
            blocks.append(block_cache.self_attention)
        return self._logits(x), cache.after(step, blocks)

    def _logits(self, x):
        if self.decoder_norm:
            x = self.decoder_norm(x)
        logits = self.target_embedding(x, reverse=True)
        return self.logits_bias(logits) if self.logits_bias else logits
