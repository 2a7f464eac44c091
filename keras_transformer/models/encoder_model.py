from collections.abc import Callable
from typing import Any

import keras

from keras_transformer import arguments
from keras_transformer.layers import EncoderBlock, Repad, Unpad
from keras_transformer.models.composed_model import ComposedModel
from keras_transformer.ops import TokenLayout
from keras_transformer.types import DType, Tensor


class EncoderModel(ComposedModel):
    """Base of the models with a stack of encoder blocks: the paper's figure 1, left, above the embeddings.

    Attributes:
        unpadding: whether calls, those of training too, leave the padding out of all work but the attention scores.
            Faster the more padding there is; not for JAX and XLA, since shapes then depend on the data. `False` at
            first, and not saved. To be assigned before `compile`, or before a training loop's first step.
    """

    _unpadding = False

    @property
    def unpadding(self) -> bool:
        return self._unpadding

    @unpadding.setter
    def unpadding(self, unpadding: bool) -> None:
        if unpadding and self.compiled and self.jit_compile:
            raise ValueError("Expected unpadding before compile, or jit_compile=False. Received: jit_compile=True")
        self._unpadding = unpadding
        # The graphs that `fit` and the like have made.
        self.train_function = self.test_function = self.predict_function = None
        self.supports_jit = not unpadding

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        if self.unpadding:
            # In the form of the graph's inputs: a list may stand for a dictionary.
            inputs = keras.tree.pack_sequence_as(self.input, keras.tree.flatten(inputs))
            return self.call_unpadded(inputs, training)
        return super().call(inputs, training=training, mask=mask)

    def call_unpadded(self, inputs: Tensor, training: bool | None) -> Tensor:
        """As the Functional graph, without the padding."""
        return self.pool(self.encode(inputs, training, unpadding=True))

    def make_encoder(self, num_layers: int, **block: Any) -> None:
        """Makes `encoder_blocks`, `encoder_norm` behind pre-norm ones (else `None`), `unpad` and `repad`.

        Args:
            num_layers: number of blocks.
            **block: arguments of `EncoderBlock`, "norm_first", "layer_norm_epsilon" and "dtype" among them.
        """
        arguments.positive_integer("num_layers", num_layers)
        self.encoder_blocks = [EncoderBlock(name=f"encoder_block_{i}", **block) for i in range(num_layers)]
        self.encoder_norm = self.make_norm("encoder_norm", **block)
        self.unpad, self.repad = Unpad(dtype=block["dtype"], name="unpad"), Repad(dtype=block["dtype"], name="repad")

    def make_norm(
        self, name: str, *, norm_first: bool, layer_norm_epsilon: float, dtype: DType, **block: Any
    ) -> keras.layers.LayerNormalization | None:
        """The normalisation behind a stack of blocks with these arguments, which pre-norm ones need."""
        if not norm_first:
            return None
        return keras.layers.LayerNormalization(epsilon=layer_norm_epsilon, dtype=dtype, name=name)

    def unpadded(self, x: Tensor, unpadding: bool) -> tuple[Tensor, TokenLayout | None]:
        """`x` (B, T, D) as blocks take it, with its layout: unpadded, or as it is."""
        return self.unpad(x) if unpadding else (x, None)

    def padded(self, x: Tensor, layout: TokenLayout | None) -> Tensor:
        """What blocks made of it, as (B, T, D) again."""
        return x if layout is None else self.repad(x, layout)

    def run_encoder(
        self,
        x: Tensor,
        before: Callable[..., Tensor],
        training: bool | None,
        unpadding: bool,
        attention_bias: Tensor = None,
    ) -> Tensor:
        """Embeddings (B, T, D) to outputs (B, T, D), both with their Keras mask.

        Args:
            x: (B, T, D).
            before: what comes before the blocks, of (B, T, D) or unpadded (N, D): dropout, for example.
            training: whether dropout is active.
            unpadding: whether padding is left out of all work but the scores. Not for JAX and XLA.
            attention_bias: added to the scaled scores of every block.
        """
        x, layout = self.unpadded(x, unpadding)
        x = before(x, training=training)
        for block in self.encoder_blocks:
            x = block(x, layout=layout, attention_bias=attention_bias, training=training)
        if self.encoder_norm:
            x = self.encoder_norm(x)
        return self.padded(x, layout)
