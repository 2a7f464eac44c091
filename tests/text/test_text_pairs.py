import pytest

from keras_transformer.text import ByteTokenizer
from keras_transformer.text.text_pairs import tokenize_pairs

BEGIN, END = ByteTokenizer.begin_id, ByteTokenizer.end_id
# {max_length: [((ids of first, of second), what Hugging Face's tokenizers 0.22 leave of them)]}
LONGEST_FIRST = {
    4: [((0, 3), (0, 1)), ((2, 1), (1, 0)), ((2, 2), (0, 1)), ((1, 0), (1, 0))],
    8: [((8, 8), (2, 3)), ((8, 7), (3, 2)), ((7, 8), (2, 3)), ((1, 8), (1, 4)), ((8, 2), (3, 2)), ((3, 2), (3, 2))],
    9: [((8, 8), (3, 3)), ((8, 4), (3, 3)), ((2, 8), (2, 4)), ((8, 0), (6, 0)), ((4, 4), (3, 3)), ((0, 0), (0, 0))],
}


@pytest.mark.parametrize("max_length", LONGEST_FIRST)
def test_pairs_are_truncated_longest_first(max_length):
    tokenizer = ByteTokenizer()
    counts, kept = zip(*LONGEST_FIRST[max_length])
    first, second = zip(*(("a" * m, "b" * n) for m, n in counts))
    pairs = tokenize_pairs(tokenizer, first, second, max_length)
    ((a, b),) = tokenizer.tokenize(["ab"]).to_list()
    assert pairs.ids.to_list() == [[BEGIN, *[a] * m, END, *[b] * n, END] for m, n in kept]
    assert pairs.segment_ids.to_list() == [[0] * (m + 2) + [1] * (n + 1) for m, n in kept]
    assert pairs.lengths.numpy().tolist() == [m + n + 3 for m, n in counts]


def test_short_pairs_stay_as_they_are():
    tokenizer = ByteTokenizer()
    pairs = tokenize_pairs(tokenizer, ["red dog", "", "?"], ["", "", "a longer text"], max_length=40)
    texts = tokenizer.detokenize(pairs.ids[:, 1:]).numpy().tolist()
    assert texts == [b"red dog", b"", b"?"]
    assert [row.count(END) for row in pairs.ids.to_list()] == [2, 2, 2]
    assert tokenize_pairs(tokenizer, [], [], 9).ids.to_list() == []
