import pytest

from keras_transformer.training import RECIPES, TranslationRecipe


def test_the_papers_numbers():
    base, big = RECIPES["wmt14-base"], RECIPES["wmt14-big"]
    assert (base.preset, base.steps, base.average_last) == ("base", 100_000, 5)
    assert (big.preset, big.steps, big.average_last) == ("big", 300_000, 20)
    for recipe in (base, big):
        assert (recipe.beam_size, recipe.length_penalty, recipe.label_smoothing) == (4, 0.6, 0.1)
        assert (recipe.vocabulary_size, recipe.tokens_per_batch, recipe.warmup_steps) == (37_000, 25_000, 4000)
    optimizer = base.make_optimizer(hidden_dim=512)
    assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.9, 0.98, 1e-9)
    # Section 5.3, at the end of the warm-up: 512^-0.5 * 4000^-0.5.
    optimizer.iterations.assign(3999)
    assert float(optimizer.learning_rate) == pytest.approx(512**-0.5 * 4000**-0.5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"preset": "huge"}, "'huge'"),
        ({"subwords": "words"}, "subwords='words'"),
        ({"epochs": 0}, "epochs=0"),
        ({"optimizer": "sgd"}, "optimizer='sgd'"),
        ({"ema": 1.0}, "ema=1.0"),
        ({"clip_norm": 0}, "clip_norm=0"),
        ({"learning_rate": None}, "schedule='inverse_sqrt', learning_rate=None"),
        ({"schedule": "noam"}, "schedule='noam', learning_rate=0.002"),
        ({"schedule": "linear"}, "steps=None, warmup_steps=1000"),
        ({"schedule": "linear", "steps": 1000}, "steps=1000, warmup_steps=1000"),
        ({"ema": 0.9, "average_last": 3}, "ema=0.9, average_last=3"),
        ({"bpe_dropout": 0.1}, "subwords='unigram'"),
        ({"bpe_dropout": 0.1, "subwords": "bpe", "byte_fallback": True}, "no byte_fallback with bpe_dropout"),
        ({"tokens_per_batch": 100}, "max_length=128"),
    ],
    ids=str,
)
def test_bad_values(values, message):
    with pytest.raises(ValueError, match=message):
        TranslationRecipe(**values)
