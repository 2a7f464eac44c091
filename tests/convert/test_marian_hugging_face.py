"""What is read from a folder of transformers, and what is refused by name."""

import pytest

from keras_transformer.convert import convert
from keras_transformer.convert.marian_hugging_face import read_hugging_face
from tests.convert.marian_files import GOLDEN, PADDING


def test_what_is_read():
    checkpoint = read_hugging_face(str(GOLDEN / "marian"))
    sizes = {"num_layers": 2, "num_decoder_layers": 1, "hidden_dim": 16, "intermediate_dim": 23, "num_heads": 4}
    assert {key: checkpoint.arguments[key] for key in sizes} == sizes
    assert (checkpoint.arguments["activation"], checkpoint.arguments["layer_norm_epsilon"]) == ("silu", 1e-5)
    assert checkpoint.source_vocabulary.index("<pad>") == PADDING
    assert checkpoint.target_vocabulary == checkpoint.source_vocabulary and not checkpoint.target_table
    assert checkpoint.search.beam_size == 4


def test_names_of_tensors():
    names = read_hugging_face(str(GOLDEN / "marian")).names
    assert names("encoder", 1, "self_q")[0] == "model.encoder.layers.1.self_attn.q_proj.weight"
    assert names("decoder", 0, "context_norm")[1] == "model.decoder.layers.0.encoder_attn_layer_norm.bias"
    assert names("decoder", 0, "ffn_2")[0] == "model.decoder.layers.0.fc2.weight"


@pytest.mark.parametrize(
    "config, message",
    [
        ({"tokenizer_class": "T5Tokenizer"}, "Expected a MarianTokenizer .* Received: T5Tokenizer"),
        ({"eos_token": "<eos>"}, "special tokens .* Received: MarianTokenizer with .*<eos>"),
        ({"additional_special_tokens": ["<x>"]}, "special tokens .* Received: .*<x>"),
        ({"sp_model_kwargs": {"alpha": 1}}, "special tokens .* Received: .*sp_model_kwargs="),
    ],
)
def test_another_tokenizer(copy_golden, config, message):
    folder, change = copy_golden("marian")
    change("tokenizer_config.json", **config)
    with pytest.raises(ValueError, match=message):
        read_hugging_face(str(folder))


@pytest.mark.parametrize(
    "values, message",
    [
        ({"scale_embedding": False}, "with scaled embeddings, .* Received: scale_embedding=False"),
        ({"activation_function": "tanh"}, "an activation of swish, .* Received: activation_function='tanh'"),
        ({"decoder_ffn_dim": 5}, "equal widths .* Received: encoder_ffn_dim=23, decoder_ffn_dim=5"),
        ({"decoder_start_token_id": 0}, "as the vocabulary has it. Received: {'decoder_start_token_id': 0}"),
        ({"d_model": None}, "Expected .*d_model .int.* Received: d_model=None"),
    ],
)
def test_another_model(copy_golden, values, message):
    folder, change = copy_golden("marian")
    change("config.json", **values)
    with pytest.raises(ValueError, match=message):
        read_hugging_face(str(folder))


def test_missing_tensors(copy_golden):
    folder, change = copy_golden("marian")
    change("config.json", decoder_layers=2)
    message = r"missing: model.decoder.layers.1.self_attn.q_proj.weight of shape \(16, 16\)"
    with pytest.raises(ValueError, match=message):
        convert(folder)
