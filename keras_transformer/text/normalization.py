"""Normalization of texts inside the graph, and the pre-tokenizers that separate their words."""

from collections.abc import Iterable

import tensorflow as tf

# The ideographs that BERT's own code makes words of one character.
_IDEOGRAPHS = (
    r"\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}"
    r"\x{2B920}-\x{2CEAF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}"
)
_PUNCTUATION = r"!-/:-@\[-`{-~\pP"
# `\w` of Unicode: alphabetic characters, marks, digits, connectors and joiners. RE2 has no class for them.
_WORD_CHARACTERS = (
    r"\pL\p{Nl}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}"
    r"\pM\p{Nd}\p{Pc}\x{200C}\x{200D}"
)
_WHITESPACE = r"\t-\r\x{85}\pZ"
_FORMS = {"nfc": "NFC", "nfd": "NFD", "nfkc": "NFKC", "nfkd": "NFKD"}
STEPS = (*_FORMS, "clean_text", "split_ideographs", "strip_accents", "strip_marks", "lower_case")
# The words, besides whitespace, that each separates.
PRE_TOKENIZERS = {
    "bert": f"([{_PUNCTUATION}])",
    "words": f"([{_WORD_CHARACTERS}]+|[^{_WORD_CHARACTERS}{_WHITESPACE}]+)",
    "whitespace": None,
}


def bert_steps(lower_case: bool, strip_accents: bool | None, split_ideographs: bool) -> list[str]:
    """The normalization steps of BERT; `strip_accents=None` means as `lower_case`."""
    strip_accents = lower_case if strip_accents is None else strip_accents
    return [
        "clean_text",
        *(["split_ideographs"] if split_ideographs else []),
        *(["nfd", "strip_accents"] if strip_accents else []),
        *(["lower_case"] if lower_case else []),
    ]


def normalize(texts: tf.Tensor, steps: Iterable[str], kept: str = "") -> tf.Tensor:
    """Applies some of `STEPS`, in the order given, to strings (N,); "clean_text" does not remove characters of `kept`.

    Raises:
        ImportError: if tensorflow_text is not installed.
    """
    import tensorflow_text

    for step in steps:
        if step in _FORMS:
            texts = tensorflow_text.normalize_utf8(texts, _FORMS[step])
        elif step == "clean_text":
            texts = tf.strings.regex_replace(texts, r"[\t\n\r\pZ]", " ")
            texts = tf.strings.regex_replace(texts, rf"[^\PC{kept}]|\x{{FFFD}}", "")
        elif step == "split_ideographs":
            texts = tf.strings.regex_replace(texts, f"([{_IDEOGRAPHS}])", r" \1 ")
        elif step == "strip_accents":
            texts = tf.strings.regex_replace(texts, r"\p{Mn}", "")
        elif step == "strip_marks":
            texts = tf.strings.regex_replace(texts, r"\pM", "")
        elif step == "lower_case":
            # ICU would lower-case Σ at the end of a word to the final sigma ς.
            texts = tf.strings.lower(tf.strings.regex_replace(texts, "Σ", "σ"), encoding="utf-8")
    return texts


def separate_words(texts: tf.Tensor, pre_tokenizer: str) -> tf.Tensor:
    """Strings (N,) with spaces between the words of a pre-tokenizer, and in place of all whitespace."""
    pattern = PRE_TOKENIZERS[pre_tokenizer]
    texts = tf.strings.regex_replace(texts, pattern, r" \1 ") if pattern else texts
    return tf.strings.regex_replace(texts, f"[{_WHITESPACE}]", " ")
