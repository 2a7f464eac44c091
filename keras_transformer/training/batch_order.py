"""In which batch of a pass each row stands."""

from collections.abc import Sequence

import numpy as np


def order_without_duplicates(
    order: np.ndarray, texts: Sequence[np.ndarray], batch_size: int, num_batches: int
) -> list[np.ndarray]:
    """Batches in which no text occurs in two rows; within a row it may.

    Each row, in order, goes into the first batch that has room, and that is behind all batches which have one of its
    texts. Known as NoDuplicatesBatchSampler in sentence-transformers.

    Args:
        order: integer (N,), the rows.
        texts: integers of each row, its texts.
        batch_size: the most rows that a batch has.
        num_batches: how many there are, at most N / `batch_size`. Rows that fit into none are left out.

    Returns:
        A list of `num_batches` integer arrays, none of them empty.

    Example:
        >>> from keras_transformer.training.batch_order import order_without_duplicates
        >>> order_without_duplicates(np.arange(4), [[0, 1], [0, 2], [3, 4], [5, 6]], batch_size=2, num_batches=2)
        [array([0, 2]), array([1, 3])]
    """
    batches = [[] for _ in range(num_batches)]
    after = {}  # of a text: behind the last batch that has it
    first_open = list(range(num_batches + 1))  # of each batch: the next one with room, as in a union-find

    def with_room(batch):
        path = []
        while first_open[batch] != batch:
            path.append(batch)
            batch = first_open[batch]
        for passed in path:
            first_open[passed] = batch
        return batch

    for row in np.asarray(order).tolist():
        of_row = np.asarray(texts[row]).tolist()
        batch = with_room(max(after.get(text, 0) for text in of_row))
        if batch == num_batches:
            continue
        batches[batch].append(row)
        if len(batches[batch]) == batch_size:
            first_open[batch] = batch + 1
        for text in of_row:
            after[text] = batch + 1
    return [np.asarray(batch) for batch in batches]
