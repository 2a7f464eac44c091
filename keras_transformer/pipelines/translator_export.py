"""What an exported translator offers: its signatures, over functions that are stored once."""

import tensorflow as tf

from keras_transformer.decoding import BeamSearch, Sampling
from keras_transformer.layers import masks
from keras_transformer.pipelines.pipeline import pieces

_STRINGS = tf.TensorSpec([None], tf.string)
_IDS = tf.TensorSpec([None, None], tf.int32)
_NUMBER = tf.TensorSpec([], tf.float32)
_INTEGER = tf.TensorSpec([], tf.int32)


def functions(translator):
    """The root's function and the signatures of `Translator.export`, which describes them.

    Args:
        translator: a `Translator`.

    Returns:
        (the traced function of the root, {name: concrete function}).
    """
    search, target_side = translator.search, translator.target_side
    sampling = search if isinstance(search, Sampling) else Sampling(min_length=search.min_length)
    model = _TracedOnce(translator.transformer)

    @_traced(_IDS)
    def best_ids(source_ids):
        return translator.find(source_ids, model=model, num_best=1, return_scores=False).ids[:, 0]

    @_traced(_STRINGS)
    def source_ids_of(texts):
        return translator.source_ids(texts)[0]

    @_traced(_STRINGS)
    def translate(inputs):
        return target_side.detokenize(best_ids(source_ids_of(inputs)))

    def serving_default(inputs):
        return {"outputs": translate(inputs)}

    def ids(inputs):
        return {"outputs": best_ids(inputs)}

    def n_best(inputs, prefixes, length_penalty=None):
        settings = {} if length_penalty is None else {"length_penalty": length_penalty}
        found = translator.find(source_ids_of(inputs), target_side(prefixes), model=model, **settings)
        return {"outputs": translator.texts(found.ids), "scores": found.scores}

    def sample(inputs, seed, temperature, top_p):
        settings = {"seed": seed, "temperature": temperature, "top_p": top_p, "return_scores": False}
        found = translator.find(source_ids_of(inputs), search=sampling, model=model, **settings)
        return {"outputs": target_side.detokenize(found.ids[:, 0])}

    def alignment(inputs):
        source_ids = source_ids_of(inputs)
        target_ids = best_ids(source_ids)
        weights = tf.reduce_mean(translator.cross_attention(source_ids, target_ids, model)[-1], axis=1)
        return {
            "source_tokens": pieces(translator.tokenizer, source_ids),
            "target_tokens": pieces(target_side, target_ids),
            "weights": tf.where((target_ids != target_side.padding_id)[:, :, None], weights, 0.0),
        }

    def lengths(inputs):
        longest = tf.constant(translator.max_source_length, tf.int64)
        return {"outputs": translator.num_source_tokens(inputs), "longest": longest}

    penalty = [_NUMBER] if isinstance(search, BeamSearch) else []
    signatures = {
        serving_default: [_STRINGS],
        ids: [_IDS],
        n_best: [_STRINGS, _STRINGS, *penalty],
        sample: [_STRINGS, _INTEGER, _NUMBER, _NUMBER],
        alignment: [_STRINGS],
        lengths: [_STRINGS],
    }
    root = tf.function(lambda inputs: translate(inputs), input_signature=[_STRINGS])
    return root, {f.__name__: _traced(*specs)(f) for f, specs in signatures.items()}


class _TracedOnce:
    """A transformer whose acts are one `tf.function` each, so that several searches store them once."""

    def __init__(self, transformer):
        self._encode = _traced(_IDS)(lambda source_ids: _with_mask(transformer.encode(source_ids)))
        self.make_cache = transformer.make_cache
        self.decode_step = tf.function(transformer.decode_step)
        self.decode = transformer.decode

    def encode(self, source_ids):
        memory, mask = self._encode(source_ids)
        masks.attach(memory, mask)  # which a `tf.function` does not hand on
        return memory


def _traced(*specs):
    """A decorator that makes a concrete function, which is stored once whoever calls it.

    A `tf.function` is traced anew where it is called in another context, inside a function or eagerly.
    """
    return lambda function: tf.function(function, input_signature=specs).get_concrete_function()


def _with_mask(tensor):
    return tensor, masks.implicit_mask(tensor)
