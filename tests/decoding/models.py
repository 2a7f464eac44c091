"""Stand-ins for a model, and a beam search to compare with, written from its description and nothing else."""

import numpy as np
from keras import ops

PADDING, BEGIN, END = 0, 2, 3
_NUM_STATES = 997


class HashModel:
    """Random logits for each source and each way to begin a target; the cache holds a hash of both.

    Logits stand out enough for hypotheses not to tie.
    """

    def __init__(self, vocabulary_size, seed=0, scale=2.0, end_bonus=0.0):
        self.table = np.random.default_rng(seed).normal(size=(_NUM_STATES, vocabulary_size)).astype("float32") * scale
        self.table[:, END] += end_bonus

    def start_decoding(self, source_ids, max_length, static_shapes):
        factors = ops.arange(1, source_ids.shape[1] + 1, dtype="int32") * 13
        memory = ops.sum(ops.cast(source_ids, "int32") * factors, axis=1, keepdims=True) % _NUM_STATES
        return {"state": memory, "source": [memory]}

    def decode_step(self, target_ids, cache, index):
        state = (cache["state"] * 31 + target_ids * 7 + cache["source"][0]) % _NUM_STATES
        logits = ops.take(ops.convert_to_tensor(self.table), state, axis=0)
        return logits, {"state": state, "source": cache["source"]}

    def log_probs(self, source, tokens):
        """Of the token after `tokens` (without begin), float64 (V,)."""
        memory = sum(int(token) * 13 * (i + 1) for i, token in enumerate(source)) % _NUM_STATES
        state = memory
        for token in (BEGIN, *tokens):
            state = (state * 31 + token * 7 + memory) % _NUM_STATES
        return log_softmax(self.table[state])


class FixedModel:
    """The same logits at every step of every sentence."""

    def __init__(self, logits, dtype="float32"):
        self.logits = ops.cast(ops.convert_to_tensor(logits), dtype)

    def start_decoding(self, source_ids, max_length, static_shapes):
        return {"memory": source_ids}

    def decode_step(self, target_ids, cache, index):
        return ops.broadcast_to(self.logits, (ops.shape(target_ids)[0], 1, self.logits.shape[0])), cache


class ScriptModel:
    """Says for each sentence the ids written down for it, and notes what it was given."""

    def __init__(self, *sentences, vocabulary_size=13):
        self.sentences = np.array(sentences)
        self.vocabulary_size = vocabulary_size
        self.steps = []

    def start_decoding(self, source_ids, max_length, static_shapes):
        return {"steps": ops.zeros((len(self.sentences),), dtype="int32")}

    def decode_step(self, target_ids, cache, index):
        self.steps.append(np.asarray(target_ids)[:, 0].tolist())
        logits = np.eye(self.vocabulary_size)[self.sentences[:, int(index)]][:, None]
        return ops.convert_to_tensor(logits), {"steps": cache["steps"] + 1}


def transformer_log_probs(logits_of, source):
    """A function like `HashModel.log_probs`: the whole decoder anew for each question, for one sentence alone.

    Args:
        logits_of: takes source ids (1, S) and target ids (1, T), gives logits (1, T, V).
        source: ids (S,), padded or not.
    """
    source = source[source != PADDING][None]
    return lambda tokens: log_softmax(np.asarray(logits_of(source, np.array([[BEGIN, *tokens]])))[0, -1])


def log_softmax(logits):
    logits = np.asarray(logits, "float64")
    return logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()


def gnmt(alpha):
    return lambda length: ((5 + length) / 6) ** alpha


def power(alpha):
    return lambda length: length**alpha


def beam_search(log_probs, limit, beam_size, penalty, min_length=0, prefix=()):
    """Beam search over one sentence that goes on to the limit, whatever it has found.

    Args:
        log_probs: gives, for the tokens so far, the log-probability of each next token.
        limit: the most tokens.
        beam_size: hypotheses that are kept.
        penalty: function of the length by which the log-probability is divided.
        min_length: tokens before the end.
        prefix: the first tokens.

    Returns:
        [(score, tokens)], the best first.
    """
    beam, finished = [(0.0, ())], []
    for step in range(limit):
        extended = []
        for total, tokens in beam:
            for token, log_prob in enumerate(log_probs(tokens)):
                if step < len(prefix):
                    allowed = token == prefix[step]
                else:
                    allowed = token not in (PADDING, BEGIN) and (token != END or step >= min_length)
                if allowed:
                    extended.append((total + log_prob, (*tokens, token)))
        extended = sorted(extended, reverse=True)[:beam_size]
        is_finished = [tokens[-1] == END or len(tokens) == limit for _, tokens in extended]
        finished += [(total / penalty(len(tokens)), tokens) for (total, tokens), f in zip(extended, is_finished) if f]
        beam = [hypothesis for hypothesis, f in zip(extended, is_finished) if not f]
    return sorted(finished, reverse=True)


def transformers_beam_search(log_probs, limit, beam_size, penalty):
    """As `beam_search`, but after the description of `generate` in Hugging Face's transformers.

    Of the 2 K likeliest, those that end are finished if they are among the first K, and the first K that do not end
    go on, until K are finished and the likeliest that goes on, divided by the penalty of its length, is not better.
    """
    beam, finished = [(0.0, ())], []
    for step in range(limit):
        extended = [
            (total + log_prob, (*tokens, token))
            for total, tokens in beam
            for token, log_prob in enumerate(log_probs(tokens))
            if token not in (PADDING, BEGIN)
        ]
        extended = sorted(extended, reverse=True)[: 2 * beam_size]
        ends = [tokens[-1] == END or len(tokens) == limit for _, tokens in extended]
        finished += [
            (total / penalty(len(tokens)), tokens) for (total, tokens), end in zip(extended[:beam_size], ends) if end
        ]
        finished = sorted(finished, reverse=True)[:beam_size]
        beam = [hypothesis for hypothesis, end in zip(extended, ends) if not end][:beam_size]
        if len(finished) == beam_size and beam and beam[0][0] / penalty(step + 1) <= finished[-1][0]:
            break
    return finished


def all_sequences(log_probs, limit, penalty):
    """[(score, tokens)] of everything that can be said within the limit, the best first."""
    return beam_search(log_probs, limit, 10**9, penalty)


def as_lists(hypotheses, row=0):
    """[(score, tokens)] of one sentence, as `beam_search` gives."""
    ids, scores = np.asarray(hypotheses.ids)[row], np.asarray(hypotheses.scores)[row]
    return [
        (float(score), tuple(int(token) for token in tokens if token != PADDING))
        for score, tokens in zip(scores, ids)
        if score > -np.inf
    ]
