import pytest

from keras_transformer.models.presets import PRESETS, preset


def test_base_and_big_are_the_papers():
    assert preset("base") == {
        "num_layers": 6, "hidden_dim": 512, "intermediate_dim": 2048, "num_heads": 8, "dropout": 0.1,
    }  # fmt: skip
    assert (preset("big")["hidden_dim"], preset("big")["num_heads"], preset("big")["dropout"]) == (1024, 16, 0.3)


def test_a_preset_is_a_copy():
    preset("tiny")["num_layers"] = 99
    assert PRESETS["tiny"]["num_layers"] == 4


def test_unknown_preset():
    with pytest.raises(ValueError, match=r"one of the presets \['tiny', 'small', 'base', 'big'\]. Received: 'huge'"):
        preset("huge")
