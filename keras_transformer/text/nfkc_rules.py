"""SentencePiece's normalization as steps of a tokenizer.json: NFKC, lower case, and what differs from these."""

import itertools
import unicodedata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from keras_transformer.types import Config

if TYPE_CHECKING:
    import sentencepiece

_Step = Callable[[str], str]

# Between two of these each text is normalized by itself.
_ALONE = "一"
# Stand for what the steps would change: private ones at the end of Unicode.
_FIRST_HELD = 0x10F000
_UNKNOWN = "\U0010fffe"
_MOST_RULES = 1500
# Characters that NFKC changes and some libraries do not know: those that Unicode has since version 12.1.
_NEW = (
    (0x32FF, 0x32FF), (0xA7F1, 0xA7F4), (0xAB69, 0xAB69), (0x10781, 0x107BA), (0x11383, 0x113C8), (0x11938, 0x11938),
    (0x16121, 0x1612A), (0x16D68, 0x16D6A), (0x1CCD6, 0x1CCF9), (0x1E030, 0x1E06D), (0x1FBF0, 0x1FBF9),
)  # fmt: skip


def _nfkc(text):
    return unicodedata.normalize("NFKC", text)


_STEPS = {
    (): lambda text: text,
    ("NFKC",): _nfkc,
    # Each character by itself: Python alone makes a Σ at the end of a word another letter.
    ("NFKC", "Lowercase", "NFKC"): lambda text: _nfkc("".join(c.lower() for c in _nfkc(text))),
}


def normalizers_of(processor: "sentencepiece.SentencePieceProcessor", alphabet: set[str] | None) -> list[Config]:
    """The normalizers of a tokenizer.json that do what a SentencePiece model does, but for runs of spaces.

    SentencePiece's table is of characters and of letters with the marks behind them; NFKC looks further. They agree on
    all characters, and on all pairs of which NFKC makes one, but not on marks in another than Unicode's order.

    Args:
        processor: of the model.
        alphabet: the characters of its pieces: any others are unknown, whatever becomes of them. `None` where bytes
            stand for those.

    Raises:
        ValueError: for a normalization that is far from any of these.
    """
    wanted = _normalized(processor, [*map(chr, (*range(1, 0xD800), *range(0xF900, 0x33480), *range(0xE0000, 0xE0200)))])
    found = {steps: _rules(wanted, step, alphabet) for steps, step in _STEPS.items()}
    steps, rules = min(found.items(), key=lambda item: len(item[1]))
    if len(rules) > _MOST_RULES:
        raise ValueError(
            "Expected a SentencePiece model with the normalization identity, nfkc, nmt_nfkc, nfkc_cf or nmt_nfkc_cf "
            f"for this format. Received: one with {len(rules):,} other characters"
        )
    step = _STEPS[steps]
    held = {}
    by_content = {}
    for old, new in rules.items():
        by_content.setdefault(new, []).append(old)
    before = [
        _replacement(_any_of(old), new if step(new) == new else _held(held, new)) for new, old in by_content.items()
    ]
    translated = {ord(old): new if step(new) == new else held[new] for old, new in rules.items()}
    behind = [
        _replacement({"Regex": f"(?<={_class(firsts)}){second}"}, _held(held, wanted[second]))
        for second, firsts in _apart(processor, wanted, step, translated, held, alphabet)
        if steps
    ]
    after = [_replacement({"String": place}, new) for new, place in held.items()]
    return [*behind, *before, *({"type": step} for step in steps), *after]


def _normalized(processor, texts: list[str]) -> dict[str, str]:
    """{text: what becomes of it}."""
    found = processor.normalize([f"{_ALONE}{text}{_ALONE}" for text in texts])
    return {old: new.replace("▁", " ").lstrip(" ")[1:-1] for old, new in zip(texts, found)}


def _rules(wanted, step: _Step, alphabet) -> dict[str, str]:
    """{character: what becomes of it}, of those that the step does not do the same with."""
    rules = {}
    for old, new in wanted.items():
        by_step = step(old)
        is_new = new != old and any(first <= ord(old) <= last for first, last in _NEW)
        if new == by_step and not is_new:
            continue
        known = _known(new, alphabet)
        if known != _known(by_step, alphabet) or (is_new and known != _known(old, alphabet)):
            rules[old] = new
    return rules


def _apart(processor, wanted, step: _Step, translated, held, alphabet) -> Iterator[tuple[str, list[str]]]:
    """(character, those behind which it stays itself, where the step would make one of both)."""
    firsts, seconds = _composed()
    before = {is_hangul: [] for is_hangul in (False, True)}
    for old, new in wanted.items():
        if new and new[-1] in firsts:
            before[_is_hangul(new[-1])].append(old)
    restored = {ord(place): new for new, place in held.items()}
    for second in [old for old, new in wanted.items() if new and new[0] in seconds]:
        found = []
        pairs = [first + second for first in before[_is_hangul(wanted[second][0])]]
        for text, new in _normalized(processor, pairs).items():
            by_step = step(text.translate(translated)).translate(restored)
            if new != by_step and _known(new, alphabet) != _known(by_step, alphabet):
                found.append(text[0])
        if found:
            yield second, found


def _is_hangul(character):
    return "\u1100" <= character <= "\u11ff" or "가" <= character <= "힣"


def _composed() -> tuple[set[str], set[str]]:
    """The first and the second characters of all pairs that Unicode composes, after it has sorted the marks."""
    pairs = {}
    for character in map(chr, range(0x33480)):
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and parts[0][0] != "<":
            pairs[character] = [chr(int(part, 16)) for part in parts]
    syllables, finals = range(0xAC00, 0xD7A4, 28), range(0x11A8, 0x11C3)
    firsts = {*pairs, *(first for first, _ in pairs.values()), *map(chr, (*range(0x1100, 0x1113), *syllables))}
    return firsts, {*(second for _, second in pairs.values()), *map(chr, (*range(0x1161, 0x1176), *finals))}


def _known(text, alphabet):
    """`text` with one mark for each run of characters that are not in the alphabet."""
    if alphabet is None:
        return text
    marked = (character if character in alphabet or character == " " else _UNKNOWN for character in text)
    return "".join(c for c, run in itertools.groupby(marked) for c in (run if c != _UNKNOWN else [c]))


def _held(held, content):
    """The character that stands for `content` while the steps are taken."""
    return held.setdefault(content, chr(_FIRST_HELD + len(held)))


def _any_of(characters):
    return {"String": characters[0]} if len(characters) == 1 else {"Regex": _class(characters)}


def _class(characters):
    """A class of a regular expression, as both Oniguruma and JavaScript take it."""
    return f"[{''.join(f'{chr(92)}{c}' if c in chr(92) + ']^-[' else c for c in characters)}]"


def _replacement(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}
