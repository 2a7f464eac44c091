import random

import pytest

from keras_transformer.text import WordPieceTokenizer
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.word_piece_tables import word_piece_model
from tests import made_texts

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [
    *SPECIAL, "a", "dog", "run", "##s", "##n", "##ning", "!", ",", "中", "cafe", "##e", "ᄒ", "##ᅡ", "##ᆫ",
    "##中", "...", "♥",
]  # fmt: skip


def pieces(model, text):
    processor = load_processor(model)
    return [processor.id_to_piece(number) for number in processor.encode(text)]


@pytest.fixture(scope="module")
def model():
    return word_piece_model(WordPieceTokenizer(VOCABULARY))


def test_the_longest_pieces_first(model):
    assert pieces(model, "running runs dogn") == [" run", "ning", " run", "s", " dog", "n"]
    assert load_processor(model).encode("running") == [7, 10]


def test_a_space_stands_where_no_piece_begins_a_word(model):
    assert load_processor(model).encode("s") == [len(VOCABULARY), 8]
    assert load_processor(model).id_to_piece(len(VOCABULARY)) == " "


def test_normalization_is_in_the_table(model):
    ids = load_processor(model).encode
    assert ids("CAFÉ cafe\u0301\t\u00a0café") == [14, 14, 14]
    assert ids("a!,dog") == ids("a ! , dog") == ids("a !,dog") == [5, 11, 12, 6]
    assert ids("a中中a") == [5, 13, 13, 5]
    assert ids("한") == [16, 17, 18]
    assert ids("\u200ba\x01") == [5]
    assert ids("") == ids(" \n\u3000") == []


def test_what_no_text_comes_to_is_no_piece(model):
    ids = load_processor(model).encode
    assert set(ids("[CLS] [MASK] ...")).isdisjoint({2, 3, 4, 20})
    assert load_processor(model).is_unused(20) and load_processor(model).is_control(2)


@pytest.mark.parametrize(
    "options",
    [{}, {"strip_accents": False, "split_ideographs": False}],
    ids=str,
)
def test_cuts_as_the_tokenizer(options):
    """Where a word is known to the tokenizer, it has the same pieces."""
    tokenizer = WordPieceTokenizer(VOCABULARY, **options)
    processor = load_processor(word_piece_model(tokenizer))
    generator, characters = random.Random(0), [*"adogrunse!, ", "é", "É", "中", "한", "\u0301", "♥"]
    texts = ["".join(generator.choices(characters, k=8)) for _ in range(300)] + made_texts.nasty(100)
    texts = [text.lower() for text in texts]
    known = 0
    for text, expected in zip(texts, tokenizer.tokenize(texts).to_list()):
        if tokenizer.unknown_id not in expected:
            assert processor.encode(text) == expected[1:-1], repr(text)
            known += 1
    assert known > 5


@pytest.mark.parametrize(
    "options, received",
    [
        ({"normalization": ["nfkc", "lower_case"]}, "'nfkc'"),
        ({"normalization": ["nfd", "lower_case"]}, "'nfd'"),
        ({"pre_tokenizer": "words"}, "'words'"),
        ({"pre_tokenizer": "whitespace"}, "'whitespace'"),
    ],
)
def test_what_depends_on_neighbours_is_refused(options, received):
    with pytest.raises(ValueError, match=f"for this format. Received: .*{received}"):
        word_piece_model(WordPieceTokenizer(VOCABULARY, **options))
