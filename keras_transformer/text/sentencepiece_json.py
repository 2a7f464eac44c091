"""SentencePiece models as parts of a tokenizer.json."""

from typing import TYPE_CHECKING

from keras_transformer.text.nfkc_rules import normalizers_of
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.types import Config

if TYPE_CHECKING:
    from sentencepiece import sentencepiece_model_pb2

_SPACE = "▁"
# Ends the names of pieces that no text spells: a code point that is no character.
NO_TEXT = "\U0010ffff"


def sentencepiece_parts(model: bytes) -> Config:
    """The parts of a tokenizer.json that cut texts as a SentencePiece model does.

    The table of SentencePiece's normalization is there as steps that all libraries have, so that those which do not
    read such tables, as JavaScript's, give the same ids. Pieces that stand for no text have other names.

    Args:
        model: a serialized model, unigram or BPE.

    Raises:
        ValueError: for a model of another type, one with user-defined pieces, and one that treats spaces or normalizes
            characters in a way that such a file cannot describe.
    """
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    _check(proto)
    kinds = sentencepiece_model_pb2.ModelProto.SentencePiece
    names = [
        piece.piece if piece.type in (kinds.NORMAL, kinds.BYTE) else f"{piece.piece}{NO_TEXT}" for piece in proto.pieces
    ]
    spec = proto.trainer_spec
    if spec.model_type == spec.UNIGRAM:
        split = _before_bytes() if spec.byte_fallback else None
        scores = [[name, piece.score] for name, piece in zip(names, proto.pieces)]
        kind = {"type": "Unigram", "unk_id": spec.unk_id, "vocab": scores, "byte_fallback": spec.byte_fallback}
    else:
        split = _words()
        kind = {
            "type": "BPE",
            "dropout": None,
            "unk_token": names[spec.unk_id],
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": spec.byte_fallback,
            "ignore_merges": False,
            "vocab": {name: number for number, name in enumerate(names)},
            "merges": _merges(proto),
        }
    alphabet = None if spec.byte_fallback else {c for piece in proto.pieces for c in piece.piece}
    normalizers = normalizers_of(load_processor(model), alphabet)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {
        "added_tokens": [{"id": spec.pad_id, "content": names[spec.pad_id], **flags, "special": True}],
        "normalizer": {"type": "Sequence", "normalizers": [*normalizers, *_spaces()]},
        "pre_tokenizer": split,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "},
                *([{"type": "ByteFallback"}] if spec.byte_fallback else []),
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": kind,
    }  # fmt: skip


def _check(proto: "sentencepiece_model_pb2.ModelProto") -> None:
    spec, normalizer = proto.trainer_spec, proto.normalizer_spec
    if spec.model_type not in (spec.UNIGRAM, spec.BPE):
        kind = spec.ModelType.Name(spec.model_type).lower()
        raise ValueError(f"Expected a SentencePiece model of type unigram or bpe for this format. Received: {kind}")
    if found := [piece.piece for piece in proto.pieces if piece.type == piece.USER_DEFINED]:
        raise ValueError(f"Expected a SentencePiece model without user-defined pieces. Received: {found[:5]}")
    names = "add_dummy_prefix", "remove_extra_whitespaces", "escape_whitespaces"
    flags = {name: getattr(normalizer, name) for name in names}
    if spec.treat_whitespace_as_suffix or not all(flags.values()):
        raise ValueError(
            f"Expected a SentencePiece model that puts spaces before words, with {', '.join(names)}, for this format. "
            f"Received: treat_whitespace_as_suffix={spec.treat_whitespace_as_suffix}, {flags}"
        )


def _spaces():
    """Runs of spaces as one, none at the ends, and one before the first word, written as in pieces."""

    def replace(pattern, content):
        return {"type": "Replace", "pattern": pattern, "content": content}

    return [
        replace({"Regex": "^ +| +$"}, ""),
        replace({"Regex": " +"}, _SPACE),
        {"type": "Prepend", "prepend": _SPACE},
        replace({"Regex": f"^{_SPACE}$"}, ""),  # some libraries put it before nothing too
    ]


def _before_bytes():
    """Separates what would be found as the name of a byte's piece where a text spells it."""
    pattern = {"Regex": "<(?=0x[0-9A-F][0-9A-F]>)"}
    return {"type": "Split", "pattern": pattern, "behavior": "MergedWithPrevious", "invert": False}


def _words():
    # Other behaviors than "Isolated" are not those of all libraries.
    pattern = {"Regex": f"{_SPACE}[^{_SPACE}]*"}
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def _merges(proto):
    """The pairs of pieces that make another, those of the best piece first, as the library itself merges them."""
    ids = {piece.piece: number for number, piece in enumerate(proto.pieces) if piece.type == piece.NORMAL}
    scored = []
    for text, number in ids.items():
        pairs = [(text[:place], text[place:]) for place in range(1, len(text))]
        pairs = [pair for pair in pairs if pair[0] in ids and pair[1] in ids]
        scored += [(-proto.pieces[number].score, ids[left], ids[right], left, right) for left, right in pairs]
    return [[left, right] for *_, left, right in sorted(scored)]
