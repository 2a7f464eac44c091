"""Texts that tokenizers stumble over, made of a few words and much else."""

import random

from tests.made_data import WORDS

ODD = [
    "한국어", "문장", "ᄒ", "café", "CAFÉ", "cafe\u0301", "Ünïcödé", "İ", "ẞ", "ß", "Σ", "ŉ",
    "ﬁ", "ⅷ", "１２", "²", "中文", "日本語", "😀", "👨‍👩‍👧", "♥️", "नमस्ते", "שלום", "عربي",
    "ภาษาไทย", "\t", "\n", "\r\n", "  ", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff",
    "\ue000", "\u2028", "<s>", "</s>", "<unk>", "<pad>", "<0x41>", "▁dog", "▁", "##s", "...",
    "!?", "'s", "\\", '"', "DOG", "MiXed", "x" * 101, "ab" * 60, "\U00020000", "\u0301",
]  # fmt: skip


def nasty(count, seed=0):
    """`count` texts, those of the odd characters alone first."""
    generator = random.Random(seed)
    texts = ["", " ", "\n", "a", "A", "한", "é" * 300, " ".join(WORDS * 40), "一" * 200, *ODD]
    while len(texts) < count:
        words = [generator.choice(ODD if generator.random() < 0.3 else WORDS) for _ in range(generator.randint(1, 30))]
        texts.append(generator.choice(["", " ", " "]).join(words))
    return texts[:count]
