"""WordPiece as tables of a SentencePiece model, for runtimes without BERT's normalization."""

import functools
import io
import os
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence

from keras_transformer.text.word_piece_tokenizer import WordPieceTokenizer

_CONTINUATION = "##"
# In the tables a character that is a word of its own is replaced by one of these: SentencePiece looks for
# "user-defined" pieces in the original text too, and there a found " !" would not be followed by the space of its rule.
_FIRST_INTERNAL = 0xF0000
_UNKNOWN = "\U000ffffd"  # of such characters, those that the vocabulary lacks
_IN_CONTEXT = {"nfc", "nfkc"}
_DECOMPOSED, _STRIPPED = {"nfd", "nfkd"}, {"strip_accents", "strip_marks"}


def check_has_tables(tokenizer: WordPieceTokenizer) -> None:
    """Raises `ValueError` unless words are BERT's, and what becomes of a character depends on no other."""
    steps = set(tokenizer.steps)
    if found := steps & _IN_CONTEXT or (not steps & _STRIPPED and steps & _DECOMPOSED):
        raise ValueError(f"Expected normalization of single characters for this format. Received: {sorted(found)}")
    if tokenizer.pre_tokenizer != "bert":
        raise ValueError(f"Expected pre_tokenizer='bert' for this format. Received: {tokenizer.pre_tokenizer!r}")


def word_piece_model(tokenizer: WordPieceTokenizer) -> bytes:
    """A serialized SentencePiece model that cuts texts as a `WordPieceTokenizer` does.

    Its ids are those of the vocabulary, and one more, V, of a space: where no subword begins a word. A word with it, or
    with the unknown id, or that is too long, is one unknown token to WordPiece: that is left to the caller.

    SentencePiece has a table of what becomes of each character, which holds the normalization and the spaces around
    words, and finds pieces that are "user-defined" by the longest first, as WordPiece does.

    Args:
        tokenizer: whose steps of normalization are of single characters (`check_has_tables`).

    Returns:
        The model. Special tokens that a text spells are no tokens to it.
    """
    from sentencepiece import sentencepiece_model_pb2

    check_has_tables(tokenizer)
    rules = _rules(tokenizer)
    alone = _alone(tokenizer, rules)
    model = sentencepiece_model_pb2.ModelProto()
    kinds = model.SentencePiece
    special = {tokenizer.padding_id, tokenizer.begin_id, tokenizer.end_id}
    special |= {tokenizer.vocabulary.index(token) for token in tokenizer.other_tokens + tokenizer.added_tokens}
    for number, piece in enumerate(_pieces(tokenizer, rules, alone)):
        kind = kinds.UNUSED if piece is None else kinds.USER_DEFINED
        kind = kinds.CONTROL if number in special else kind
        kind = kinds.UNKNOWN if number == tokenizer.unknown_id else kind
        model.pieces.add(piece=piece if kind == kinds.USER_DEFINED else f" [{number}]", score=0.0, type=kind)
    spec = model.trainer_spec
    spec.model_type = spec.CHAR
    spec.vocab_size = len(model.pieces)
    for role in ("unk", "pad", "bos", "eos"):
        number = {"unk": "unknown_id", "pad": "padding_id", "bos": "begin_id", "eos": "end_id"}[role]
        setattr(spec, f"{role}_id", getattr(tokenizer, number))
        setattr(spec, f"{role}_piece", model.pieces[getattr(tokenizer, number)].piece)
    normalizer = model.normalizer_spec
    normalizer.name = "user_defined"
    internal = str.maketrans(alone)
    normalizer.precompiled_charsmap = _compiled({key: value.translate(internal) for key, value in rules.items()})
    normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces = True, True
    normalizer.escape_whitespaces = False
    return model.SerializeToString(deterministic=True)


def _pieces(tokenizer, rules, alone) -> Iterator[str | None]:
    """For each subword, how it stands in a normalized text, `None` where it cannot; and a space."""

    def stays(text):
        return bool(text) and not any(character in rules for character in text) and " " not in text

    for subword in tokenizer.vocabulary:
        if subword.startswith(_CONTINUATION) and subword != _CONTINUATION:
            rest = subword[len(_CONTINUATION) :]
            yield rest if stays(rest) else None
        elif subword in alone:
            yield f" {alone[subword]}"
        else:
            yield f" {subword}" if stays(subword) else None
    yield " "


def _alone(tokenizer, rules) -> dict[str, str]:
    """{a character that is a word of its own: the one that stands for it in the tables}."""
    found = sorted({word for value in rules.values() if value.startswith(" ") for word in value.split()})
    number = iter(range(_FIRST_INTERNAL, ord(_UNKNOWN)))
    known = set(tokenizer.vocabulary)
    return {word: chr(next(number)) if word in known else _UNKNOWN for word in found if len(word) == 1}


def _rules(tokenizer) -> dict[str, str]:
    """{character: what becomes of it}, of all that do not stay as they are."""
    characters = _characters()
    became = tokenizer.normalized_words(characters)
    return {old: new for old, new in zip(characters, became) if old != new}


@functools.cache
def _characters() -> Sequence[str]:
    """All that Unicode has, but for the zero byte, which no table can have, and planes of private ones."""
    kept = (chr(code) for code in range(1, 0xF0000))
    return [c for c in kept if unicodedata.category(c) not in ("Cn", "Cs")]


def _compiled(rules: dict[str, str]) -> bytes:
    """The table of SentencePiece for {text: replacement}. Only its trainer compiles them."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    def codes(text):
        return " ".join(f"{ord(character):X}" for character in text)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rules.tsv")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"{codes(old)}\t{codes(new)}\n" for old, new in rules.items())
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a"]),
            model_writer=model,
            model_type="char",
            vocab_size=9,
            hard_vocab_limit=False,
            normalization_rule_tsv=path,
            minloglevel=2,
        )
    return sentencepiece_model_pb2.ModelProto.FromString(model.getvalue()).normalizer_spec.precompiled_charsmap
