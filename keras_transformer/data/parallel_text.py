from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.batching import batch_by_length, filter_by_length, teacher_forcing
from keras_transformer.data.lines import as_paths, read_lines
from keras_transformer.data.pair_dataset import PairTokenizer, line_pairs, sampled_pairs, tokenized_pairs
from keras_transformer.data.pairs import count_pairs, read_column
from keras_transformer.types import PathLike

# Sizes of the shuffle buffers: a corpus of more lines is shuffled within a window.
_SHUFFLED_LINES = 1_000_000
_SHUFFLED_BATCHES = 64
_PREFETCHED_BATCHES = 8


class ParallelText:
    """Aligned text files as batches for `Transformer`: line n of the target translates line n of the source.

    Or tab-separated files, each line of which is a pair: source, tab, target.

    The files are checked as a whole when the object is made; after that `tf.data` streams them.

    Args:
        source: path of a UTF-8 text file, plain or `.gz`, or several of them.
        target: the same for the other language; `None` if the files of `source` are tab-separated, with both.
        tokenizer: of the source, and of the target unless `target_tokenizer` is given.
        target_tokenizer: of the target.
        max_length: pairs with more tokens on a side, begin or end id included, are skipped, as are pairs with an empty
            side; `count_skipped` counts them.

    Attributes:
        num_pairs: number of lines.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if one text is shorter than the other, a line is not UTF-8, or a line of
            a tab-separated file does not have two columns; if there are no lines.

    Example:
        >>> from keras_transformer.data import ParallelText
        >>> from keras_transformer.text import ByteTokenizer
        >>> _ = (tmp_path / "en").write_text("ab\\nc\\n"), (tmp_path / "de").write_text("d\\nef\\n")
        >>> pairs = ParallelText(tmp_path / "en", tmp_path / "de", ByteTokenizer(), max_length=8)
        >>> inputs, labels = next(iter(pairs.batches(tokens_per_batch=64, shuffle=False)))
        >>> inputs["source_ids"].numpy().tolist()
        [[101, 102, 3], [103, 3, 0]]
        >>> inputs["target_ids"].numpy().tolist()
        [[2, 104, 0], [2, 105, 106]]
        >>> labels.numpy().tolist()
        [[104, 3, 0], [105, 106, 3]]
    """

    def __init__(
        self,
        source: PathLike | Iterable[PathLike],
        target: PathLike | Iterable[PathLike] | None,
        tokenizer: PairTokenizer,
        target_tokenizer: PairTokenizer | None = None,
        max_length: int = 256,
    ) -> None:
        self.source = as_paths(source)
        self.target = None if target is None else as_paths(target)
        self.source_tokenizer = tokenizer
        self.target_tokenizer = target_tokenizer or tokenizer
        self.max_length = arguments.positive_integer("max_length", max_length)
        self.num_pairs = count_pairs(self.source, self.target)

    def source_lines(self) -> Iterator[str]:
        """Yields the sources."""
        return read_lines(self.source) if self.target else read_column(self.source, 0)

    def target_lines(self) -> Iterator[str]:
        """Yields the targets."""
        return read_lines(self.target) if self.target else read_column(self.source, 1)

    def count_skipped(self) -> int:
        """Counts the pairs that are too long or have an empty side. Tokenizes the whole corpus."""
        pairs = tokenized_pairs(line_pairs(self.source, self.target), self.source_tokenizer, self.target_tokenizer)
        kept = filter_by_length(pairs, self.max_length).reduce(0, lambda count, *_: count + 1)
        return self.num_pairs - int(kept)

    def batches(
        self,
        tokens_per_batch: int = 4096,
        shuffle: bool = True,
        seed: int | None = None,
        epoch: int | None = None,
        fixed_shapes: bool = False,
        bpe_dropout: float = 0.0,
        both_directions: bool = False,
    ) -> tf.data.Dataset:
        """One epoch of padded batches of pairs of similar length.

        Args:
            tokens_per_batch: upper bound of batch size x longest sequence, padding included, on each side.
            shuffle: whether to shuffle lines, and then batches, anew each epoch.
            seed: an integer, of the order and of BPE-dropout; `None` for another one in each run.
            epoch: an integer. The batches then depend only on it and on `seed`, which must be given (and on
                TensorFlow's global seed, if set): `batches(..., epoch=3).skip(100)` resumes an interrupted run. By
                default every pass over the dataset is another epoch.
            fixed_shapes: whether to pad to the length of the bucket and drop incomplete batches, so that there is one
                shape for each bucket, as XLA needs.
            bpe_dropout: the probability of skipping a merge (`SubwordTokenizer.sample`), for both sides; 0 for the
                usual segmentation.
            both_directions: whether each pair comes twice, the second time with source and target exchanged. Both
                sides must share a tokenizer.

        Returns:
            A `tf.data.Dataset` of ({"source_ids": (B, S), "target_ids": (B, T)}, labels (B, T)), int32. Sources
            end with the end id, target ids begin with the begin id, labels end with the end id.

        Raises:
            ValueError: if `tokens_per_batch` is below `max_length`, an epoch is given without a seed, a tokenizer does
                not support BPE-dropout, or the sides do not share a tokenizer for both directions.

        References:
            Ding et al., 2021, "Improving Neural Machine Translation by Bidirectional Training" (both directions).
        """
        self._check_options(tokens_per_batch, seed, epoch, bpe_dropout, both_directions)
        order = {"seed": seed}
        if epoch is not None:
            order = {"seed": _epoch_seed(seed, epoch), "reshuffle_each_iteration": False}
        lines = line_pairs(self.source, self.target, both_directions)
        if shuffle:
            lines = lines.shuffle(min(self.num_pairs * (1 + both_directions), _SHUFFLED_LINES), **order)
        tokenizers = self.source_tokenizer, self.target_tokenizer
        if bpe_dropout:
            # One seed for each call of `sample`; others in each pass, unless the epoch is given.
            seeds = tf.data.Dataset.random(order["seed"], rerandomize_each_iteration=epoch is None)
            pairs = sampled_pairs(lines, *tokenizers, bpe_dropout, seeds)
        else:
            pairs = tokenized_pairs(lines, *tokenizers)
        padding_ids = tuple(tokenizer.padding_id for tokenizer in tokenizers)
        pairs = filter_by_length(pairs, self.max_length)
        batches = batch_by_length(pairs, tokens_per_batch, self.max_length, padding_ids, fixed_shapes)
        if shuffle:
            batches = batches.shuffle(_SHUFFLED_BATCHES, **order)
        batches = batches.map(lambda source, target: teacher_forcing(source, target, padding_ids[1]))
        options = tf.data.Options()
        # In TensorFlow 2.21 the end of an epoch waits up to 20 s for the thread of autotuning to wake up.
        options.autotune.enabled = False
        return batches.prefetch(_PREFETCHED_BATCHES).with_options(options)

    def _check_options(self, tokens_per_batch, seed, epoch, bpe_dropout, both_directions):
        arguments.positive_integer("tokens_per_batch", tokens_per_batch)
        if tokens_per_batch < self.max_length:
            raise ValueError(
                f"Expected tokens_per_batch to hold a sequence of max_length={self.max_length}. "
                f"Received: tokens_per_batch={tokens_per_batch}"
            )
        arguments.rate("bpe_dropout", bpe_dropout)
        if epoch is not None and seed is None:
            raise ValueError(f"Expected a seed with an epoch. Received: epoch={epoch}, seed=None")
        tokenizers = self.source_tokenizer, self.target_tokenizer
        if bpe_dropout and not all(hasattr(tokenizer, "sample") for tokenizer in tokenizers):
            names = [type(tokenizer).__name__ for tokenizer in tokenizers]
            raise ValueError(f"Expected tokenizers with a method `sample`. Received: {names}")
        if both_directions and self.source_tokenizer is not self.target_tokenizer:
            raise ValueError("Expected one tokenizer for both directions. Received two")


def _epoch_seed(seed, epoch):
    """A different seed for each pair of numbers, below 2^31."""
    return int(np.random.SeedSequence([int(seed) % 2**32, int(epoch)]).generate_state(1)[0] >> 1)
