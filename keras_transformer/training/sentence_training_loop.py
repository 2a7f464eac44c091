import keras
import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.training.training_loop import averaged_weights

_IDS, _PLACES = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
_GROUPS = 4  # of about equal length, each padded for itself


class SentenceTrainingLoop:
    """The steps of training a sentence encoder on several tasks, one batch of one task a step.

    What a `TrainingRun` drives. A batch is encoded in groups of sentences of about equal length. Where it is too large
    for that it goes in pieces, twice: first for the vectors, from which the loss and its gradient come, then for the
    gradient of the weights, with the same dropout as before (gradient caching). So the memory is that of a piece, and
    of the vectors and scores of all.

    Args:
        encoder: a `keras.Model` from ids (N, T) to vectors (N, D).
        tokenizer: of the texts.
        tasks: a list of `SentenceTask`.
        optimizer: a Keras optimizer, not yet built.
        max_length: longer texts are cut to so many tokens.
        tokens_at_once: the largest piece, N x T, padding included.
        clip_norm: scales gradients with a larger global norm down to it.
        seed: of the choice of tasks and of the order of their rows.

    Attributes:
        num_texts: how many texts the tasks have.
        num_cut: how many texts were cut.
        num_empty: how many texts have no token; their vector is zero.

    References:
        Gao et al., 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup" (gradient caching);
        Cer et al., 2018, "Universal Sentence Encoder", section 3 (multi-task learning).
    """

    is_chief = True

    def __init__(
        self, encoder, tokenizer, tasks, optimizer, max_length=128, tokens_at_once=16384, clip_norm=None, seed=0
    ):
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            raise ValueError("Expected one device. Received: a strategy of several")
        if not tasks:
            raise ValueError("Expected at least one task. Received none")
        names = [task.name for task in tasks]
        if len(set(names)) < len(names):
            raise ValueError(f"Expected tasks with different names, for the figures of each. Received: {names}")
        self.model = encoder
        self.tasks = list(tasks)
        self.optimizer = optimizer
        self.tokens_at_once = arguments.positive_integer("tokens_at_once", tokens_at_once)
        self.clip_norm = None if clip_norm is None else arguments.positive_number("clip_norm", clip_norm)
        self.seed = arguments.non_negative_integer("seed", seed)
        self.max_length = arguments.positive_integer("max_length", max_length)
        self.padding_id = tokenizer.padding_id
        self._ids = [_tokenized(tokenizer, task.texts, max_length) for task in self.tasks]
        self.num_texts = sum(len(task.texts) for task in self.tasks)
        self.num_cut = sum(ids.num_cut for ids in self._ids)
        self.num_empty = sum(int((ids.lengths == 0).sum()) for ids in self._ids)
        for task in self.tasks:
            batch = task.batch(0, self.seed)
            vectors = [keras.KerasTensor((None, encoder.output_shape[-1]))] * task.num_vectors
            task.objective(vectors, keras.KerasTensor((None, *batch.targets.shape[1:]), batch.targets.dtype.name))
        self.optimizer.build(self._trainable([*range(len(self.tasks))]))
        self._losses = np.zeros((len(self.tasks), 2))
        self._functions = {}

    @property
    def variables(self):
        """All that training changes, in a fixed order."""
        of_tasks = [variable for task in self.tasks for variable in task.objective.variables]
        return [*self.model.variables, *of_tasks, *self.optimizer.variables]

    def any_worker(self, flag):
        """`flag`, there being one worker."""
        return bool(flag)

    def averaged_weights(self):
        """Within it, the model has the optimizer's moving averages, if it keeps any."""
        return averaged_weights(self.model, self.optimizer)

    def batches(self, first, count):
        """Steps `first` to `first + count` of the training, for `steps`: (task, number of its batch) each."""
        shares = np.asarray([task.weight for task in self.tasks])
        random = np.random.default_rng([self.seed, 0])
        # All from the beginning, since the number of a batch is how often its task came before.
        choices = random.choice(len(self.tasks), size=first + count, p=shares / shares.sum())
        numbers = np.zeros(first + count, int)
        for task in range(len(self.tasks)):
            numbers[choices == task] = np.arange((choices == task).sum())
        return list(zip(choices[first:].tolist(), numbers[first:].tolist()))

    def steps(self, batches, first=0):
        """Trains on the batches, one after another.

        Args:
            batches: what `batches` gave.
            first: how many of them to leave out, those already taken.

        Yields:
            (loss, number of rows) after each step.
        """
        for task, number in batches[first:]:
            batch = self.tasks[task].batch(number, self.seed)
            loss = float(self._step(task, batch))
            self._losses[task] += loss, 1
            yield loss, float(len(batch.texts))

    def take_losses(self):
        """{"loss_" and name of a task: its mean loss since the last call}."""
        logs = {f"loss_{task.name}": total / count for task, (total, count) in zip(self.tasks, self._losses) if count}
        self._losses[:] = 0
        return logs

    def get_state(self):
        """What a run that goes on later needs beside `variables`: the losses that `take_losses` is to give."""
        return self._losses.tolist()

    def set_state(self, state):
        """The reverse of `get_state`."""
        self._losses[:] = state

    def _step(self, task, batch):
        flat = batch.texts.T.reshape(-1)
        order = np.argsort(self._ids[task].lengths[flat], kind="stable")
        groups = [self._padded(task, flat[rows]) for rows in np.array_split(order, min(_GROUPS, len(order)))]
        # Where each text's vector lies among those of all groups.
        places = np.argsort(order).astype("int32")
        if sum(group.size for group in groups) <= self.tokens_at_once:
            signature = [[_IDS] * len(groups), _PLACES, _any_number_of(batch.targets)]
            return self._function(("at once", task, len(groups)), self._at_once, signature)(
                groups, places, batch.targets
            )
        return self._in_pieces(task, flat[order], places, batch.targets)

    def _in_pieces(self, task, texts, places, targets):
        pieces = [self._padded(task, rows) for rows in self._pieces(self._ids[task].lengths[texts], texts)]
        encode = self._function(("encode", None), self._encode, [_IDS])
        seeds = [variable for variable in self.model.non_trainable_variables if "seed" in variable.path]
        states, vectors = [], []
        for piece in pieces:
            states.append([variable.numpy() for variable in seeds])
            vectors.append(encode(piece))
        after = [variable.numpy() for variable in seeds]
        vectors = tf.concat(vectors, 0)
        signature = [_any_number_of(vectors), _PLACES, _any_number_of(targets)]
        find_gradients = self._function(("loss", task), self._loss_gradients, signature)
        loss, of_vectors, of_head = find_gradients(vectors, places, targets)
        piece_gradients = self._function(("piece", None), self._piece_gradients, [_IDS, _any_number_of(of_vectors)])
        totals, first = None, 0
        for piece, state in zip(pieces, states):
            for variable, value in zip(seeds, state):
                variable.assign(value)
            gradients = piece_gradients(piece, of_vectors[first : first + len(piece)])
            first += len(piece)
            totals = gradients if totals is None else [total + new for total, new in zip(totals, gradients)]
        for variable, value in zip(seeds, after):
            variable.assign(value)
        self._function(("apply", task), self._apply)([*totals, *of_head])
        return loss

    def _pieces(self, lengths, texts):
        """Cuts sorted texts into pieces within `tokens_at_once`."""
        begin = 0
        for end in range(1, len(texts) + 1):
            longest = lengths[end] if end < len(texts) else np.inf
            if max(longest, 1) * (end + 1 - begin) > self.tokens_at_once:
                yield texts[begin:end]
                begin = end

    def _padded(self, task, texts):
        ids = self._ids[task]
        lengths = ids.lengths[texts]
        columns = np.arange(max(1, lengths.max(initial=0)))
        is_token = columns < lengths[:, None]
        padded = np.full(is_token.shape, self.padding_id, "int32")
        padded[is_token] = ids.values[(ids.starts[texts][:, None] + columns)[is_token]]
        return padded

    def _trainable(self, tasks):
        """The weights of the encoder, then those of the tasks' objectives."""
        of_tasks = [weight for task in tasks for weight in self.tasks[task].objective.trainable_variables]
        return [*self.model.trainable_variables, *of_tasks]

    def _function(self, key, function, signature=None):
        """`function`, of the task that `key` names if any, compiled once."""
        if key not in self._functions:
            task = key[1]

            def bound(*args):
                return function(*args) if task is None else function(task, *args)

            self._functions[key] = tf.function(bound, input_signature=signature, autograph=False)
        return self._functions[key]

    def _encode(self, ids):
        return self.model(ids, training=True)

    def _loss(self, task, vectors, places, targets):
        count = self.tasks[task].num_vectors
        vectors = tf.split(tf.gather(tf.cast(vectors, tf.float32), places), count)
        loss = self.tasks[task].objective(vectors, targets, training=True)
        return tf.add_n([loss, *self.tasks[task].objective.losses])

    def _at_once(self, task, groups, places, targets):
        variables = self._trainable([task])
        with tf.GradientTape() as tape:
            vectors = tf.concat([self._encode(ids) for ids in groups], 0)
            loss = self._loss(task, vectors, places, targets)
            objective = self.optimizer.scale_loss(loss)
        self._apply(task, tape.gradient(objective, variables))
        return loss

    def _loss_gradients(self, task, vectors, places, targets):
        head = self.tasks[task].objective.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            loss = self._loss(task, vectors, places, targets)
            objective = self.optimizer.scale_loss(loss)
        of_vectors, *of_head = tape.gradient(objective, [vectors, *head])
        return loss, tf.convert_to_tensor(of_vectors), of_head

    def _piece_gradients(self, ids, of_vectors):
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            vectors = self._encode(ids)
        gradients = tape.gradient(vectors, variables, output_gradients=tf.cast(of_vectors, vectors.dtype))
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    def _apply(self, task, gradients):
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if self.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self.clip_norm)
        self.optimizer.apply(gradients, self._trainable([task]))


class _Tokenized:
    """Texts as ids, end to end: those of text i are `values[starts[i] : starts[i] + lengths[i]]`."""

    def __init__(self, values, lengths, num_cut):
        self.values, self.lengths, self.num_cut = values, lengths, num_cut
        self.starts = np.cumsum(lengths) - lengths


def _any_number_of(rows):
    return tf.TensorSpec([None, *rows.shape[1:]], rows.dtype)


def _tokenized(tokenizer, texts, max_length, batch_size=1000):
    values, lengths, num_cut = [], [], 0
    for first in range(0, len(texts), batch_size):
        ids = tokenizer.tokenize(texts[first : first + batch_size])
        num_cut += int(tf.reduce_sum(tf.cast(ids.row_lengths() > max_length, tf.int32)))
        ids = tokenizer.truncate(ids, max_length)
        values.append(ids.values.numpy())
        lengths.append(ids.row_lengths().numpy())
    return _Tokenized(np.concatenate(values), np.concatenate(lengths), num_cut)
