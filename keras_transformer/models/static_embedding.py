import keras
import numpy as np

from keras_transformer import arguments
from keras_transformer.layers import SequencePooling, TokenEmbedding, UnitNormalization
from keras_transformer.models.composed_model import ComposedModel
from keras_transformer.types import DType, Tensor


@keras.saving.register_keras_serializable(package="keras_transformer")
class StaticEmbedding(ComposedModel):
    """Token ids to one unit vector a text: the mean of a vector for each token, and nothing else.

    Known as StaticEmbedding in sentence-transformers, and as what Model2Vec makes. A token counts by the length of its
    vector; one that is zero does not count.

    Args:
        vocabulary_size: number of token ids V.
        output_dim: width D of the vectors.
        padding_id: the id that does not count.
        name: the model's name.
        dtype: dtype or dtype policy, as "mixed_bfloat16"; by default the global one.

    Call arguments:
        inputs: integer ids (B, T).

    Returns:
        (B, D), float32, of length 1; a text of padding only gives the zero vector.

    Raises:
        ValueError: for bad sizes and ids.

    References:
        Tulkens and van Dongen, 2024, "Model2Vec: Fast State-of-the-Art Static Embeddings".

    Example:
        >>> encoder = keras_transformer.models.StaticEmbedding(vocabulary_size=6, output_dim=2)
        >>> encoder.set_vectors(np.array([[0, 0], [0, 0], [0, 0], [0, 0], [3, 0], [0, 4]]))
        >>> encoder(np.array([[4, 5, 0], [5, 0, 0]])).numpy().round(2)
        array([[0.6, 0.8],
               [0. , 1. ]], dtype=float32)
    """

    def __init__(
        self,
        vocabulary_size: int,
        output_dim: int = 256,
        padding_id: int = 0,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        # Layers
        dtype = keras.dtype_policies.get(dtype)
        arguments.positive_integer("output_dim", output_dim)
        self.token_embedding = TokenEmbedding(
            vocabulary_size, output_dim, padding_id=padding_id, scale=False, dtype=dtype, name="embedding"
        )
        self.pooling = SequencePooling("mean", dtype=dtype, name="pooling")
        self.unit_normalization = UnitNormalization(dtype=dtype, name="unit_normalization")

        # Functional graph
        ids = keras.Input((None,), dtype="int32", name="ids")
        vectors = self.unit_normalization(self.pooling(self.token_embedding(ids)))
        super().__init__(inputs=ids, outputs=vectors, name=name)

    def set_vectors(self, vectors: Tensor) -> None:
        """Puts these vectors (V, D) in the place of the tokens'."""
        self.token_embedding.embedding.embeddings.assign(np.asarray(vectors, "float32"))
