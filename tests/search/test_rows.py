import numpy as np

from keras_transformer.search.rows import Rows, TextBlock

TEXTS = ["a dog", "", "漢字", "\udc00".encode("utf-8", "replace").decode(), "\n\t"]


def test_texts_of_a_block():
    block = TextBlock.of(TEXTS)
    assert list(block) == TEXTS and len(block) == 5
    for rows in ([], [0], [1, 2, 3], [0, 2, 4], range(5)):
        part = block.part(np.array(rows, "int64"))
        assert list(part) == [TEXTS[row] for row in rows]
        assert part.data.tobytes().decode() == "".join(part)
    assert list(TextBlock.of([])) == []
    assert list(TextBlock.joined([block, TextBlock.of([]), TextBlock.of(["a"]), block])) == [*TEXTS, "a", *TEXTS]


def made(sizes):
    rows = Rows()
    texts = [f"text {number}" for number in range(sum(sizes))]
    for start, size in zip(np.cumsum([0, *sizes]), sizes):
        numbers = np.arange(start, start + size)
        rows.append({"x": numbers * 3, "y": np.stack([numbers, -numbers], 1)}, TextBlock.of(texts[start:][:size]))
    return rows, texts


def test_rows_are_numbered_through_all_blocks():
    rows, texts = made([4, 0, 1, 7])
    assert len(rows) == 12 and [rows.text(row) for row in range(12)] == texts
    some = np.array([11, 0, 4, 3, 4, 9])
    taken = rows.take(some, ["y", "x"])
    np.testing.assert_array_equal(taken["x"], some * 3)
    np.testing.assert_array_equal(taken["y"], np.stack([some, -some], 1))
    assert rows.take(np.zeros(0, "int64"), ["y"])["y"].shape == (0, 2)


def test_slices():
    rows, texts = made([4, 0, 1, 7])
    slices = list(rows.slices(3))
    assert [len(numbers) for numbers, *_ in slices] == [3, 1, 1, 3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([numbers for numbers, *_ in slices]), np.arange(12))
    for numbers, columns, block, first in slices:
        np.testing.assert_array_equal(columns["x"], numbers * 3)
        assert [block[number - first] for number in numbers] == [texts[number] for number in numbers]


def test_no_rows():
    assert len(Rows()) == 0 and list(Rows().slices(3)) == []
