"""generation_config.json as a search."""

import json
import pathlib

import pytest

from keras_transformer.convert.generation import read_search

IDS = {"pad_token_id": 7, "eos_token_id": 0, "decoder_start_token_id": 7}


def search_of(folder, **settings):
    """What is read from a generation_config.json with these settings alone."""
    pathlib.Path(folder, "generation_config.json").write_text(json.dumps({"pad_token_id": 7, **settings}))
    return read_search(str(folder), {}, IDS)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "settings, config",
    [
        ({}, {"min_length": 0}),
        ({"min_length": 12}, {"min_length": 11}),  # transformers counts the begin id
        ({"min_length": 3, "min_new_tokens": 5}, {"min_length": 5}),
        ({"do_sample": True, "temperature": 0.5}, {"temperature": 0.5, "top_k": 50, "top_p": 1.0, "min_length": 0}),
        ({"do_sample": True, "top_k": 0, "top_p": 0.9}, {"temperature": 1.0, "top_k": 0, "top_p": 0.9}),
        ({"num_beams": 2, "length_penalty": 0.0}, {"beam_size": 2, "length_penalty": 0.0, "early_stopping": False}),
    ],
)
def test_supported_settings(tmp_path, settings, config):
    search, max_length = search_of(tmp_path, **settings)
    found = search.get_config()
    assert ({key: found[key] for key in config}, max_length) == (config, None)


@pytest.mark.parametrize("settings, wanted", [({"max_length": 7}, 6), ({"max_length": 7, "max_new_tokens": 3}, 3)])
def test_the_maximum_length(tmp_path, settings, wanted):
    assert search_of(tmp_path, **settings)[1] == wanted


def test_ignored_settings_are_reported(tmp_path):
    settings = {"no_repeat_ngram_size": 3, "repetition_penalty": 1.0, "forced_bos_token_id": 4, "surprise": 1}
    with pytest.warns(UserWarning) as warned:
        search_of(tmp_path, **settings, bad_words_ids=[[5]], forced_eos_token_id=7, do_sample=True, num_beams=2)
    source = f"{tmp_path}/generation_config.json are ignored: "
    assert [str(warning.message) for warning in warned] == [
        f"Unsupported settings in {source}no_repeat_ngram_size=3, forced_bos_token_id=4",
        f"Unknown settings in {source}surprise",
        f"Unsupported settings in {source}forced_eos_token_id=7, bad_words_ids=[[5]], do_sample=True",
    ]


def test_an_old_config_counts_without_generation_config(tmp_path):
    search, max_length = read_search(str(tmp_path), {"num_beams": 3, "max_length": 9, "length_penalty": None}, IDS)
    assert (search.beam_size, search.length_penalty, max_length) == (3, 1.0, 8)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"min_length": "12"}, "Expected a number, min_length, in .*generation_config.json. Received: '12'"),
        ({"eos_token_id": 5}, "Expected .*'eos_token_id': 0.* Received: {'eos_token_id': 5}"),
        ({"num_beams": 2, "length_penalty": -1.0}, "generation_config.json .* length_penalty=-1.0"),
        ({"num_beams": 2, "early_stopping": "maybe"}, "generation_config.json .* early_stopping='maybe'"),
    ],
)
def test_settings_that_are_refused(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        search_of(tmp_path, **settings)
