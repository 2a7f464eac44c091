import os
import pathlib
import signal
import time

import numpy as np
import pytest

from keras_transformer.cli.embedding_workers import EmbeddingWorkers
from keras_transformer.cli.progress import Progress

LINES = [(f"line {number}", "x" * (number % 7)) for number in range(1, 301)]


class Lengths:
    """An embedder whose vectors are the lengths of the texts and the number of its process."""

    output_dim, max_length = 2, 5

    def __init__(self, journal):
        self._journal = pathlib.Path(journal)

    def num_tokens(self, texts):
        return np.array([len(text) for text in texts])

    def embed(self, texts, batch_size):
        if "die" in texts:
            os.kill(os.getpid(), signal.SIGKILL)
        if "fail" in texts:
            raise ValueError("Expected another text. Received: fail")
        while len(self._journal.read_text().splitlines()) < 2:  # until the other process is there too
            time.sleep(0.05)
        time.sleep(0.05)  # so that it takes the next ones
        return np.array([[len(text), os.getpid()] for text in texts])


def opened(journal):
    """An embedder; writes down that it was opened."""
    with open(journal, "a") as file:
        file.write("opened\n")
    return Lengths(journal)


def test_lines_in_order_and_what_happens_to_a_process(tmp_path, capsys):
    """All with the same two processes: each takes seconds to start."""
    journal = tmp_path / "journal"
    with EmbeddingWorkers(2, opened, str(journal)) as workers, Progress(False) as progress:
        assert (workers.output_dim, workers.max_length) == (2, 5)
        texts, vectors = zip(*workers.embed(iter(LINES), 1, progress))
        assert list(texts) == [text for _, text in LINES]
        lengths, processes = np.array(vectors).T
        np.testing.assert_array_equal(lengths, [len(text) for text in texts])
        assert len(set(processes)) == 2 and os.getpid() not in processes
        assert capsys.readouterr().err.splitlines() == [
            f"keras-transformer: {place}: 6 tokens, the model takes 5; the end is not embedded"
            for place, text in LINES
            if len(text) == 6
        ]

        for text, error, message in [
            ("fail", ValueError, "Received: fail"),
            ("die", OSError, "Received: one that ended, or was killed"),
        ]:
            found = []
            with pytest.raises(error, match=message):
                found.extend(workers.embed([*LINES[:200], ("line 201", text), *LINES], 1, progress))
            assert [text for text, _ in found] == [text for _, text in LINES[: len(found)]] and len(found) <= 200
    assert journal.read_text() == "opened\n" * 2  # once each
