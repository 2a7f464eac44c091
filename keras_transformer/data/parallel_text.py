import itertools

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.data.lines import as_paths, has_plain_lines, read_lines
from keras_transformer.data.tab_separated import read_rows

# Lines that are tokenized at once, by so many threads; batches made ahead; batches shuffled among each other.
_LINES_AT_ONCE = 512
_PARALLEL_CALLS = 4
_PREFETCHED_BATCHES = 8
_SHUFFLED_BATCHES = 64
# More lines than these are shuffled within a window of so many.
_SHUFFLED_LINES = 1_000_000
_COLUMNS = ("source", "target")


class ParallelText:
    """Aligned text files as batches for `Transformer`: line n of the target translates line n of the source.

    Or tab-separated files, each line of which is a pair: source, tab, target.

    The files are checked once, whole, when the object is made; after that they are streamed by `tf.data`.

    Args:
        source: path of a UTF-8 text file, plain or `.gz`, or several of them.
        target: the same for the other language; `None` if `source` are tab-separated files with both.
        tokenizer: of the source, and of the target unless `target_tokenizer` is given.
        target_tokenizer: of the target.
        max_length: pairs with more tokens on a side, begin or end id included, are left out, as are pairs with an
            empty side; `num_left_out` counts them.

    Attributes:
        num_pairs: number of lines.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, for files of unequal numbers of lines, for lines that are not UTF-8, and
            for lines of tab-separated files that have not two columns; for files without a line.
    """

    def __init__(self, source, target, tokenizer, target_tokenizer=None, max_length=256):
        self.source = as_paths(source)
        self.target = None if target is None else as_paths(target)
        self.source_tokenizer = tokenizer
        self.target_tokenizer = target_tokenizer or tokenizer
        self.max_length = arguments.positive_integer("max_length", max_length)
        self.num_pairs = count_pairs(self.source, self.target)

    def source_lines(self):
        """Yields the sources, as `str`."""
        return read_lines(self.source) if self.target else _column(self.source, 0)

    def target_lines(self):
        """Yields the targets, as `str`."""
        return read_lines(self.target) if self.target else _column(self.source, 1)

    def num_left_out(self):
        """How many pairs are too long or have an empty side. Tokenizes the corpus once."""
        kept = self._pairs(self._lines(both_directions=False)).reduce(0, lambda count, *_: count + 1)
        return self.num_pairs - int(kept)

    def batches(
        self,
        tokens_per_batch=4096,
        shuffle=True,
        seed=None,
        epoch=None,
        fixed_shapes=False,
        bpe_dropout=0.0,
        both_directions=False,
    ):
        """One epoch of padded batches of pairs of about equal length.

        Args:
            tokens_per_batch: upper bound of batch size x longest sequence, padding included, on each side.
            shuffle: whether lines, and then batches, come in another order each epoch.
            seed: of the order and of BPE-dropout, an integer, or `None` for one that differs from run to run.
            epoch: the number of the epoch, an integer, makes the batches depend on nothing but it and `seed`, which
                must then be given (and TensorFlow's global seed, if one is set): `batches(..., epoch=3).skip(100)`
                goes on where a run was cut off. By default every pass over the dataset is another epoch.
            fixed_shapes: pad to the length of the bucket and drop batches that do not fill up, so that there are
                no more shapes than buckets, as XLA wants.
            bpe_dropout: the dropout of `SubwordTokenizer.sample`, for both sides; 0 for the one segmentation.
            both_directions: each pair comes twice, the second time with source and target exchanged. The sides must
                share a tokenizer.

        Returns:
            A `tf.data.Dataset` of ({"source_ids": (B, S), "target_ids": (B, T)}, labels (B, T)), int32. Sources
            end with the end id, target ids start with the begin id, labels end with the end id.

        Raises:
            ValueError: if `tokens_per_batch` is below `max_length`; for an epoch without a seed; for BPE-dropout
                with a tokenizer that has none, and both directions with two tokenizers.

        References:
            Ding et al., 2021, "Improving Neural Machine Translation by Bidirectional Training" (both directions).
        """
        arguments.positive_integer("tokens_per_batch", tokens_per_batch)
        if tokens_per_batch < self.max_length:
            raise ValueError(
                f"Expected tokens_per_batch to hold a sequence of max_length={self.max_length}. "
                f"Received: tokens_per_batch={tokens_per_batch}"
            )
        self._check_options(seed, epoch, bpe_dropout, both_directions)
        order = {"seed": seed}
        if epoch is not None:
            order = {"seed": _epoch_seed(seed, epoch), "reshuffle_each_iteration": False}
        lines = self._lines(both_directions)
        if shuffle:
            lines = lines.shuffle(min(self.num_pairs * (1 + both_directions), _SHUFFLED_LINES), **order)
        if bpe_dropout:
            # A seed for each batch of lines; other ones in each pass, unless the epoch is fixed.
            seeds = tf.data.Dataset.random(order["seed"], rerandomize_each_iteration=epoch is None)
            pairs = self._sampled_pairs(lines, bpe_dropout, seeds)
        else:
            pairs = self._pairs(lines)
        batches = self._bucketed(pairs, tokens_per_batch, fixed_shapes)
        if shuffle:
            batches = batches.shuffle(_SHUFFLED_BATCHES, **order)
        return batches.map(self._teacher_forcing).prefetch(_PREFETCHED_BATCHES).with_options(_options())

    def _lines(self, both_directions):
        """A dataset of (source line, target line), each followed by its reverse with `both_directions`."""
        if self.target:
            lines = tf.data.Dataset.zip(_text_lines(self.source), _text_lines(self.target))
        else:
            lines = _text_lines(self.source).map(_two_columns)
        if not both_directions:
            return lines
        return lines.flat_map(
            lambda source, target: tf.data.Dataset.from_tensor_slices(([source, target], [target, source]))
        )

    def _check_options(self, seed, epoch, bpe_dropout, both_directions):
        arguments.rate("bpe_dropout", bpe_dropout)
        if epoch is not None and seed is None:
            raise ValueError(f"Expected a seed for a certain epoch. Received: epoch={epoch}, seed=None")
        tokenizers = self.source_tokenizer, self.target_tokenizer
        if bpe_dropout and not all(hasattr(tokenizer, "sample") for tokenizer in tokenizers):
            names = [type(tokenizer).__name__ for tokenizer in tokenizers]
            raise ValueError(f"Expected tokenizers with a method `sample`. Received: {names}")
        if both_directions and self.source_tokenizer is not self.target_tokenizer:
            raise ValueError("Expected one tokenizer for both directions. Received two")

    def _pairs(self, lines):
        """A dataset of (source ids + end, begin + target ids + end), without those left out."""

        def tokenize(source, target):
            return (
                self.source_tokenizer.tokenize(source, add_end=True),
                self.target_tokenizer.tokenize(target, add_begin=True, add_end=True),
            )

        return self._kept(lines.batch(_LINES_AT_ONCE).map(tokenize, num_parallel_calls=_PARALLEL_CALLS))

    def _sampled_pairs(self, lines, bpe_dropout, seeds):
        """As `_pairs`, with segmentations drawn at random, by the next of `seeds` for each batch of lines."""

        def sample(lines, seed):
            source, target = lines
            begin = [self.target_tokenizer.begin_id]
            return (
                _sampled(self.source_tokenizer, source, bpe_dropout, seed, begin=[]),
                _sampled(self.target_tokenizer, target, bpe_dropout, seed + 1, begin=begin),
            )

        return self._kept(tf.data.Dataset.zip(lines.batch(_LINES_AT_ONCE), seeds).map(sample))

    def _kept(self, tokenized):
        """Batches of ragged pairs as single pairs, without those left out."""

        def is_kept(source, target):
            # One token is the end id alone; the target has the begin id too.
            num_source, num_target = tf.size(source), tf.size(target) - 1
            longest = tf.maximum(num_source, num_target)
            return (tf.minimum(num_source, num_target) > 1) & (longest <= self.max_length)

        # The rows of a ragged tensor are dense, but tf.data says so only after a map.
        pairs = tokenized.unbatch().map(lambda *pair: tuple(tf.identity(ids) for ids in pair))
        return pairs.filter(is_kept)

    def _bucketed(self, pairs, tokens_per_batch, fixed_shapes):
        """Batches of pairs of about one length, padded."""
        lengths = bucket_lengths(self.max_length)
        padding = self.source_tokenizer.padding_id, self.target_tokenizer.padding_id
        batches = pairs.bucket_by_sequence_length(
            lambda source, target: tf.maximum(tf.size(source), tf.size(target) - 1),
            # A bucket ends before its boundary.
            [length + 1 for length in lengths],
            [tokens_per_batch // length for length in lengths] + [1],
            padded_shapes=([None], [None]),
            padding_values=padding,
            drop_remainder=fixed_shapes,
        )
        return batches.map(lambda *pair: _pad_to_bucket(pair, lengths, padding)) if fixed_shapes else batches

    def _teacher_forcing(self, source, target):
        labels = target[:, 1:]
        # Where nothing is wanted any more, the end id of a shorter sentence would be left over.
        padding_id = self.target_tokenizer.padding_id
        is_token = tf.cumsum(tf.cast(labels != padding_id, tf.int32), axis=1, reverse=True) > 0
        target = tf.where(is_token, target[:, :-1], padding_id)
        return {"source_ids": source, "target_ids": target}, labels


def count_pairs(source, target=None):
    """The number of lines of two aligned texts, each one path or several, or of tab-separated ones (`target=None`).

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: with file and line number, if one text ends before the other, a line is not UTF-8 or, of a
            tab-separated file, has not two columns; if there is no line at all.
    """
    if target is None:
        return sum(1 for _ in _column(as_paths(source), 0))
    source, target = as_paths(source), as_paths(target)
    count = 0
    missing = object()
    for lines in itertools.zip_longest(read_lines(source), read_lines(target), fillvalue=missing):
        if missing in lines:
            ended, other = (source, target) if lines[0] is missing else (target, source)
            raise ValueError(
                f"Expected as many lines in {', '.join(source)} as in {', '.join(target)}. "
                f"Received: {', '.join(ended)} ends after line {count}, "
                f"{', '.join(other)} has a line {count + 1}"
            )
        count += 1
    if not count:
        raise ValueError(f"Expected lines of text. Received empty files: {source}, {target}")
    return count


def _column(paths, number):
    for path in paths:
        for row in read_rows(path, _COLUMNS):
            yield row[number]


def _two_columns(line):
    cells = tf.strings.split(line, "\t")
    return cells[0], cells[1]


def bucket_lengths(max_length):
    """The longest sequence of each bucket: multiples of 4 that grow by about a sixth, up to `max_length`."""
    lengths = [8]
    while lengths[-1] < max_length:
        lengths.append(max(lengths[-1] + 4, lengths[-1] * 7 // 6 // 4 * 4))
    return [length for length in lengths if length < max_length] + [max_length]


def _epoch_seed(seed, epoch):
    """A seed of its own for each pair of numbers, below 2^31."""
    return int(np.random.SeedSequence([int(seed) % 2**32, int(epoch)]).generate_state(1)[0] >> 1)


def _sampled(tokenizer, texts, dropout, seed, begin):
    """Strings (N,) to ragged ids (N, number of tokens) with the end id, segmented at random."""

    def sample(texts, seed):
        rows = tokenizer.sample([text.decode("utf-8", "replace") for text in texts], dropout, seed)
        rows = [begin + row + [tokenizer.end_id] for row in rows]
        return np.array(list(itertools.chain.from_iterable(rows)), "int32"), np.array([*map(len, rows)], "int64")

    ids, lengths = tf.numpy_function(sample, [texts, seed], [tf.int32, tf.int64], stateful=False)
    ids.set_shape([None])
    lengths.set_shape([None])
    return tf.RaggedTensor.from_row_lengths(ids, lengths, validate=False)


def _options():
    """Without autotuning: in TensorFlow 2.21 the end of an epoch waits up to 20 s for its thread to wake up."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _text_lines(paths):
    lines, *others = map(_lines_of_file, paths)
    for other in others:
        lines = lines.concatenate(other)
    return lines


def _lines_of_file(path):
    if has_plain_lines(path):
        return tf.data.TextLineDataset(path, compression_type="GZIP" if path.endswith(".gz") else None)
    # With a byte order mark, or with "\r" as the end of lines: TensorFlow would keep the one and drop the other.
    return tf.data.Dataset.from_generator(lambda: read_lines(path), output_signature=tf.TensorSpec([], tf.string))


def _pad_to_bucket(pair, lengths, padding):
    """Pads both sides to the length of the bucket that they came from."""
    source, target = pair
    longest = tf.maximum(tf.shape(source)[1], tf.shape(target)[1] - 1)
    width = tf.gather(lengths, tf.searchsorted(lengths, [longest])[0])
    return tuple(
        tf.pad(ids, [[0, 0], [0, to - tf.shape(ids)[1]]], constant_values=padding_id)
        for ids, to, padding_id in ((source, width, padding[0]), (target, width + 1, padding[1]))
    )
