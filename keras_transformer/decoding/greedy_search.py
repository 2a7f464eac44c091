import keras

from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.decoding_loop import decode_one_by_one
from keras_transformer.decoding.hypotheses import Hypotheses
from keras_transformer.decoding.search import Search


@keras.saving.register_keras_serializable(package="keras_transformer")
class GreedySearch(Search):
    """The likeliest next token, step by step; what a beam of 1 gives.

    Called as every `Search`. The score is log P(Y | X), of the end id too.

    Args:
        min_length: the end id is not chosen before so many other tokens.

    Raises:
        ValueError: for a negative minimum.

    Example:
        >>> model = keras_transformer.models.Transformer.from_preset("tiny", vocabulary_size=50)
        >>> found = keras_transformer.decoding.GreedySearch()(
        ...     model, np.array([[5, 6, 3], [7, 3, 0]]), [4, 2], begin_id=2, end_id=3
        ... )
        >>> found.ids.shape, found.scores.shape
        (TensorShape([2, 1, 4]), TensorShape([2, 1]))
    """

    def _search(self, decoder: BatchDecoder) -> Hypotheses:
        return decode_one_by_one(decoder, decoder.likeliest)
