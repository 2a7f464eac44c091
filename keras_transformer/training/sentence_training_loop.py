from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.layers.composite import sublayers
from keras_transformer.training.gradient_step import summed_by_variable
from keras_transformer.training.sentence_tasks import SentenceBatch, SentenceTask
from keras_transformer.training.tokenized_texts import TokenizedTexts
from keras_transformer.training.trainer import Trainer

if TYPE_CHECKING:
    from keras_transformer.text import Tokenizer

_IDS, _PLACES = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
_GROUPS = 4  # of about equal length, each padded for itself


class SentenceTrainingLoop(Trainer):
    """The steps of training a sentence encoder on several tasks, one batch of one task a step.

    What a `TrainingRun` drives. The loss is that of the whole batch, whatever the number of devices: each encodes its
    share of the texts, all exchange their vectors, and each takes the gradients of its own texts.

    A batch is encoded in groups of sentences of about equal length. Where it is too large for that it is split into
    micro-batches, which are encoded twice: first for the vectors, from which the loss and its gradient come, then for
    the gradient of the weights, with the same dropout as before (gradient caching). So the memory is that of a
    micro-batch, and of the vectors and scores of all.

    Args:
        encoder: a `keras.Model` from ids (N, T) to vectors (N, D), made within the scope of the strategy.
        tokenizer: of the texts.
        tasks: a list of `SentenceTask`.
        optimizer: a Keras optimizer, not yet built, made within the scope of the strategy. An encoder, or a layer
            of an objective, in mixed_float16 gets it within a `keras.optimizers.LossScaleOptimizer`.
        max_length: longer texts are truncated to so many tokens.
        micro_batch_tokens: the largest micro-batch of a device, N x T, padding included.
        clip_norm: scales gradients with a larger global norm down to it.
        seed: of the choice of tasks and of the order of their rows.
        strategy: a `tf.distribute.Strategy`; by default the current one.

    Attributes:
        num_texts: how many texts the tasks have.
        num_truncated: how many texts were truncated.
        num_empty: how many texts have no token; their vector is zero.

    Raises:
        ValueError: without tasks, for two tasks of one name, for numbers out of range.

    References:
        Gao et al., 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup" (gradient caching);
        Cer et al., 2018, "Universal Sentence Encoder", section 3 (multi-task learning).

    Example:
        >>> from keras_transformer import training
        >>> encoder = keras_transformer.models.DeepAveragingNetwork(260, 13, 1, 6, output_dim=5)
        >>> task = training.SentenceTask("ranking", [("a", "b"), ("c", "d")], training.ResponseRanking(), batch_size=2)
        >>> loop = training.SentenceTrainingLoop(
        ...     encoder, keras_transformer.text.ByteTokenizer(), [task], keras.optimizers.Adam(1e-3)
        ... )
        >>> [rows for loss, rows in loop.steps(loop.batches(0, 3))]
        [2.0, 2.0, 2.0]
    """

    def __init__(
        self,
        encoder: keras.Model,
        tokenizer: "Tokenizer",
        tasks: Sequence[SentenceTask],
        optimizer: keras.optimizers.Optimizer,
        max_length: int = 128,
        micro_batch_tokens: int = 16384,
        clip_norm: float | None = None,
        seed: int = 0,
        strategy: tf.distribute.Strategy | None = None,
    ):
        if not tasks:
            raise ValueError("Expected at least one task. Received none")
        names = [task.name for task in tasks]
        if len(set(names)) < len(names):
            raise ValueError(f"Expected tasks with different names, for the figures of each. Received: {names}")
        self.tasks = list(tasks)
        self.micro_batch_tokens = arguments.positive_integer("micro_batch_tokens", micro_batch_tokens)
        self.seed = arguments.non_negative_integer("seed", seed)
        self.max_length = arguments.positive_integer("max_length", max_length)
        self._ids = [TokenizedTexts(tokenizer, task.texts, max_length) for task in self.tasks]
        self.num_texts = sum(len(task.texts) for task in self.tasks)
        self.num_truncated = sum(ids.num_truncated for ids in self._ids)
        self.num_empty = sum(ids.num_empty for ids in self._ids)
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope():
            for task in self.tasks:
                if hasattr(task.objective, "bind"):
                    task.objective.bind(encoder)
                vectors = [keras.KerasTensor((None, encoder.output_shape[-1]))] * task.num_vectors
                spec = _spec_of(task, task.batch(0, self.seed).targets)
                task.objective(vectors, keras.KerasTensor(spec.shape, spec.dtype.name))
            is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            layers = [encoder, *(layer for task in self.tasks for _, layer in sublayers(task.objective))]
            if any(layer.dtype_policy.name == "mixed_float16" for layer in layers) and not is_scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        super().__init__(encoder, optimizer, [task.objective for task in self.tasks], strategy, clip_norm)
        self._losses = np.zeros((len(self.tasks), 2))
        self._functions = {}

    def batches(self, first: int, count: int) -> list[tuple[int, int]]:
        """Steps `first` to `first + count` of the training, for `steps`: (task, number of its batch) each."""
        fractions = np.asarray([task.weight for task in self.tasks])
        random = np.random.default_rng([self.seed, 0])
        # All from the beginning, since the number of a batch is how often its task came before.
        choices = random.choice(len(self.tasks), size=first + count, p=fractions / fractions.sum())
        numbers = np.zeros(first + count, int)
        for task in range(len(self.tasks)):
            numbers[choices == task] = np.arange((choices == task).sum())
        return list(zip(choices[first:].tolist(), numbers[first:].tolist()))

    def steps(self, batches: Sequence[tuple[int, int]], first: int = 0) -> Iterator[tuple[float, float]]:
        """Trains on the batches, one after another.

        Args:
            batches: what `batches` gave.
            first: how many of them to leave out, those already taken.

        Yields:
            (loss, number of rows) after each step.
        """
        for task, number in batches[first:]:
            batch = self.tasks[task].batch(number, self.seed)
            ids = self._ids[task]
            if self.tasks[task].deletion:
                ids, batch = self._without_some(task, batch, number)
            total, weight = self._step(task, batch, ids)
            loss = float(total / weight)
            self._losses[task] += loss, 1
            yield loss, float(len(batch.texts))

    def take_losses(self) -> dict[str, float]:
        """{"loss_" and name of a task: its mean loss since the last call}."""
        logs = {f"loss_{task.name}": total / count for task, (total, count) in zip(self.tasks, self._losses) if count}
        self._losses[:] = 0
        return logs

    def get_state(self) -> list[list[float]]:
        """The losses that `take_losses` is to give."""
        return self._losses.tolist()

    def set_state(self, state: list[list[float]]) -> None:
        """The reverse of `get_state`."""
        self._losses[:] = state

    def _without_some(self, task, batch, number):
        """The texts of a batch after the deletion, as the only ones; and the batch, with the whole ids as targets."""
        texts, ids = batch.texts[:, 0], self._ids[task]
        random = np.random.default_rng([self.seed, 1, task, number])
        left = ids.without_some(texts, self.tasks[task].deletion, random)
        return left, SentenceBatch(np.arange(len(texts))[:, None], ids.with_ends(texts))

    def _step(self, task, batch, ids):
        flat = batch.texts.T.reshape(-1)
        order = ids.by_length(flat)
        # Where each text's vector lies among those of all groups.
        places = np.argsort(order).astype("int32")
        groups = [ids.padded(flat[rows]) for rows in np.array_split(order, min(_GROUPS, len(order)))]
        if sum(group.size for group in groups) <= self.micro_batch_tokens * self.num_devices:
            signature = [_IDS] * len(groups), _PLACES, _spec_of(self.tasks[task], batch.targets)
            step = self._function(("at once", task, len(groups)), self._at_once, *signature)
            return step(groups, places, batch.targets)
        return self._in_micro_batches(task, ids, flat[order], places, batch.targets)

    def _in_micro_batches(self, task, ids, texts, places, targets):
        self.step.accumulate()
        parts = ids.micro_batches(texts, self.micro_batch_tokens * self.num_devices)
        with self.step.whole():
            return self._sum_of_parts(task, [ids.padded(numbers) for numbers in parts], places, targets)

    def _sum_of_parts(self, task, parts, places, targets):
        encode = self._function(("encode", None), lambda ids: self._exchanged(self._encode([ids]), [ids]), _IDS)
        seeds = [variable for variable in self.model.non_trainable_variables if "seed" in variable.path]
        states, vectors = [], []
        for ids in parts:
            states.append([variable.numpy() for variable in seeds])
            vectors.append(encode(ids))
        after = [variable.numpy() for variable in seeds]
        vectors = tf.concat(vectors, 0)
        add_head = self._function(
            ("head", task), self._add_head, _any_number_of(vectors), _PLACES, _spec_of(self.tasks[task], targets)
        )
        of_vectors = add_head(vectors, places, targets)
        add = self._function(("micro-batch", None), self._add_micro_batch, _IDS, _any_number_of(of_vectors))
        finish = self._function(("finish", task), lambda task: self.step.finish(self._trained_by(task)))
        first = 0
        for ids, state in zip(parts, states):
            _assign(seeds, state)
            add(ids, of_vectors[first : first + len(ids)])
            first += len(ids)
        _assign(seeds, after)
        return finish()

    def _function(self, key, function, *signature):
        """`function`, of the task that `key` names if any, compiled once."""
        if key not in self._functions:
            task = key[1]
            self._functions[key] = self.compiled(
                lambda *args: function(*args) if task is None else function(task, *args), *signature
            )
        return self._functions[key]

    # What follows runs on each device.

    def _at_once(self, task, groups, places, targets):
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            vectors = self._encode(groups)
        loss, of_vectors, of_head = self._loss_gradients(task, self._exchanged(vectors, groups), places, targets)
        of_weights = tape.gradient(vectors, weights, output_gradients=self._own(of_vectors, groups, vectors.dtype))
        head = self.tasks[task].objective.trainable_variables
        gradients = summed_by_variable([*weights, *head], [*of_weights, *of_head])
        return self.step.apply(self._trained_by(task), gradients, loss, 1 / self.num_devices)

    def _add_head(self, task, vectors, places, targets):
        """The gradients of the scaled loss by the vectors; those by the objective's weights are added to the step."""
        loss, of_vectors, of_head = self._loss_gradients(task, vectors, places, targets)
        self.step.add(self.tasks[task].objective.trainable_variables, of_head, loss, 1 / self.num_devices)
        return of_vectors

    def _add_micro_batch(self, ids, of_vectors):
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            vectors = self._encode([ids])
        of_vectors = self._own(of_vectors, [ids], vectors.dtype)
        self.step.add(weights, tape.gradient(vectors, weights, output_gradients=of_vectors), 0.0, 0.0)

    def _loss_gradients(self, task, vectors, places, targets):
        """The device's part of the loss of the whole batch, which every device computes, and gradients.

        Those by the vectors are of the whole loss: each device goes on with those of its own texts.
        """
        objective = self.tasks[task].objective
        head = objective.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            ordered = tf.gather(tf.cast(vectors, tf.float32), places)
            loss = objective(tf.split(ordered, self.tasks[task].num_vectors), targets, training=True)
            loss = tf.add_n([loss, *objective.losses])
            scaled = self.step.scale_loss(loss)
        of_vectors, *of_head = tape.gradient(scaled, [vectors, *head])
        of_head = [gradient if gradient is None else gradient / self.num_devices for gradient in of_head]
        return loss / self.num_devices, tf.convert_to_tensor(of_vectors), of_head

    def _encode(self, groups):
        """The vectors of this device's share of each group."""
        return tf.concat([self.model(self.share(ids), training=True) for ids in groups], 0)

    def _exchanged(self, vectors, groups):
        """The vectors of all texts, of which each device encoded some."""
        if self.num_devices == 1:
            return vectors
        rows = self._rows(groups)
        shape = tf.stack([tf.reduce_sum([tf.shape(ids)[0] for ids in groups]), tf.shape(vectors)[1]])
        return self.step.all_reduce(tf.scatter_nd(rows[:, None], tf.cast(vectors, tf.float32), shape))

    def _own(self, of_vectors, groups, dtype):
        """Of gradients by the vectors of all texts those of this device's share."""
        if self.num_devices > 1:
            of_vectors = tf.gather(of_vectors, self._rows(groups))
        return tf.cast(of_vectors, dtype)

    def _rows(self, groups):
        """Where the vectors of this device's share stand among those of all texts."""
        rows, first = [], 0
        for ids in groups:
            count = tf.shape(ids)[0]
            rows.append(self.share(tf.range(first, first + count)))
            first += count
        return tf.concat(rows, 0)

    def _trained_by(self, task):
        return self.trainable([self.tasks[task].objective])


def _assign(variables, values):
    for variable, value in zip(variables, values):
        variable.assign(value)


def _spec_of(task, targets):
    """The signature of a task's targets; ids of texts are of any length."""
    return _IDS if task.deletion else _any_number_of(targets)


def _any_number_of(rows):
    return tf.TensorSpec([None, *rows.shape[1:]], rows.dtype)
