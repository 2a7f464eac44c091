import pytest

from keras_transformer.training import EmbeddingRecipe


@pytest.mark.parametrize(
    "values, message",
    [
        ({"encoder": "lstm"}, "encoder='lstm'"),
        ({"steps": None}, "steps=None"),
        ({"micro_batch_tokens": 3}, "micro_batch_tokens=3"),
        ({"learning_rate": 0}, "learning_rate=0"),
    ],
)
def test_bad_recipes(values, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingRecipe(**values)
