"""Embeds a stream of lines in several processes of this machine."""

import collections
import contextlib
import functools
import itertools
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any

from keras_transformer import quiet
from keras_transformer.cli.progress import Progress

if TYPE_CHECKING:  # the command line imports NumPy when there is something to compute
    import numpy as np

_BATCHES = 32  # of a piece of work: its texts are sorted by length together
_AHEAD = 2  # pieces of work that wait for each process


class EmbeddingWorkers:
    """Processes that each hold an embedder, opened once.

    A context manager: at its end, after an error too, the processes end.

    Args:
        num_processes: how many. They share the processor's cores evenly.
        open_embedder: from `path` to an embedder: a function that processes find by its module and name.
        path: of the model.

    Attributes:
        output_dim: the width of the vectors.
        max_length: of the embedder, `None` if it does not tell.

    Raises:
        OSError: if a process ends by itself, killed for example.
        Exception: what `open_embedder` raises.
    """

    def __init__(self, num_processes: int, open_embedder: Callable[[str], Any], path: str):
        self._num_processes = num_processes
        threads = max(1, len(os.sched_getaffinity(0)) // num_processes) if hasattr(os, "sched_getaffinity") else 0
        # Spawned, since TensorFlow's threads do not survive a fork.
        self._pool = ProcessPoolExecutor(
            num_processes, multiprocessing.get_context("spawn"), _prepare, (open_embedder, path, threads)
        )

    def __enter__(self) -> "EmbeddingWorkers":
        try:
            with _telling_lost_workers():
                self.output_dim, self.max_length = self._pool.submit(_describe).result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def embed(
        self, lines: Iterable[tuple[str, str]], batch_size: int, progress: Progress
    ) -> Iterator[tuple[str, "np.ndarray"]]:
        """Embeds a stream of lines, in constant memory, and says which ones are truncated.

        Args:
            lines: an iterable of (place, text).
            batch_size: texts that a process embeds at once.
            progress: a `Progress`.

        Yields:
            (text, vector) for each line, in order.

        Raises:
            OSError: if a process ends by itself.
            Exception: what embedding raises.
        """
        lines = iter(lines)
        pieces = iter(lambda: list(itertools.islice(lines, batch_size * _BATCHES)), [])
        waiting = collections.deque()
        with _telling_lost_workers():
            for piece in itertools.chain(pieces, itertools.repeat(None)):
                if piece is not None:
                    texts = [text for _, text in piece]
                    waiting.append((piece, self._pool.submit(_embed, texts, batch_size)))
                    if len(waiting) < self._num_processes * _AHEAD:
                        continue
                if not waiting:
                    return
                piece, future = waiting.popleft()
                yield from self._told(piece, *future.result(), progress)

    def _told(self, piece, vectors, lengths, progress):
        """The (text, vector) of a piece of work."""
        if lengths is not None:
            for (place, _), length in zip(piece, lengths):
                if length > self.max_length:
                    progress.say(
                        f"{place}: {length} tokens, the model takes {self.max_length}; the end is not embedded"
                    )
        progress.advance(len(piece))
        return [(text, vector) for (_, text), vector in zip(piece, vectors)]


@contextlib.contextmanager
def _telling_lost_workers():
    try:
        yield
    except BrokenProcessPool as error:
        raise OSError("Expected all processes to embed their lines. Received: one that ended, or was killed") from error


_open = None  # of a worker: opens its embedder, once


def _prepare(open_embedder, path, num_threads):
    """Makes this process a worker."""
    global _open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with quiet.without_banner():
        import tensorflow as tf

    if num_threads:
        tf.config.threading.set_intra_op_parallelism_threads(num_threads)
        tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    # Not here: the pool would not tell its errors.
    _open = functools.cache(lambda: open_embedder(path))


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _describe():
    return _open().output_dim, _open().max_length


def _embed(texts, batch_size):
    """The vectors (N, D) of texts, and the number of tokens of each where there is a limit."""
    embedder = _open()
    lengths = None
    if embedder.max_length is not None:
        batches = [texts[start : start + batch_size] for start in range(0, len(texts), batch_size)]
        lengths = [int(length) for batch in batches for length in embedder.num_tokens(batch)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* max_length=")  # the first process says the same, with the places
        return embedder.embed(texts, batch_size), lengths
