"""What a sentence encoder learns from: rows of texts with an objective, in batches that a number decides."""

import dataclasses
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_transformer import arguments
from keras_transformer.training import fingerprints
from keras_transformer.training.batch_order import order_without_duplicates
from keras_transformer.training.task_kinds import TaskKinds
from keras_transformer.types import Config


@dataclasses.dataclass(frozen=True)
class SentenceBatch:
    """A batch of a task.

    Attributes:
        texts: (B, C) indices into the task's texts: C sentences in each row.
        targets: what the objective takes beside the C vectors.

    Example:
        >>> task = keras_transformer.training.SentenceTask(
        ...     "pairs", [("a", "b")], keras_transformer.training.SimilarityRegression(), targets=[0.5], batch_size=1
        ... )
        >>> task.batch(0, seed=0)
        SentenceBatch(texts=array([[0, 1]], dtype=int32), targets=array([0.5]))
    """

    texts: np.ndarray
    targets: np.ndarray


class SentenceTask(TaskKinds):
    """Rows of texts, and the objective that their vectors are trained for.

    Class methods read the kinds of data there are; files are tab-separated, plain or .gz, without a header.

    Args:
        name: of the task, in logs.
        rows: a sequence of tuples of `str`. For a `ResponseRanking`: input, response, hard negatives, as many in each
            row.
        objective: a layer of `keras_transformer.training.objectives`.
        targets: (number of rows, ...), what the objective takes beside the vectors; `ResponseRanking` makes its own.
        batch_size: rows that make a batch.
        weight: how often this task's batches come, relative to other tasks.
        any_two: the texts of a row say the same: each pass takes two of them at random. A row of one text is taken
            twice, and told apart from itself by dropout alone.
        no_duplicates: no text stands in two rows of a batch. A ranking loses no candidates then, which it would leave
            out; batches at the end of a pass may be smaller, and rows that fit into none wait for another pass.
        deletion: of each text of rows of one, a token is deleted with this probability, anew in each batch, before it
            is encoded, and the targets are the ids of the whole text: for the objective `DenoisingDecoder`.
        prompts: a text in front of each text of a row, one for each column or, of rows of more columns, the last one
            for the rest: "query: " and "passage: ", for example, of an embedder that is used with them.
        guide: a function from a list of texts to their vectors (N, W), the `embed` of another `TextEmbedder` for one,
            for the objective `GuidedRanking`: it is called once, and the targets are these vectors.

    Raises:
        ValueError: without rows, for rows and targets of unequal number, rows of unequal length, targets beside a
            guide, and a guide that does not give a vector of each text.

    References:
        Gao et al., 2021, "SimCSE" (a sentence with itself).

    Example:
        >>> rows = [("how old are you?", "ten"), ("what is it?", "a dog"), ("where is it?", "there")]
        >>> task = keras_transformer.training.SentenceTask(
        ...     "questions", rows, keras_transformer.training.ResponseRanking(), batch_size=2
        ... )
        >>> task.num_rows, task.num_batches, task.batch(0, seed=1).texts.shape
        (3, 1, (2, 2))
    """

    def __init__(
        self,
        name: str,
        rows: Sequence[Sequence[str]],
        objective: keras.layers.Layer,
        targets: Sequence | np.ndarray | None = None,
        batch_size: int = 128,
        weight: float = 1.0,
        any_two: bool = False,
        no_duplicates: bool = False,
        guide: Callable[[list[str]], np.ndarray] | None = None,
        prompts: Sequence[str] = (),
        deletion: float = 0.0,
    ):
        self.name = name
        self.objective = objective
        self.batch_size = arguments.positive_integer("batch_size", batch_size)
        self.weight = arguments.positive_number("weight", weight)
        self.any_two = any_two
        self.no_duplicates = no_duplicates
        self.deletion = arguments.rate("deletion", deletion)
        if guide is not None and targets is not None:
            raise ValueError("Expected no targets with a guide, whose vectors they are. Received: both")
        if not len(rows):
            raise ValueError(f"Expected rows for the task {name!r}. Received none")
        if targets is not None and len(targets) != len(rows):
            raise ValueError(f"Expected as many targets as rows, {len(rows)}. Received: {len(targets)}")
        if prompts:
            rows = [[prompts[min(i, len(prompts) - 1)] + text for i, text in enumerate(row)] for row in rows]
        lengths = np.asarray([len(row) for row in rows])
        if not any_two and (lengths != lengths[0]).any():
            raise ValueError(f"Expected rows of {lengths[0]} texts. Received: {sorted(set(lengths.tolist()))}")
        if deletion and (any_two or targets is not None or guide is not None or lengths[0] != 1):
            raise ValueError("Expected rows of one text, and nothing beside them, with deletion. Received: others")
        numbers = {}
        self._indices = np.asarray([numbers.setdefault(text, len(numbers)) for row in rows for text in row], "int32")
        self._starts, self._lengths = np.cumsum(lengths) - lengths, lengths
        self.texts = list(numbers)
        self._last_order = None, None
        self.targets = None if targets is None else np.asarray(targets)
        self._guide = None if guide is None else _vectors_of(guide, self.texts)

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(self._lengths)

    @property
    def num_vectors(self) -> int:
        """How many texts of a row the objective takes."""
        return 2 if self.any_two else int(self._lengths[0])

    @property
    def num_batches(self) -> int:
        """Batches of one pass over the rows; the incomplete last batch is dropped."""
        return max(1, self.num_rows // self.batch_size)

    def description(self) -> Config:
        """All that decides its batches and their loss, in what JSON can hold; the data as fingerprints."""
        arrays = [self._indices, self._lengths] + ([] if self.targets is None else [self.targets])
        options = {} if self._guide is None else {"guide": fingerprints.fingerprint(self._guide)}
        if self.no_duplicates:
            options["no_duplicates"] = True
        if self.deletion:
            options["deletion"] = self.deletion
        return {
            **options,
            "name": self.name,
            "rows": self.num_rows,
            "batch_size": self.batch_size,
            "weight": self.weight,
            "any_two": self.any_two,
            "objective": fingerprints.config_of(self.objective),
            "data": fingerprints.fingerprint(self.texts, *arrays),
        }

    def batch(self, number: int, seed: int) -> SentenceBatch:
        """The batch with this number, counted over all passes; nothing but the two numbers decides it.

        Returns:
            A `SentenceBatch`.
        """
        epoch, position = divmod(number, self.num_batches)
        rows = self._order(seed, epoch)[position]
        texts = (
            self._two_of(rows, np.random.default_rng([seed, epoch, position])) if self.any_two else self.texts_of(rows)
        )
        if self.targets is not None:
            return SentenceBatch(texts, self.targets[rows])
        if self._guide is not None:
            return SentenceBatch(texts, self._guide[texts])
        of_rows = rows if self.any_two else texts[:, 0]
        return SentenceBatch(texts, np.column_stack([of_rows, texts]).astype("int32"))

    def _order(self, seed, epoch):
        """The rows of each batch of a pass."""
        if self._last_order[0] != (seed, epoch):
            self._last_order = (seed, epoch), self._batches(np.random.default_rng([seed, epoch]))
        return self._last_order[1]

    def _batches(self, random):
        order = random.permutation(self.num_rows)
        if self.no_duplicates:
            texts = np.split(self._indices, self._starts[1:])
            return order_without_duplicates(order, texts, self.batch_size, self.num_batches)
        return [order[i * self.batch_size : (i + 1) * self.batch_size] for i in range(self.num_batches)]

    def texts_of(self, rows: np.ndarray) -> np.ndarray:
        """All texts of these rows, which are of one length: indices into `texts`, (len(rows), C)."""
        return self._indices[self._starts[rows][:, None] + np.arange(self.num_vectors)]

    def _two_of(self, rows, random):
        lengths = self._lengths[rows]
        first = random.integers(0, lengths)
        second = (first + random.integers(1, np.maximum(lengths, 2))) % lengths
        return self._indices[self._starts[rows][:, None] + np.column_stack([first, second])]


def _vectors_of(guide, texts):
    vectors = np.asarray(guide(texts), "float32")
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise ValueError(f"Expected a guide's vector of each of {len(texts)} texts. Received: shape {vectors.shape}")
    return vectors
