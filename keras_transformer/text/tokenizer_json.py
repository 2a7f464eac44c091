"""Tokenizers as tokenizer.json, the file of Hugging Face's tokenizers, in Python, Rust and JavaScript."""

from collections.abc import Iterable

from keras_transformer.text.normalization import bert_steps
from keras_transformer.text.sentencepiece_json import sentencepiece_parts
from keras_transformer.text.subword_tokenizer import SubwordTokenizer
from keras_transformer.text.tokenizer import Tokenizer
from keras_transformer.text.word_piece_tokenizer import WordPieceTokenizer
from keras_transformer.types import Config

_PRE_TOKENIZERS = {"bert": "BertPreTokenizer", "words": "Whitespace", "whitespace": "WhitespaceSplit"}
_NO_FLAGS = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
_FLAGS = {"clean_text": "clean_text", "split_ideographs": "handle_chinese_chars"}


def tokenizer_json(tokenizer: Tokenizer, max_length: int) -> Config:
    """A tokenizer as the content of a tokenizer.json, which gives the same ids.

    Args:
        tokenizer: a `WordPieceTokenizer` or a `SubwordTokenizer`.
        max_length: longer texts are truncated to so many ids; batches are padded.

    Raises:
        ValueError: for a tokenizer of another kind, and for one with a part that such files do not have.

    Example:
        >>> from keras_transformer.text import WordPieceTokenizer
        >>> from keras_transformer.text.tokenizer_json import tokenizer_json
        >>> tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog"])
        >>> tokenizer_json(tokenizer, max_length=128)["model"]["type"]
        'WordPiece'
    """
    if isinstance(tokenizer, WordPieceTokenizer):
        parts = _word_piece_parts(tokenizer)
    elif isinstance(tokenizer, SubwordTokenizer):
        parts = sentencepiece_parts(tokenizer.model)
    else:
        raise ValueError(
            f"Expected a SubwordTokenizer or a WordPieceTokenizer for this format. Received: {type(tokenizer).__name__}"
        )
    return {
        "version": "1.0",
        "truncation": {
            "direction": "Right", "max_length": max_length, "strategy": "LongestFirst", "stride": 0
        },
        "padding": {
            "strategy": "BatchLongest",
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": tokenizer.padding_id,
            "pad_type_id": 0,
            "pad_token": padding_token(parts, tokenizer.padding_id),
        },
        **parts,
    }  # fmt: skip


def padding_token(parts: Config, padding_id: int) -> str:
    """What the padding token of a tokenizer.json is called."""
    return next(token["content"] for token in parts["added_tokens"] if token["id"] == padding_id)


def _word_piece_parts(tokenizer):
    special = [tokenizer.padding_token, tokenizer.unknown_token, tokenizer.begin_token, tokenizer.end_token]
    special = list(dict.fromkeys([*special, *tokenizer.other_tokens]))
    ids = {piece: number for number, piece in enumerate(tokenizer.vocabulary)}
    begin, end = tokenizer.begin_token, tokenizer.end_token
    ends = [{"SpecialToken": {"id": token, "type_id": 0}} for token in (begin, end)]
    texts = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
    # The libraries number the tokens that the model lacks behind its own.
    subwords = len(ids)
    while subwords and tokenizer.vocabulary[subwords - 1] in tokenizer.added_tokens:
        subwords -= 1
    return {
        "added_tokens": [
            _added(ids[token], token, token in tokenizer.normalized_tokens) for token in sorted(special, key=ids.get)
        ],
        "normalizer": _sequence(_normalizers(tokenizer.steps)),
        "pre_tokenizer": {"type": _PRE_TOKENIZERS[tokenizer.pre_tokenizer]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [ends[0], texts[0], ends[1]],
            "pair": [ends[0], texts[0], ends[1], texts[1], ends[1]],
            "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (begin, end)},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": tokenizer.unknown_token,
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": tokenizer.max_word_length,
            "vocab": {piece: number for piece, number in ids.items() if number < subwords},
        },
    }


def _normalizers(steps: Iterable[str]) -> list[Config]:
    """The normalizers of `WordPieceTokenizer`'s steps."""
    steps = list(steps)
    for lower_case in (True, False):  # as one, which all versions of these libraries have
        for strip_accents in (True, False):
            if steps == bert_steps(lower_case, strip_accents, split_ideographs=True):
                flags = {"clean_text": True, "handle_chinese_chars": True}
                return [_bert(**flags, strip_accents=strip_accents, lowercase=lower_case)]
    normalizers = []
    for previous, step in zip([None, *steps], steps):
        if step == "strip_accents":
            if previous not in ("nfd", "nfkd"):
                raise ValueError(f"Expected nfd or nfkd before strip_accents for this format. Received: {steps}")
            normalizers.append(_bert(strip_accents=True))
        elif step == "strip_marks":
            normalizers.append({"type": "StripAccents"})
        elif step == "lower_case":
            normalizers.append({"type": "Lowercase"})
        else:
            normalizers.append(_bert(**{_FLAGS[step]: True}) if step in _FLAGS else {"type": step.upper()})
    return normalizers


def _bert(**flags):
    return {"type": "BertNormalizer", **_NO_FLAGS, **flags}


def _sequence(normalizers):
    if len(normalizers) < 2:
        return normalizers[0] if normalizers else None
    return {"type": "Sequence", "normalizers": normalizers}


def _added(number, content, is_normalized=False):
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
    return {"id": number, "content": content, **flags, "normalized": is_normalized, "special": True}
