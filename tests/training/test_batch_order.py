import numpy as np

from keras_transformer.training.batch_order import order_without_duplicates


def check(texts, batches, batch_size):
    rows = np.concatenate(batches)
    assert len(set(rows.tolist())) == len(rows)
    for batch in batches:
        assert 1 <= len(batch) <= batch_size
        of_batch = [set(texts[row]) for row in batch]
        assert sum(map(len, of_batch)) == len(set().union(*of_batch))


def test_random_rows():
    random = np.random.RandomState(0)
    for _ in range(50):
        texts = random.randint(0, random.randint(2, 60), size=(random.randint(8, 50), 2)).tolist()
        size = random.randint(1, 6)
        batches = order_without_duplicates(random.permutation(len(texts)), texts, size, len(texts) // size)
        assert len(batches) == len(texts) // size
        check(texts, batches, size)


def test_rows_of_one_text_go_one_to_a_batch():
    batches = order_without_duplicates(np.arange(6), [[0, 1]] * 6, 2, 3)
    assert [batch.tolist() for batch in batches] == [[0], [1], [2]]


def test_without_duplicates_the_order_is_kept():
    batches = order_without_duplicates(np.array([3, 1, 2, 0]), [[0, 1], [2, 3], [4, 4], [6, 7]], 2, 2)
    assert [batch.tolist() for batch in batches] == [[3, 1], [2, 0]]
