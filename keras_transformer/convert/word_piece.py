"""The WordPiece tokenizer of a Hugging Face checkpoint."""

import os

from keras_transformer.convert.files import read_json, vocabulary_list
from keras_transformer.text import WordPieceTokenizer

# The names of the settings, and what they are where a checkpoint does not say.
_SPECIAL_TOKENS = {
    "bert": {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
    "mpnet": {"pad_token": "<pad>", "unk_token": "[UNK]", "cls_token": "<s>", "sep_token": "</s>"},
}
_MASK_TOKEN = {"bert": "[MASK]", "mpnet": "<mask>"}


def read_tokenizer(folder, model_type, lower_case=False):
    """The `WordPieceTokenizer` of the checkpoint in `folder`.

    Args:
        folder: with tokenizer.json or vocab.txt, and tokenizer_config.json.
        model_type: "bert" or "mpnet".
        lower_case: whether texts are lower-cased though the tokenizer itself would not.

    Raises:
        FileNotFoundError: without a vocabulary.
        ValueError: for a tokenizer of another kind.
    """
    config = read_json(folder, "tokenizer_config.json", {})
    serialized = read_json(folder, "tokenizer.json", {})
    vocabulary = _vocabulary(folder, serialized)
    special = {
        key: _content(config.get(key)) or default
        for key, default in {**_SPECIAL_TOKENS[model_type], "mask_token": _MASK_TOKEN[model_type]}.items()
    }
    added = [*serialized.get("added_tokens", ()), *config.get("added_tokens_decoder", {}).values()]
    other = dict.fromkeys([special.pop("mask_token"), *map(_content, added)])
    return WordPieceTokenizer(
        vocabulary,
        lower_case=config.get("do_lower_case", True) or lower_case,
        strip_accents=_strip_accents(config),
        split_ideographs=config.get("tokenize_chinese_chars", True),
        padding_token=special["pad_token"],
        unknown_token=special["unk_token"],
        begin_token=special["cls_token"],
        end_token=special["sep_token"],
        other_tokens=[token for token in other if token in set(vocabulary) - set(special.values())],
    )


def _strip_accents(config):
    # By default as the tokenizer's own lower-casing says.
    strip_accents = config.get("strip_accents")
    return config.get("do_lower_case", True) if strip_accents is None else strip_accents


def _vocabulary(folder, serialized):
    """The subwords by id."""
    if serialized:
        model = serialized.get("model", {})
        if model.get("type") != "WordPiece" or model.get("continuing_subword_prefix", "##") != "##":
            raise ValueError(
                f"Expected a WordPiece model with ## in {folder}/tokenizer.json. Received: type={model.get('type')!r}, "
                f"continuing_subword_prefix={model.get('continuing_subword_prefix')!r}"
            )
        try:
            ids = {**model["vocab"], **{token["content"]: token["id"] for token in serialized.get("added_tokens", ())}}
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"Expected model.vocab, and content and id of added tokens, in {folder}/tokenizer.json. "
                f"Received one without: {error}"
            ) from None
        return vocabulary_list(ids, f"{folder}/tokenizer.json")
    path = os.path.join(folder, "vocab.txt")
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"Expected tokenizer.json or vocab.txt in the checkpoint. Received a folder without: {folder}"
        )
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _content(token):
    """The text of a special token, which a configuration gives alone or with settings."""
    return token.get("content") if isinstance(token, dict) else token
