"""Translations of the sentences that english_texts.py makes of word lists, put together from those of their parts.

A made sentence is read back into its parts ("a", "young", "woman", "is", "slicing", "an onion"), whose translations
stand in recipes/translations/, a file for each language with the columns: list, English, translation, and for
predicates in German, French and Spanish their plural.
"""

import os
import re
from collections.abc import Callable, Iterator

import english_texts

from keras_transformer.data import read_lines

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "translations")
LANGUAGES = ("ko", "de", "fr", "es", "ja", "zh")
_TEMPLATES = ("headlines", "news", "questions", "reviews")
# Which list a placeholder's value is of.
_LISTS = {
    "country": "countries",
    "country2": "countries",
    "x": "countries",
    "y": "countries",
    "company": "companies",
    "company2": "companies",
    "name": "surnames",
    "name2": "surnames",
    "a": "judgements",
    "b": "judgements",
    "c": "judgements",
    "disaster": "disasters",
    "day": "days",
    "month": "months",
    "quarter": "quarters",
    "work": "reviewed",
    "d": "degrees",
}
_NUMBERS = ("n", "n2", "n3")
# Of a digit's Korean name: those that end with a consonant, and with an l.
_CONSONANT, _L = "013678", "178"


class Lists:
    """Phrases of a language, singular and plural, by list and English phrase: {"who": {"man": ("남자", "남자")}}."""

    def __init__(self, language: str):
        self.language = language
        self._phrases: dict[str, dict[str, tuple[str, str]]] = {}
        for line in read_lines(os.path.join(FOLDER, f"{language}.tsv")):
            name, english, *forms = line.split("\t")
            if not 1 <= len(forms) <= 2:
                raise ValueError(f"Expected list, English, translation and at most its plural. Received: {line!r}")
            self._phrases.setdefault(name, {})[english] = (forms[0], forms[-1])

    def __getitem__(self, name: str) -> dict[str, tuple[str, str]]:
        return self._phrases[name]

    def find(self, name: str, english: str) -> tuple[str, str]:
        """The forms of a phrase, whatever its case."""
        phrases = self._phrases[name]
        if english in phrases:
            return phrases[english]
        return next(forms for phrase, forms in phrases.items() if phrase.lower() == english.lower())

    def names(self) -> list[str]:
        return list(self._phrases)


class MadeSentences:
    """Reads made English sentences back into their parts, and says them in other languages.

    Example:
        >>> MadeSentences().translations("A man is playing a guitar in a park.")["ko"]
        '남자가 공원에서 기타를 치고 있다.'
    """

    def __init__(self):
        self.languages = {language: Lists(language) for language in LANGUAGES}
        lists = self.languages[LANGUAGES[0]]
        kinds = [name.split(".")[1] for name in lists.names() if name.startswith("actions.")]
        acts = [
            f"(?:{_any(lists[f'actions.{kind}'], f'action_{kind}')} {_any(lists[f'objects.{kind}'], f'object_{kind}')})"
            for kind in kinds
        ]
        self._scene = re.compile(
            rf"(?:an? |the |some )?(?:{_any(lists['looks'], 'looks')} )?{_any(lists['who'], 'who')}"
            rf"(?: {_any(lists['clothing'], 'clothing')})?(?: (?P<verb>is|are))?(?: (?P<negation>not))?"
            rf" (?:{_any(lists['doing'], 'doing')}|{'|'.join(acts)})(?: {_any(lists['places'], 'places')})?\.?",
            re.IGNORECASE,
        )
        self._templates = [
            (name, template, _template_pattern(template, lists)) for name in _TEMPLATES for template in lists[name]
        ]

    def translations(self, text: str) -> dict[str, str]:
        """{language: what the sentence is in it}; empty for a sentence that was not made."""
        scene = self._scene.fullmatch(text)
        if scene:
            parts = {name: part for name, part in scene.groupdict().items() if part is not None}
            return dict(self._scenes(parts, ends=text.endswith(".")))
        for name, template, pattern in self._templates:
            found = pattern.fullmatch(text)
            if found:
                return {
                    language: self._filled(lists, lists[name][template][0], found.groupdict())
                    for language, lists in self.languages.items()
                }
        return {}

    def words(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Each phrase that can stand alone, with its translations."""
        lists = self.languages[LANGUAGES[0]]
        for name in lists.names():
            if name.split(".")[0] not in (*_TEMPLATES, "actions", "doing", "degrees", "quarters"):
                for english in lists[name]:
                    yield english, {language: of[name][english][0] for language, of in self.languages.items()}

    def _scenes(self, parts, ends):
        plural = (parts.get("verb") or english_texts.grammar(parts["who"].lower())[1]).lower() == "are"
        for language, lists in self.languages.items():
            negate = _NEGATIONS.get(language)
            if "negation" in parts and negate is None:
                continue
            if language in ("de", "fr", "es") and "looks" in parts:
                continue  # an adjective would have to agree with its noun
            found = {
                part.split("_")[0]: lists.find(re.sub("^(action|object)_", r"\1s.", part), english)[plural]
                for part, english in parts.items()
                if part not in ("verb", "negation")
            }
            doing = found.get("doing") or found["action"].replace("{o}", found["object"])
            if "negation" in parts:
                doing = negate(doing)
            text = _SENTENCES.get(language, _subject_first)(found, doing)
            yield language, _polished(language, text) + (("。" if language in ("ja", "zh") else ".") if ends else "")

    def _filled(self, lists, template, values):
        filled = {}
        for name, value in values.items():
            if name in _NUMBERS:
                filled[name] = value
            elif name == "d":
                degree = (value or "").strip()
                blank = "" if lists.language in ("ja", "zh") else " "
                filled[name] = lists["degrees"][degree][0] + blank if degree else ""
            else:
                filled[name] = lists.find(_LISTS[name], value)[0]
        return _polished(lists.language, template.format(**filled))


def _any(phrases, name):
    """A named group of alternatives, of which longer ones are tried first."""
    longest_first = sorted(phrases, key=len, reverse=True)
    return f"(?P<{name}>{'|'.join(map(re.escape, longest_first))})"


def _template_pattern(template, lists):
    pieces, seen = [], set()
    for piece in re.split(r"(\{\w+\})", template):
        name = piece[1:-1]
        if not re.fullmatch(r"\{\w+\}", piece):
            pieces.append(re.escape(piece))
        elif name in seen:
            pieces.append(f"(?P={name})")
        else:
            seen.add(name)
            if name in _NUMBERS:
                pieces.append(rf"(?P<{name}>\d+(?:\.\d+)?)")
            elif name == "d":
                pieces.append(f"(?P<d>(?:{'|'.join(map(re.escape, lists['degrees']))}) )?")
            else:
                pieces.append(_any(lists[_LISTS[name]], name))
    return re.compile("".join(pieces), re.IGNORECASE)


def _subject_first(found, doing):
    return " ".join(filter(None, (found["who"], found.get("clothing"), doing, found.get("places"))))


def _korean(found, doing):
    who = " ".join(filter(None, (found.get("clothing"), found.get("looks"), found["who"])))
    return " ".join(filter(None, (f"{who}이/가", found.get("places"), doing)))


def _japanese(found, doing):
    return f"{found.get('clothing', '')}{found.get('looks', '')}{found['who']}が{found.get('places', '')}{doing}"


def _chinese(found, doing):
    number, who = re.match(r"((?:[一两三四五几]|许多|一些)[个只名位条头匹群对队支家辆些]?)?(.*)", found["who"]).groups()
    subject = f"{number or ''}{found.get('clothing', '')}{found.get('looks', '')}{who}"
    place = found.get("places", "")
    return subject + place + (re.sub("^正?在", "", doing) if place.startswith("在") else doing)


_SENTENCES: dict[str, Callable] = {"ko": _korean, "ja": _japanese, "zh": _chinese}
# German and French put their "not" inside of the predicate: no rule for it.
_NEGATIONS: dict[str, Callable] = {
    "ko": lambda doing: re.sub("있다$", "있지 않다", doing),
    "ja": lambda doing: re.sub("る$", "ない", doing),
    "zh": lambda doing: "没有" + re.sub("^正", "", doing),
    "es": lambda doing: f"no {doing}",
}


def _polished(language, text):
    """With what depends on the neighbours of a word: particles, contractions, the capital at the beginning."""
    if language == "ko":
        return with_particles(text)
    if language == "fr":
        text = re.sub(r"\bde (?=une?\b)", "d'", text)
        text = re.sub(r"\bde les\b", "des", re.sub(r"\bde des\b", "de", re.sub(r"\bde le\b", "du", text)))
        text = re.sub(r"\bà les\b", "aux", re.sub(r"\bà le\b", "au", text))
    if language == "es":
        text = re.sub(r"\b(de|a) el\b", lambda found: f"{found[1]}l", text)
    return text[:1].upper() + text[1:]


def with_particles(text: str) -> str:
    """Korean text in which "이/가", "을/를", "은/는", "와/과", "으로/로" became the one that fits its neighbour."""

    def chosen(found):
        before, pair = found.groups()
        consonant, liquid = _ending(before)
        if pair == "으로/로":
            return before + ("으로" if consonant and not liquid else "로")
        first, second = pair.split("/")
        if pair == "와/과":
            first, second = second, first
        return before + (first if consonant else second)

    return re.sub(r"(\S[)\"'”’]?)(이/가|을/를|은/는|와/과|으로/로)", chosen, text)


def _ending(before):
    """Whether a character, as it is read, ends with a consonant, and whether with an l."""
    last = before[0]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return final != 0, final == 8
    return last in _CONSONANT, last in _L
