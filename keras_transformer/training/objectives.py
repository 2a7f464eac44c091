"""What sentence vectors are trained for: each objective is a layer from the vectors of a batch to a loss.

| data | objective | in sentence-transformers |
|---|---|---|
| pairs that belong together, with or without hard negatives | `ResponseRanking` | MultipleNegativesRankingLoss |
| the same, and another encoder that knows what is alike | `GuidedRanking` | GISTEmbedLoss |
| questions with answers, maybe in contexts | `QuestionAnswerRanking` | |
| texts alone | `ResponseRanking`, of a text with itself | the same: SimCSE |
| | `DenoisingDecoder`, of a text from the vector of a part of it | DenoisingAutoEncoderLoss (TSDAE) |
| triplets | `TripletMargin` | TripletLoss |
| texts with a class | `ClassTriplets` | BatchAllTripletLoss, BatchHardTripletLoss ... |
| pairs that do or do not belong together | `ContrastivePairs` | ContrastiveLoss |
| | `OnlineContrastivePairs` | OnlineContrastiveLoss |
| pairs with a label | `NaturalLanguageInference` | SoftmaxLoss |
| pairs with a score | `SimilarityRegression` | CosineSimilarityLoss |
| the same, where only their order counts | `CoSENT`, `AnglE` | CoSENTLoss, AnglELoss |
| | `SimilarityCorrelation` | |
| candidates with a teacher's scores | `MarginMSE`, `ScoreDistribution` | MarginMSELoss, DistillKLDivLoss |
| texts with a teacher's vectors | `TeacherVectors` | EmbedDistillLoss, MSELoss |
| any of these, for vectors that may be cut | `Matryoshka` | MatryoshkaLoss |
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_transformer import arguments
from keras_transformer.layers import Dropout, UnitNormalization
from keras_transformer.layers.base_layer import RecordedLayer
from keras_transformer.types import Shape, Tensor

_NEVER = -1e9  # the score of what is no candidate


@keras.saving.register_keras_serializable(package="keras_transformer")
class ResponseRanking(RecordedLayer):
    """Each input must find its own response among all responses of the batch (in-batch softmax).

    Also known as MultipleNegativesRanking (sentence-transformers), InfoNCE, NT-Xent or contrastive loss.

    score(i, j) = scale (cos(x_i, r_j) - margin [i = j]), where r is the response's vector, behind a network of its own
    if wanted. The loss is the cross-entropy of each row; with `symmetric` also of each column, in the mean.

    Args:
        scale: of the cosines; the inverse of the softmax' temperature.
        margin: additive margin, which the right response must be ahead by.
        response_network: width of the hidden layer of a feed-forward network on the response's side, as the paper has
            one, or `None`: the same vector serves on both sides.
        symmetric: rank inputs for each response as well.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: a list of (B, D): inputs, responses, and any number of hard negatives, which are candidates for every
            input of the batch.
        keys: integer (B, 1 + number of vectors): what tells texts apart. A candidate does not count as a wrong
            one for inputs whose own response has the same key, or that are the same text. The first column is of
            rows: the responses of rows with the same key, or with the same input, are never wrong for one another.

    Returns:
        The mean loss, a float32 scalar.

    Raises:
        ValueError: for a scale of 0 or less and a negative margin.

    References:
        Cer et al., 2018, "Universal Sentence Encoder", section 3; Yang et al., 2019, "Improving Multilingual Sentence
        Embedding using Bi-directional Dual Encoder with Additive Margin Softmax", sections 2 and 3.

    Example:
        >>> objective = keras_transformer.training.ResponseRanking(scale=20.0)
        >>> vectors = np.eye(4, dtype="float32")
        >>> round(float(objective([vectors, vectors], np.arange(12).reshape(4, 3))), 4)  # each is its own response
        0.0
    """

    def __init__(
        self,
        scale: float = 20.0,
        margin: float = 0.0,
        response_network: int | None = None,
        symmetric: bool = True,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.scale = arguments.positive_number("scale", scale)
        self.margin = arguments.non_negative_number("margin", margin)
        self.response_network = arguments.optional_positive_integer("response_network", response_network)
        self.symmetric = symmetric

    def build(self, vectors_shape: Sequence[Shape], keys_shape: Shape | None = None) -> None:
        width = vectors_shape[0][-1]
        self.unit_normalization = UnitNormalization(name="unit_normalization")
        if self.response_network:
            self.hidden = keras.layers.Dense(self.response_network, activation="relu", name="hidden")
            self.hidden.build((None, width))
            self.output_dense = keras.layers.Dense(width, name="output")
            self.output_dense.build((None, self.response_network))

    def call(self, vectors: Sequence[Tensor], keys: Tensor, training: bool | None = None) -> Tensor:
        inputs, *responses = [ops.cast(vector, "float32") for vector in vectors]
        count = ops.shape(inputs)[0]
        candidates = ops.concatenate(responses, axis=0)
        if self.response_network:
            candidates = self.output_dense(self.hidden(candidates))
        scores = ops.matmul(self.unit_normalization(inputs), ops.transpose(self.unit_normalization(candidates)))
        is_own = ops.arange(count)[:, None] == ops.arange(ops.shape(candidates)[0])[None, :]
        scores = self.scale * (scores - self.margin * ops.cast(is_own, "float32"))
        keys = ops.cast(keys, "int32")
        of_rows, of_inputs, of_candidates = keys[:, 0], keys[:, 1], ops.reshape(ops.transpose(keys[:, 2:]), (-1,))
        same_row = ops.logical_or(of_rows[:, None] == of_rows[None, :], of_inputs[:, None] == of_inputs[None, :])
        same_row = ops.tile(same_row, (1, len(responses)))
        is_negative_of_row = ops.arange(ops.shape(candidates)[0])[None, :] >= count
        is_right = of_candidates[None, :] == of_candidates[:count, None]
        is_itself = of_candidates[None, :] == of_inputs[:, None]
        hidden = ops.logical_or(is_right, is_itself)
        hidden = ops.logical_or(hidden, ops.logical_and(same_row, ops.logical_not(is_negative_of_row)))
        scores = ops.where(ops.logical_and(hidden, ops.logical_not(is_own)), _NEVER, scores)
        loss = _diagonal_cross_entropy(scores, count)
        if self.symmetric:
            loss = 0.5 * (loss + _diagonal_cross_entropy(ops.transpose(scores[:, :count]), count))
        return loss


@keras.saving.register_keras_serializable(package="keras_transformer")
class NaturalLanguageInference(RecordedLayer):
    """Classifies a pair of sentences by (u, v, |u - v|, u * v), a hidden layer and a softmax.

    Also known as SoftmaxLoss (sentence-transformers).

    Args:
        num_labels: number of classes.
        hidden_dim: width of the hidden layer; the paper's 512.
        dropout: rate on the hidden layer.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        vectors: two of (B, D): premises and hypotheses.
        labels: integer (B,).
        training: whether dropout is active.

    Returns:
        The mean cross-entropy, a float32 scalar.

    References:
        Conneau et al., 2017, "Supervised Learning of Universal Sentence Representations from Natural Language
        Inference Data", section 3.1; Cer et al., 2018, section 3.

    Example:
        >>> objective = keras_transformer.training.NaturalLanguageInference(num_labels=3, hidden_dim=8)
        >>> loss = objective([np.ones((2, 4)), np.ones((2, 4))], np.array([0, 2]))
        >>> loss.shape, len(objective.trainable_variables)
        (TensorShape([]), 4)
    """

    def __init__(self, num_labels: int = 3, hidden_dim: int = 512, dropout: float = 0.1, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_labels = arguments.positive_integer("num_labels", num_labels)
        self.hidden_dim = arguments.positive_integer("hidden_dim", hidden_dim)
        self.dropout = arguments.rate("dropout", dropout)

    def build(self, vectors_shape: Sequence[Shape], labels_shape: Shape | None = None) -> None:
        width = vectors_shape[0][-1]
        self.hidden = keras.layers.Dense(self.hidden_dim, activation="relu", name="hidden")
        self.hidden.build((None, 4 * width))
        self.hidden_dropout = Dropout(self.dropout, name="dropout")
        self.classifier = keras.layers.Dense(self.num_labels, name="classifier")
        self.classifier.build((None, self.hidden_dim))

    def call(self, vectors: Sequence[Tensor], labels: Tensor, training: bool | None = None) -> Tensor:
        u, v = [ops.cast(vector, "float32") for vector in vectors]
        # Unit vectors of width D have entries of about D^-0.5, and products smaller still.
        width = float(u.shape[-1])
        u, v = u * width**0.5, v * width**0.5
        features = ops.concatenate([u, v, ops.abs(u - v), u * v], axis=-1)
        logits = self.classifier(self.hidden_dropout(self.hidden(features), training=training))
        losses = keras.losses.sparse_categorical_crossentropy(labels, ops.cast(logits, "float32"), from_logits=True)
        return ops.mean(losses)


@keras.saving.register_keras_serializable(package="keras_transformer")
class SimilarityRegression(RecordedLayer):
    """The cosine of two sentences must be their score.

    Also known as CosineSimilarityLoss (sentence-transformers).

    Call arguments:
        vectors: two of (B, D).
        scores: floating (B,), in [0, 1].

    Returns:
        The mean squared error, a float32 scalar.

    References:
        Reimers and Gurevych, 2019, "Sentence-BERT", section 3: the regression objective.

    Example:
        >>> objective = keras_transformer.training.SimilarityRegression()
        >>> float(objective([np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])], np.array([0.5])))
        0.25
    """

    def build(self, vectors_shape: Sequence[Shape], scores_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], scores: Tensor, training: bool | None = None) -> Tensor:
        u, v = [self.unit_normalization(vector) for vector in vectors]
        return ops.mean(ops.square(ops.sum(u * v, axis=-1) - ops.cast(scores, "float32")))


@keras.saving.register_keras_serializable(package="keras_transformer")
class SimilarityCorrelation(RecordedLayer):
    """The cosines of a batch of pairs must correlate with the scores, whatever line leads from one to the other.

    Call arguments:
        vectors: two of (B, D).
        scores: floating (B,).

    Returns:
        1 - the Pearson correlation within the batch, a float32 scalar; 1 where all scores, or all cosines, are equal.

    Example:
        >>> objective = keras_transformer.training.SimilarityCorrelation()
        >>> u, v = np.ones((3, 2)), np.array([[1.0, 1.0], [1.0, 0.0], [1.0, -1.0]])
        >>> abs(round(float(objective([u, v], np.array([0.9, 0.6, 0.1]))), 2))
        0.0
    """

    def build(self, vectors_shape: Sequence[Shape], scores_shape: Shape | None = None) -> None:
        self.unit_normalization = UnitNormalization(name="unit_normalization")

    def call(self, vectors: Sequence[Tensor], scores: Tensor, training: bool | None = None) -> Tensor:
        u, v = [self.unit_normalization(vector) for vector in vectors]
        cosines, scores = ops.sum(u * v, axis=-1), ops.cast(scores, "float32")
        cosines, scores = cosines - ops.mean(cosines), scores - ops.mean(scores)
        # 1e-6 keeps gradients small where cosines hardly differ.
        lengths = ops.sqrt((ops.sum(ops.square(cosines)) + 1e-6) * (ops.sum(ops.square(scores)) + 1e-6))
        return 1.0 - ops.sum(cosines * scores) / lengths


def _diagonal_cross_entropy(scores, count):
    """The mean over rows of logsumexp(row) - the entry on the diagonal."""
    labels = ops.arange(count, dtype="int32")
    own = ops.squeeze(ops.take_along_axis(scores, labels[:, None], axis=-1), axis=-1)
    return ops.mean(ops.logsumexp(scores, axis=-1) - own)
