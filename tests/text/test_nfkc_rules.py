import re
import unicodedata

from keras_transformer.text import SubwordTokenizer
from keras_transformer.text.nfkc_rules import normalizers_of
from keras_transformer.text.sentencepiece_model import load_processor
from tests import made_texts

TEXTS = [
    *made_texts.nasty(300),
    "ﬃ", "ｶﾞ", "～", "각", "하ㄺ", "Â\u0301", "é\u0328", "ŉ\u0301", "ẞς", "Ꭰᏸ", "\x07\x1f", "㋿",
]  # fmt: skip


def compiled(normalizers):
    """(pattern, content) of replacements, (`None`, type) of the others."""
    for normalizer in normalizers:
        if normalizer["type"] != "Replace":
            yield None, normalizer["type"]
            continue
        ((kind, pattern),) = normalizer["pattern"].items()
        yield re.compile(pattern if kind == "Regex" else re.escape(pattern)), normalizer["content"]


def taken(steps, text):
    """What a library does with the steps."""
    for pattern, content in steps:
        if pattern:
            text = pattern.sub(lambda match, content=content: content, text)
        elif content == "Lowercase":
            text = "".join(character.lower() for character in text)
        else:
            text = unicodedata.normalize(content, text)
    return text


def normalized(processor, text):
    """SentencePiece's, with the spaces at the ends that it leaves out."""
    return processor.normalize(text).replace("▁", " ").strip(" ")


def test_texts_become_what_they_become_in_sentencepiece():
    processor = load_processor(SubwordTokenizer.from_texts(["a dog runs"] * 9, 20, lower_case=True).model)
    steps = list(compiled(normalizers_of(processor, None)))
    for text in TEXTS:
        found = re.sub(" +", " ", taken(steps, text)).strip(" ")
        assert found == normalized(processor, text), ascii(text)
