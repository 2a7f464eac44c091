import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import (
    Bias,
    DecoderBlock,
    Dropout,
    PositionalEncoding,
    TokenEmbedding,
    masks,
)
from keras_transformer.layers.key_value_cache import is_growing, take_rows
from keras_transformer.layers.packing import of_changing_shape
from keras_transformer.models.encoder_model import EncoderModel


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
        packed: whether a call leaves the padding out of all work but the scores (`keras_transformer.layers.Pack`), in
            training too. Faster the more padding there is; not for XLA.
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
    """

    def __init__(
        self,
        vocabulary_size,
        num_layers=6,
        hidden_dim=512,
        intermediate_dim=2048,
        num_heads=8,
        dropout=0.1,
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation="relu",
        norm_first=False,
        layer_norm_epsilon=1e-6,
        padding_id=0,
        target_vocabulary_size=None,
        num_decoder_layers=None,
        position_layout="interleaved",
        max_wavelength=10000.0,
        logits_bias=False,
        begins_with_padding=False,
        packed=False,
        name=None,
        dtype=None,
    ):
        # Layers
        arguments.optional_positive_integer("num_decoder_layers", num_decoder_layers)
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
        embedding = {
            "hidden_dim": hidden_dim,
            "padding_id": padding_id,
            "begins_with_padding": begins_with_padding,
            # There the padding id is a token, too.
            "padding_side": "right" if begins_with_padding else "anywhere",
            "dtype": dtype,
        }
        shared = target_vocabulary_size is None
        self.source_embedding = TokenEmbedding(
            vocabulary_size, name="embedding" if shared else "source_embedding", **embedding
        )
        self.target_embedding = (
            self.source_embedding
            if shared
            else TokenEmbedding(target_vocabulary_size, name="target_embedding", **embedding)
        )
        self.positional_encoding = PositionalEncoding(
            max_wavelength, position_layout, dtype=dtype, name="positional_encoding"
        )
        self.source_dropout = Dropout(dropout, dtype=dtype, name="source_dropout")
        self.target_dropout = Dropout(dropout, dtype=dtype, name="target_dropout")
        self.make_encoder(num_layers, **block)
        self.decoder_blocks = [
            DecoderBlock(name=f"decoder_block_{i}", **block) for i in range(num_decoder_layers or num_layers)
        ]
        self.decoder_norm = None
        if norm_first:
            self.decoder_norm = keras.layers.LayerNormalization(
                epsilon=layer_norm_epsilon, dtype=dtype, name="decoder_norm"
            )
        self.logits_bias = Bias(dtype=dtype, name="logits_bias") if logits_bias else None

        # Functional graph
        source_ids = keras.Input((None,), dtype="int32", name="source_ids")
        target_ids = keras.Input((None,), dtype="int32", name="target_ids")
        super().__init__(
            inputs={"source_ids": source_ids, "target_ids": target_ids},
            outputs=self.decode(target_ids, self.encode(source_ids, packed=packed), packed=packed),
            name=name,
        )

        # Config
        self.dtype_policy = dtype
        self.constructor_arguments = {
            "vocabulary_size": vocabulary_size,
            "num_layers": num_layers,
            "hidden_dim": hidden_dim,
            "intermediate_dim": intermediate_dim,
            "num_heads": num_heads,
            "dropout": dropout,
            "attention_dropout": attention_dropout,
            "activation_dropout": activation_dropout,
            "activation": keras.activations.serialize(keras.activations.get(activation)),
            "norm_first": norm_first,
            "layer_norm_epsilon": layer_norm_epsilon,
            "padding_id": padding_id,
            "target_vocabulary_size": target_vocabulary_size,
            "num_decoder_layers": num_decoder_layers,
            "position_layout": position_layout,
            "max_wavelength": max_wavelength,
            "logits_bias": logits_bias,
            "begins_with_padding": begins_with_padding,
            "packed": packed,
        }

    @property
    def has_growing_cache(self):
        """Whether a search may leave `max_length` out of `make_cache`: shapes may change as the graph runs."""
        return keras.config.backend() == "tensorflow"

    def encode(self, source_ids, training=None, packed=False):
        """Source ids (B, S) to the encoder's outputs (B, S, D), which carry their Keras mask.

        With `packed`, which is not for XLA, padding costs nothing.
        """
        x = self.positional_encoding(self.source_embedding(source_ids))
        return self.run_encoder(x, self.source_dropout, training, packed)

    def decode(self, target_ids, encoder_outputs, training=None, return_attention_scores=False, packed=False):
        """All target positions at once, each seeing the ones before it.

        Args:
            target_ids: (B, T), the begin id first.
            encoder_outputs: what `encode` returned.
            training: whether dropout is active.
            return_attention_scores: also return the weights of cross-attention.
            packed: whether padding, whose logits are zeros then, costs nothing. Not for XLA.

        Returns:
            Logits (B, T, V); if asked for also a list with the weights (B, H, T, S) of each block.
        """
        x = self.positional_encoding(self.target_embedding(target_ids))
        packing = encoder_packing = None
        if packed:
            x, packing = self.pack(x)
            encoder_outputs, encoder_packing = self.pack(encoder_outputs)
        x = self.target_dropout(x, training=training)
        scores = []
        for block in self.decoder_blocks:
            x = block(
                x,
                encoder_outputs,
                packing=packing,
                encoder_packing=encoder_packing,
                return_attention_scores=return_attention_scores,
                training=training,
            )
            if return_attention_scores:
                x, _, cross_scores = x
                scores.append(cross_scores)
        logits = self._logits(x)
        if packed:
            logits = self.unpack(logits, packing)
        return (logits, scores) if return_attention_scores else logits

    def make_cache(self, encoder_outputs, max_length=None):
        """What `decode_step` carries along; starts after `encode`.

        Args:
            encoder_outputs: what `encode` returned.
            max_length: how many positions will be decoded at most. Without, the cache grows with each step, and padding
                of the sources costs nothing; not for JAX and XLA.

        Returns:
            {"blocks": one `DecoderBlock` cache each, "source_mask": boolean (B, S)}. Every tensor has the batch
            axis first.
        """
        source_mask = masks.implicit_mask(encoder_outputs)
        if source_mask is None:
            source_mask = ops.ones(ops.shape(encoder_outputs)[:2], dtype="bool")
        packing = None
        if max_length is None:
            encoder_outputs, packing = self.pack(encoder_outputs)
        blocks = [block.make_cache(encoder_outputs, max_length, packing) for block in self.decoder_blocks]
        for block in blocks:
            block["cross"].pop("mask", None)  # one for all, so that steps prepare it once
        return {"blocks": blocks, "source_mask": source_mask}

    def spread_cache(self, cache, num_hypotheses):
        """The cache for K hypotheses of each sentence, before the first step.

        All K write into the cache of their sentence, which if it is fixed gets room for K times as many positions, and
        "ancestors", boolean (B, K, K * length), tells of which of its places each hypothesis is made. Keys and values
        are never reordered: only "ancestors" are.

        Args:
            cache: what `make_cache` returned.
            num_hypotheses: K.

        Raises:
            ValueError: for a growing cache that is known to have positions already.
        """
        blocks, number = cache["blocks"], num_hypotheses
        shape = (ops.shape(cache["source_mask"])[0], number)
        if is_growing(blocks[0]["self"]):
            if length := blocks[0]["self"]["past_key"].shape[2]:  # `None` in a graph
                raise ValueError(f"Expected a cache before its first step. Received: one of {length} positions")
            # K is hidden too, so that exports store one step for all their searches.
            ancestors = of_changing_shape(ops.zeros((*shape, 0), dtype="bool"), axes=[1, 2])
        else:
            blocks = [
                {**block, "self": {name: ops.repeat(x, number, axis=2) for name, x in block["self"].items()}}
                for block in blocks
            ]
            ancestors = ops.zeros((*shape, ops.shape(blocks[0]["self"]["key"])[2]), dtype="bool")
        return {**cache, "blocks": blocks, "ancestors": ancestors}

    def reorder_cache(self, cache, parents):
        """The cache of hypotheses that go on from others.

        Args:
            cache: what `decode_step` returned, of a cache of `spread_cache`.
            parents: integers (B, K): which of a sentence's hypotheses each new one goes on from.
        """
        return {**cache, "ancestors": take_rows(cache["ancestors"], ops.cast(parents, "int32"))}

    def decode_step(self, target_ids, cache, index):
        """The next positions only, usually one.

        Args:
            target_ids: (B, T), the ids at positions `index`, `index` + 1, ...; after `spread_cache` (B * K, 1), those
                of a sentence side by side.
            cache: what `make_cache` or an earlier step returned.
            index: scalar integer. A growing cache writes behind what it has all the same.

        Returns:
            Logits (B, T, V), or (B, K, V), and the updated cache.
        """
        ancestors = cache.get("ancestors")
        if ancestors is None:
            positions = ops.arange(ops.shape(target_ids)[1], dtype="int32") + ops.cast(index, "int32")
        else:
            number = ops.shape(ancestors)[1]
            target_ids = ops.reshape(target_ids, (-1, number))
            positions = ops.zeros((number,), dtype="int32") + ops.cast(index, "int32")
            index = index * number
            ancestors = _with_themselves(ancestors, index, is_growing(cache["blocks"][0]["self"]))
        x = self.positional_encoding(self.target_embedding(target_ids), positions=positions)
        blocks = []
        for block, block_cache in zip(self.decoder_blocks, cache["blocks"]):
            cross = {**block_cache["cross"], "mask": cache["source_mask"]}
            x, new_cache = block(x, attention_mask=ancestors, cache={**block_cache, "cross": cross}, cache_index=index)
            blocks.append({**block_cache, "self": new_cache["self"]})
        spread = {} if ancestors is None else {"ancestors": ancestors}
        return self._logits(x), {"blocks": blocks, "source_mask": cache["source_mask"], **spread}

    def _logits(self, x):
        if self.decoder_norm:
            x = self.decoder_norm(x)
        logits = self.target_embedding(x, reverse=True)
        return self.logits_bias(logits) if self.logits_bias else logits

    def get_config(self):
        return {**self.base_config(), **self.constructor_arguments}


def _with_themselves(ancestors, index, grows):
    """(B, K, K * length) once each of the K hypotheses has a place of its own more, from `index` on."""
    batch_size, number, _ = ops.shape(ancestors)
    numbers = ops.arange(number, dtype="int32")
    if grows:
        own = ops.broadcast_to(numbers[:, None] == numbers, (batch_size, number, number))
        return ops.concatenate([ancestors, own], axis=2)
    places = ops.arange(ops.shape(ancestors)[2], dtype="int32") - index
    return ops.where((places >= 0) & (places < number), places == numbers[:, None], ancestors)
