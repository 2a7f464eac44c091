import keras

from keras_transformer.decoding.one_by_one import decode_one_by_one
from keras_transformer.decoding.search import Search


@keras.saving.register_keras_serializable(package="keras_transformer")
class GreedySearch(Search):
    """The likeliest next token, step by step; what a beam of 1 gives.

    Called as every `Search`. The score is log P(Y | X), of the end id too.

    Args:
        min_length: the end id is not chosen before so many other tokens.

    Raises:
        ValueError: for a negative minimum.
    """

    def _search(self, steps):
        return decode_one_by_one(steps, steps.likeliest)
