"""Translates each part of a tokenizer.json to settings of `WordPieceTokenizer`, or refuses it by name."""

import dataclasses
import os

from keras_transformer.convert.files import reading
from keras_transformer.types import Config

_FORMS = {name: [name.lower()] for name in ("NFC", "NFD", "NFKC", "NFKD")}
# Stripping the ends of a text changes no word.
_NORMALIZERS = {**_FORMS, "Lowercase": ["lower_case"], "StripAccents": ["strip_marks"], "Strip": []}
_BERT_FLAGS = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
_LONGEST_WORD = 1_000_000
_PRE_TOKENIZERS = {"BertPreTokenizer": "bert", "WhitespaceSplit": "whitespace", "Whitespace": "words"}
_PARTS = {
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
}


@dataclasses.dataclass(frozen=True)
class TokenizerPipeline:
    """What a tokenizer.json describes.

    Attributes:
        ids: {token: id}, with the added tokens.
        subwords: the tokens of the model, without the added ones.
        normalization: argument of `WordPieceTokenizer`.
        bert_flags: the settings of the BertNormalizer, or `None` if the normalizer is another.
        pre_tokenizer: argument of `WordPieceTokenizer`.
        unknown_token: likewise.
        max_word_length: likewise.
        ends: the begin and the end token.
        padding_token: the padding token, or `None` if the file has no padding.
        added: {added token: whether it is matched in the normalized text}.
        decoder: the type of the decoder, or `None`.
    """

    ids: dict[str, int]
    subwords: set[str]
    normalization: list[str]
    bert_flags: Config | None
    pre_tokenizer: str
    unknown_token: str
    max_word_length: int
    ends: tuple[str, str]
    padding_token: str | None
    added: dict[str, bool]
    decoder: str | None


def read_pipeline(folder: str, serialized: Config) -> TokenizerPipeline:
    """Translates a tokenizer.json.

    Args:
        folder: folder of the checkpoint.
        serialized: the content of the file.

    Raises:
        ValueError: for an unsupported part, and for a damaged file.
    """
    source = os.path.join(folder, "tokenizer.json")
    with reading(source):
        return _pipeline(serialized, source)


def _pipeline(serialized, source):
    if unknown := sorted(set(serialized) - _PARTS):
        raise ValueError(f"Expected the parts {', '.join(sorted(_PARTS))} in {source}. Received: {', '.join(unknown)}")
    model = serialized.get("model") or {}
    added = serialized.get("added_tokens") or []
    ids, unknown_token, max_word_length = _model(model, added, source)
    normalization, bert_flags = _normalizer(serialized.get("normalizer"), source)
    padding = serialized.get("padding")
    _check_direction(padding, "padding", source)
    _check_direction(serialized.get("truncation"), "truncation", source)
    decoder = serialized.get("decoder")
    return TokenizerPipeline(
        ids=ids,
        subwords=set(model["vocab"]),
        normalization=normalization,
        bert_flags=bert_flags,
        pre_tokenizer=_pre_tokenizer(serialized.get("pre_tokenizer"), source),
        unknown_token=unknown_token,
        max_word_length=max_word_length,
        ends=_post_processor(serialized.get("post_processor"), ids, source),
        padding_token=padding["pad_token"] if padding else None,
        added=_added(added, source),
        decoder=decoder["type"] if decoder else None,
    )


def _model(model, added, source):
    prefix = model.get("continuing_subword_prefix", "##")
    # Old files do not name the type.
    kind = model.get("type", "WordPiece" if "continuing_subword_prefix" in model else None)
    if kind != "WordPiece" or prefix != "##":
        raise ValueError(
            f"Expected a WordPiece model with ## in {source}. Received: type={kind!r}, "
            f"continuing_subword_prefix={prefix!r}"
        )
    if not isinstance(model.get("vocab"), dict):
        raise ValueError(
            f"Expected model.vocab, {{token: id}}, in {source}. Received: {type(model.get('vocab')).__name__}"
        )
    ids = {**model["vocab"], **{token["content"]: token["id"] for token in added}}
    length = model.get("max_input_chars_per_word", 100)
    unknown_token = model.get("unk_token", "[UNK]")
    is_length = isinstance(length, int) and not isinstance(length, bool) and 1 <= length <= _LONGEST_WORD
    if not is_length or not isinstance(unknown_token, str):
        raise ValueError(
            f"Expected max_input_chars_per_word (1 to {_LONGEST_WORD:,}) and unk_token (str) in {source}. "
            f"Received: {length!r}, {unknown_token!r}"
        )
    return ids, unknown_token, length


def _normalizer(normalizer, source):
    """The steps of a normalizer, and its flags if it is a BertNormalizer."""
    if normalizer is None:
        return [], None
    kind = normalizer["type"]
    if kind == "BertNormalizer":
        flags = {flag: normalizer.get(flag, default) for flag, default in _BERT_FLAGS.items()}
        if bad := {flag: value for flag, value in flags.items() if not isinstance(value, (bool, type(None)))}:
            raise ValueError(f"Expected true, false or null in the BertNormalizer of {source}. Received: {bad}")
        return bert_normalization(**flags), flags
    if kind == "Sequence":
        return [step for part in normalizer["normalizers"] for step in _normalizer(part, source)[0]], None
    if kind not in _NORMALIZERS:
        raise ValueError(
            f"Expected the normalizers BertNormalizer, {', '.join(_NORMALIZERS)}, or a Sequence of them in {source}. "
            f"Received: {kind}"
        )
    return _NORMALIZERS[kind], None


def bert_normalization(
    clean_text: bool = True,
    handle_chinese_chars: bool = True,
    strip_accents: bool | None = None,
    lowercase: bool = True,
) -> list[str]:
    """The steps of a BertNormalizer."""
    strips = lowercase if strip_accents is None else strip_accents
    steps = {
        "clean_text": clean_text,
        "split_ideographs": handle_chinese_chars,
        "nfd": strips,
        "strip_accents": strips,
        "lower_case": lowercase,
    }
    return [step for step, is_taken in steps.items() if is_taken]


def _pre_tokenizer(pre_tokenizer, source):
    kind = pre_tokenizer["type"] if pre_tokenizer else None
    if kind not in _PRE_TOKENIZERS:
        raise ValueError(f"Expected a pre-tokenizer of {', '.join(_PRE_TOKENIZERS)} in {source}. Received: {kind}")
    return _PRE_TOKENIZERS[kind]


def _post_processor(processor, ids, source):
    """The begin and the end token."""
    kind = processor["type"] if processor else None
    if kind in ("BertProcessing", "RobertaProcessing"):
        return tuple(_with_id(*processor[name], ids, source) for name in ("cls", "sep"))
    if kind == "TemplateProcessing":
        parts = processor["single"]
        names = ["A" if "Sequence" in part else part["SpecialToken"]["id"] for part in parts]
        types = {item["type_id"] for part in parts for item in part.values()}
        if len(names) == 3 and "Sequence" in parts[1] and types == {0}:
            tokens = [processor["special_tokens"][name] for name in (names[0], names[2])]
            if all(len(some["ids"]) == len(some["tokens"]) == 1 for some in tokens):
                return tuple(_with_id(some["tokens"][0], some["ids"][0], ids, source) for some in tokens)
        kind = f"TemplateProcessing of {names} with the types {sorted(types)}"
    raise ValueError(
        "Expected a post-processor that puts one token before each text and one behind it, of type 0 "
        f"(TemplateProcessing, BertProcessing, RobertaProcessing), in {source}. Received: {kind}"
    )


def _with_id(token, token_id, ids, source):
    if ids.get(token) != token_id:
        raise ValueError(
            f"Expected the post-processor's tokens with the ids of the vocabulary in {source}. "
            f"Received: {token!r} with {token_id}, in the vocabulary {ids.get(token)}"
        )
    return token


def _check_direction(settings, name, source):
    if settings and settings.get("direction", "Right") != "Right":
        raise ValueError(f"Expected {name} on the right in {source}. Received: direction={settings['direction']!r}")


def _added(tokens, source):
    if single := [token["content"] for token in tokens if token.get("single_word")]:
        raise ValueError(f"Expected added tokens without single_word in {source}. Received: {', '.join(single)}")
    # lstrip and rstrip, which take adjacent blanks along, change no word.
    return {token["content"]: bool(token.get("normalized")) for token in tokens}
