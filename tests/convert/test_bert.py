"""What is read from a config.json, and what is refused by name."""

import pathlib

import pytest

from keras_transformer.convert.bert import num_weights, read_architecture

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    "kind, model_type, num_segments, first_position, arguments",
    [
        ("bert", "bert", 2, 0, {"max_length": 40, "relative_position_buckets": None, "counts_padding": True}),
        ("mpnet", "mpnet", 0, 2, {"max_length": 300, "relative_position_buckets": 32, "counts_padding": False}),
    ],
)
def test_what_is_read(kind, model_type, num_segments, first_position, arguments):
    found = read_architecture(str(GOLDEN / kind))
    assert (found.model_type, found.num_segments, found.first_position) == (model_type, num_segments, first_position)
    arguments |= {"num_layers": 2, "hidden_dim": 12, "intermediate_dim": 19, "num_heads": 3, "activation": "gelu"}
    assert {key: found.arguments[key] for key in arguments} == arguments


def test_the_number_of_weights():
    sizes = {"hidden_dim": 2, "intermediate_dim": 3, "num_layers": 5, "vocabulary_size": 7, "max_length": 11}
    # 5 layers of 4 * 4 + 2 * 6, 18 rows of 2
    assert num_weights({**sizes, "num_heads": 1, "relative_position_buckets": None}) == 5 * 28 + 36
    assert num_weights({**sizes, "num_heads": 2, "relative_position_buckets": 13}) == 5 * 28 + 36 + 26


@pytest.mark.parametrize(
    "values, message",
    [
        ({"model_type": "roberta"}, "type bert or mpnet .* Received: model_type='roberta'"),
        ({"hidden_act": "gelu_new"}, "Expected hidden_act of gelu, .* Received: 'gelu_new'"),
        ({"hidden_size": "12"}, "Expected .*hidden_size .int.* Received: hidden_size='12'"),
        (
            {"position_embedding_type": "relative_key"},
            "absolute positions .* Received: .*='relative_key'",
        ),
        ({"is_decoder": True}, "Expected an encoder .* is_decoder=True"),
    ],
)
def test_what_is_refused(copy_golden, values, message):
    folder, change = copy_golden("bert")
    change("config.json", **values)
    with pytest.raises(ValueError, match=message):
        read_architecture(str(folder))


def test_unknown_settings_are_reported(copy_golden):
    folder, change = copy_golden("bert")
    change("config.json", surprise=1)
    with pytest.warns(UserWarning, match="Unknown settings in .*/config.json are ignored: surprise"):
        read_architecture(str(folder))
