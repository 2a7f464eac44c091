import keras

from keras_transformer import arguments
from keras_transformer.layers import EncoderBlock, Pack, Unpack
from keras_transformer.models.composed_model import ComposedModel


class EncoderModel(ComposedModel):
    """Base of the models with a stack of encoder blocks: the paper's figure 1, left, above the embeddings."""

    def make_encoder(self, num_layers, norm_first, layer_norm_epsilon, dtype, **block):
        """Makes `encoder_blocks`, `encoder_norm` behind pre-norm ones (else `None`), `pack` and `unpack`.

        Args:
            num_layers: number of blocks.
            norm_first: whether they are pre-norm.
            layer_norm_epsilon: added to variances.
            dtype: dtype policy.
            **block: other arguments of `EncoderBlock`.
        """
        arguments.positive_integer("num_layers", num_layers)
        norm = {"epsilon": layer_norm_epsilon, "dtype": dtype}
        block = {**block, "norm_first": norm_first, "layer_norm_epsilon": layer_norm_epsilon, "dtype": dtype}
        self.encoder_blocks = [EncoderBlock(name=f"encoder_block_{i}", **block) for i in range(num_layers)]
        self.encoder_norm = keras.layers.LayerNormalization(name="encoder_norm", **norm) if norm_first else None
        self.pack, self.unpack = Pack(dtype=dtype, name="pack"), Unpack(dtype=dtype, name="unpack")

    def run_encoder(self, x, prepare, training, packed, attention_bias=None):
        """Embeddings (B, T, D) to outputs (B, T, D), both with their Keras mask.

        Args:
            x: (B, T, D).
            prepare: what comes before the blocks, of (B, T, D) or packed (N, D): dropout, for example.
            training: whether dropout is active.
            packed: whether padding is left out of all work but the scores. Not for XLA.
            attention_bias: added to the scaled scores of every block.
        """
        x, packing = self.pack(x) if packed else (x, None)
        x = prepare(x, training=training)
        for block in self.encoder_blocks:
            x = block(x, packing=packing, attention_bias=attention_bias, training=training)
        if self.encoder_norm:
            x = self.encoder_norm(x)
        return self.unpack(x, packing) if packed else x
