import inspect

import keras
import pytest

from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling


@pytest.mark.parametrize(
    "search",
    [
        GreedySearch(min_length=2),
        BeamSearch(5, 0.7, "power", 3, 2, "hugging_face", early_stopping=True, renormalize=True),
        Sampling(temperature=0.5, top_k=7, top_p=0.9, seed=11, min_length=1),
    ],
    ids=lambda search: type(search).__name__,
)
def test_config_goes_there_and_back(search):
    config = search.get_config()
    assert set(config) == set(inspect.signature(type(search)).parameters)
    for name, parameter in inspect.signature(type(search)).parameters.items():
        assert config[name] != parameter.default  # or the round trip would show nothing
    serialized = keras.saving.serialize_keras_object(search)
    assert serialized["registered_name"] == f"keras_transformer>{type(search).__name__}"
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is type(search) and again.get_config() == config


def test_early_stopping_of_a_number():
    """A JSON file's 1 is true."""
    assert BeamSearch(rules="hugging_face", early_stopping=1).early_stopping is True


def test_all_of_the_beam_is_wanted_by_default():
    assert BeamSearch(3).num_best == 3 and GreedySearch().num_best == Sampling().num_best == 1
