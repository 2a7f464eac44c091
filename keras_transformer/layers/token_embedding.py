from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.ops import masks, token_ids
from keras_transformer.types import Initializer, Shape, Tensor

# Up to which whole numbers a floating dtype holds all of them.
_EXACT_UP_TO = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24, "float64": 2**53}


@keras.saving.register_keras_serializable(package="keras_transformer")
class TokenEmbedding(CompositeLayer):
    """Token ids to vectors times sqrt(D), and with `reverse=True` back to logits through the same table.

    Args:
        vocabulary_size: number of token ids V.
        hidden_dim: width D of a vector.
        padding_id: the id that the mask marks as padding, or `None` for no mask.
        begins_with_padding: whether the first id of a sequence is real even if it is the padding id, where decoding
            begins with that, as in Marian.
        padding_side: where the padding id is padding: "anywhere", or only to the "right" of the last other id, or on
            "both" sides of the others. For tokenizers that have this id for a text that spells the padding token.
        scale: whether embeddings are multiplied by sqrt(D), as in the paper.
        embeddings_initializer: by default normal with standard deviation D^-0.5, so that the scaled
            embeddings have about unit variance.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        inputs: integer ids (B, T), or as `keras.layers.Embedding` takes them whole numbers of a floating dtype that
            holds every id; with `reverse`, vectors (B, T, D).
        reverse: whether to give logits.

    Returns:
        (B, T, D) with a Keras mask (B, T), True where the id is not `padding_id` (and
        at the first, if `begins_with_padding`; see also `padding_side`); with `reverse`, logits
        (B, T, V). Both in the compute dtype. What is no id in [0, V) raises `ValueError` in eager calls. When a
        graph runs, ids from V on raise where the device can (TensorFlow on CPU, `tf.errors.InvalidArgumentError`:
        "indices[...] = ... is not in [0, V)"); elsewhere (GPU, XLA, JAX), and of negative ids, the vectors are NaN.

    Raises:
        ValueError: for sizes below 1, a padding id outside the vocabulary, an unknown side, ids of a dtype that cannot
            hold all of V, and in eager calls for ids outside the vocabulary.

    References:
        Vaswani et al., 2017, "Attention Is All You Need", section 3.4; Press and Wolf, 2017, "Using the Output
        Embedding to Improve Language Models".

    Example:
        >>> layer = keras_transformer.layers.TokenEmbedding(vocabulary_size=10, hidden_dim=4)
        >>> vectors = layer(np.array([[5, 2, 0]]))
        >>> vectors.shape, layer(vectors, reverse=True).shape
        (TensorShape([1, 3, 4]), TensorShape([1, 3, 10]))
    """

    def __init__(
        self,
        vocabulary_size: int,
        hidden_dim: int,
        padding_id: int | None = 0,
        begins_with_padding: bool = False,
        scale: bool = True,
        embeddings_initializer: Initializer = None,
        padding_side: str = "anywhere",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # ids in float32 would be rounded under a lower precision
        self.vocabulary_size = arguments.positive_integer("vocabulary_size", vocabulary_size)
        self.hidden_dim = arguments.positive_integer("hidden_dim", hidden_dim)
        if padding_id is not None:
            padding_id = arguments.token_id("padding_id", padding_id, self.vocabulary_size)
        self.padding_id = padding_id
        self.begins_with_padding = begins_with_padding
        self.scale = scale
        self.padding_side = arguments.one_of("padding_side", padding_side, ("anywhere", "right", "both"))
        self.embeddings_initializer = keras.initializers.get(
            embeddings_initializer or keras.initializers.RandomNormal(stddev=self.hidden_dim**-0.5)
        )

    def build(self, inputs_shape: Shape | None = None) -> None:
        self.embedding = keras.layers.ReversibleEmbedding(
            self.vocabulary_size,
            self.hidden_dim,
            embeddings_initializer=self.embeddings_initializer,
            # Keras' default is float32, at half the speed of the largest product in the model.
            reverse_dtype=self.compute_dtype,
            dtype=self.dtype_policy,
            name="embedding",
        )
        # It would warn of losing the mask of what it projects back; this layer passes that on.
        self.embedding.supports_masking = True
        self.embedding.build(inputs_shape)

    def __call__(self, inputs: Tensor, reverse: bool = False, **kwargs: Any) -> Tensor:
        outputs = super().__call__(inputs, reverse=reverse, **kwargs)
        if not reverse and not _is_integer(inputs):
            # `compute_mask` takes what is floating for vectors.
            masks.attach(outputs, self._mask(inputs, masks.implicit_mask(inputs)))
        return outputs

    def call(self, inputs: Tensor, reverse: bool = False, mask: Tensor = None) -> Tensor:
        if reverse:
            return ops.cast(self.embedding(inputs, reverse=True), self.compute_dtype)
        token_ids.check(inputs, self.vocabulary_size)
        ids = self._ids(inputs)
        vectors = self.embedding(ids)
        known = ops.logical_and(ids >= 0, ids < self.vocabulary_size)
        factor = ops.where(known, self.hidden_dim**0.5 if self.scale else 1.0, float("nan"))
        return vectors * ops.cast(factor, vectors.dtype)[..., None]

    def _ids(self, inputs):
        """Ids of any accepted dtype as integers, V for what is between two."""
        if _is_integer(inputs):
            return inputs
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if self.vocabulary_size > _EXACT_UP_TO.get(dtype, 0):
            raise ValueError(
                f"Expected token ids of a dtype that holds all of [0, {self.vocabulary_size}), as those of "
                f"keras.Input((None,), dtype='int32'). Received: dtype={dtype}"
            )
        return ops.cast(ops.where(ops.equal(inputs, ops.floor(inputs)), inputs, self.vocabulary_size), "int32")

    def compute_output_shape(self, inputs_shape: Shape, reverse: bool = False) -> Shape:
        return (*inputs_shape[:-1], self.vocabulary_size) if reverse else (*inputs_shape, self.hidden_dim)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor = None) -> Tensor:
        return self._mask(inputs, previous_mask) if _is_integer(inputs) else previous_mask

    def _mask(self, inputs, previous_mask):
        if self.padding_id is None:
            return previous_mask
        is_real = masks.of_ids(inputs, self.padding_id, self.padding_side)
        if not self.begins_with_padding:
            return is_real
        return ops.concatenate([ops.ones_like(is_real[:, :1]), is_real[:, 1:]], axis=1)


def _is_integer(x):
    return "int" in keras.backend.standardize_dtype(x.dtype)
