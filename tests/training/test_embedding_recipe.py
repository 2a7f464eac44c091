import pytest

from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import SubwordTokenizer, WordTokenizer
from keras_transformer.training import EmbeddingRecipe
from tests import made_data


@pytest.mark.parametrize(
    "values, message",
    [
        ({"encoder": "lstm"}, "encoder='lstm'"),
        ({"steps": None}, "steps=None"),
        ({"micro_batch_tokens": 3}, "micro_batch_tokens=3"),
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"subwords": "words"}, "subwords='words'"),
        (
            {"encoder": "averaging", "subwords": "bpe", "byte_fallback": True},
            "no byte_fallback with encoder='averaging'",
        ),
    ],
)
def test_bad_recipes(values, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingRecipe(**values)


def test_makes_vocabularies():
    texts = [*made_data.sentences(60), "RED Dog"]
    subwords = EmbeddingRecipe(vocabulary_size=30).make_tokenizer(iter(texts))
    assert isinstance(subwords, SubwordTokenizer) and subwords.vocabulary_size == 30
    assert subwords(["RED Dog"]).numpy().tolist() == subwords(["red dog"]).numpy().tolist()
    cased = EmbeddingRecipe(vocabulary_size=30, lower_case=False).make_tokenizer(texts)
    assert cased(["RED Dog"]).numpy().tolist() != cased(["red dog"]).numpy().tolist()
    bytewise = EmbeddingRecipe(vocabulary_size=300, byte_fallback=True).make_tokenizer(texts)
    assert [text.decode() for text in bytewise.detokenize(bytewise(["red 漢"])).numpy()] == ["red 漢"]
    words = EmbeddingRecipe(encoder="averaging", vocabulary_size=1100).make_tokenizer(texts)
    assert isinstance(words, WordTokenizer) and "dog" in words.vocabulary
    averaged = EmbeddingRecipe(encoder="averaging", subwords="unigram", vocabulary_size=30).make_tokenizer(texts)
    assert isinstance(averaged, SubwordTokenizer) and averaged.vocabulary_size == 30


def test_bytes_are_no_frequent_words():
    model = {"num_layers": 1, "hidden_dim": 12, "num_heads": 3, "output_dim": 5, "token_weights": True}
    encoder = EmbeddingRecipe(model=model, byte_fallback=True).make_encoder(300)
    factors = encoder.token_weights.factors.numpy()
    assert (factors[:260] == 1).all() and factors[260] < factors[261] < factors[-1] < 1


def test_makes_encoders():
    model = {"num_layers": 1, "hidden_dim": 12, "output_dim": 5}
    encoder = EmbeddingRecipe(preset="tiny", model={**model, "num_heads": 3}).make_encoder(30, "mixed_bfloat16")
    assert isinstance(encoder, SentenceEncoder) and encoder.dtype_policy.name == "mixed_bfloat16"
    assert encoder.output_shape == (None, 5) and len(encoder.encoder_blocks) == 1
    assert isinstance(EmbeddingRecipe(encoder="averaging", model=model).make_encoder(30), DeepAveragingNetwork)
    with pytest.raises(ValueError, match="arguments of the encoder 'averaging'. Received: num_heads"):
        EmbeddingRecipe(encoder="averaging", model={"num_heads": 2}).make_encoder(30)
