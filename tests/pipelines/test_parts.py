import keras

from keras_transformer.decoding import BeamSearch
from keras_transformer.pipelines.parts import deserialize_parts, serialize_part


def test_parts_come_back():
    search = BeamSearch(beam_size=3)
    config = {"search": serialize_part(search), "tokenizer": serialize_part(None), "name": "a"}
    found = deserialize_parts(config, ("search", "tokenizer"))
    assert type(found["search"]) is BeamSearch and found["search"].get_config() == search.get_config()
    assert found["tokenizer"] is None and found["name"] == "a" and isinstance(config["search"], dict)


def test_how_a_model_was_compiled_is_left_out():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    found = deserialize_parts({"model": serialize_part(model)}, ["model"])["model"]
    assert found.count_params() == 8 and not found.compiled
