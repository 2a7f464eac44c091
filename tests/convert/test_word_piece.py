"""Each part of tokenizer.json and tokenizer_config.json against the ids that transformers gave, or refused by name."""

import json
import pathlib
import shutil
import warnings

import pytest

from keras_transformer.convert.word_piece import read_tokenizer
from tests.convert import originals

GOLDEN = pathlib.Path(__file__).parent / "golden"
ORIGINAL = json.loads((GOLDEN / "tokenizers.json").read_text())
TEXTS = originals.TOKENIZER_TEXTS


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(GOLDEN / "bert", tmp_path / "bert")


def change(folder, name, without=(), **values):
    config = json.loads((folder / name).read_text())
    config = {key: value for key, value in config.items() if key not in without}
    (folder / name).write_text(json.dumps({**config, **values}))


def words(tokenizer, text):
    ids = tokenizer.tokenize([text], add_begin=False, add_end=False).to_list()[0]
    return [tokenizer.vocabulary[i] for i in ids]


@pytest.mark.parametrize("name", originals.TOKENIZERS)
def test_every_part_is_followed(folder, name):
    originals.change_tokenizer(folder, originals.TOKENIZERS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_tokenizer(folder, "bert").tokenize(TEXTS).to_list()
    for text, ids, wanted in zip(TEXTS, found, ORIGINAL[name]):
        assert ids == wanted, text
    usual = read_tokenizer(GOLDEN / "bert", "bert").tokenize(TEXTS).to_list()
    assert found != usual, "a change that changes nothing"


def test_a_class_with_settings_of_its_own(folder):
    """As in transformers, tokenizer_config.json counts more than tokenizer.json, if it says something."""
    originals.change_tokenizer(folder, originals.TOKENIZERS["cased"], "BertTokenizer")
    assert words(read_tokenizer(folder, "bert"), "Dog dog") == ["dog", "dog"]
    change(folder, "tokenizer_config.json", without=["do_lower_case"])
    with pytest.warns(UserWarning, match="tokenizer.json is used; .* They differ in: normalization="):
        tokenizer = read_tokenizer(folder, "bert")
    assert words(tokenizer, "Dog dog") == ["[UNK]", "dog"]
    change(folder, "tokenizer_config.json", do_lower_case=True, strip_accents=False)
    assert words(read_tokenizer(folder, "bert"), "Dog é") == ["dog", "[UNK]"]


def test_the_settings_of_such_a_class_mean_nothing_to_others(folder):
    change(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", do_lower_case=False)
    assert words(read_tokenizer(folder, "bert"), "Dog") == ["dog"]


@pytest.mark.parametrize("tokenizer_class", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_flags_of_added_tokens(folder, tokenizer_class):
    """Those of tokenizer_config.json count more, here too."""
    flags = {"lstrip": False, "rstrip": False, "single_word": False, "special": True}
    token = {"content": "[MASK]", "normalized": True, **flags}
    change(folder, "tokenizer_config.json", tokenizer_class=tokenizer_class, added_tokens_decoder={"4": token})
    assert words(read_tokenizer(folder, "bert"), "[mask] [MASK]") == ["[MASK]", "[MASK]"]
    assert words(read_tokenizer(GOLDEN / "bert", "bert"), "[mask] [MASK]")[-1:] == ["[MASK]"]


def test_special_tokens_of_an_old_checkpoint(folder):
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get)))
    change(folder, "tokenizer_config.json", without=["unk_token"])
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"unk_token": {"content": "[MASK]"}, "mask_token": "two"})
    )
    tokenizer = read_tokenizer(folder, "bert")
    assert (tokenizer.unknown_token, words(tokenizer, "redtwo")) == ("[MASK]", ["r", "##e", "##d", "two"])


@pytest.mark.parametrize(
    "name, values, message",
    [
        ("tokenizer_config.json", {"tokenizer_class": "BertJapaneseTokenizer"}, "Received: BertJapaneseTokenizer"),
        ("config.json", {"tokenizer_class": "BertJapaneseTokenizer"}, "Received: BertJapaneseTokenizer"),
        ("tokenizer_config.json", {"truncation_side": "left"}, "Received: truncation_side='left'"),
        ("tokenizer_config.json", {"do_basic_tokenize": False}, "Received: do_basic_tokenize=False"),
        ("tokenizer_config.json", {"never_split": ["a"]}, r"Received: never_split=\['a'\]"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": "x"}}, "Received: auto_map="),
        ("tokenizer_config.json", {"additional_special_tokens": ["<x>"]}, r"in the vocabulary .* Received: \['<x>'\]"),
    ],
)
def test_what_is_refused(folder, name, values, message):
    without = ["tokenizer_class"] if name == "config.json" else []
    change(folder, "tokenizer_config.json", without=without)
    change(folder, name, **values)
    with pytest.raises(ValueError, match=message):
        read_tokenizer(folder, "bert")


def test_unknown_settings_are_reported(folder):
    change(folder, "tokenizer_config.json", surprise=1, another=None)
    with pytest.warns(UserWarning, match="Unknown settings in .*tokenizer_config.json are ignored: surprise, another"):
        read_tokenizer(folder, "bert")


def test_a_decoder_of_another_kind_is_reported(folder):
    change(folder, "tokenizer.json", decoder={"type": "BPEDecoder"})
    with pytest.warns(UserWarning, match="The decoder BPEDecoder is ignored"):
        read_tokenizer(folder, "bert")
