"""What an exported translator offers: its signatures, over functions that are stored once."""

import tensorflow as tf

from keras_transformer.decoding import BeamSearch, Sampling
from keras_transformer.layers import masks
from keras_transformer.pipelines.pipeline import known_ids, lengths_signature, of_as_many_rows, pieces, traced
from keras_transformer.text.tokenizer import as_strings

_STRINGS = tf.TensorSpec([None], tf.string)
_IDS = tf.TensorSpec([None, None], tf.int32)
# One for each text, or one for all.
_NUMBERS = tf.TensorSpec([None], tf.float32)
_INTEGERS = tf.TensorSpec([None], tf.int32)


def functions(translator):
    """The root's function and the signatures, which `Translator` describes.

    Args:
        translator: a `Translator`.

    Returns:
        (the traced function of the root, {name: concrete function}).
    """
    search, target_side = translator.search, translator.target_side
    sampling = search if isinstance(search, Sampling) else Sampling(min_length=search.min_length)
    model = _TracedOnce(translator.transformer, isinstance(search, BeamSearch) and not translator.xla)

    @traced(_IDS)
    def best_ids(source_ids):
        return translator.find(source_ids, model=model, num_best=1, return_scores=False).ids[:, 0]

    @traced(_STRINGS)
    def source_ids_of(texts):
        return translator.source_ids(texts)[0]

    @traced(_STRINGS)
    def translate(inputs):
        return target_side.detokenize(best_ids(source_ids_of(inputs)))

    def serving_default(inputs):
        return {"outputs": translate(inputs)}

    def ids(inputs):
        # As texts, so that no request can be longer than one of texts.
        source_ids = known_ids(inputs, translator.tokenizer, translator.max_source_length, has_end=True)
        return {"outputs": best_ids(source_ids)}

    def n_best(inputs, prefixes, length_penalty=None):
        settings = {} if length_penalty is None else _of_each(inputs, length_penalty=length_penalty)
        prefixes = of_as_many_rows("prefixes", prefixes, inputs)
        found = translator.find(source_ids_of(inputs), target_side(prefixes), model=model, **settings)
        return {"outputs": translator.texts(found.ids), "scores": found.scores}

    def sample(inputs, seed, temperature, top_p):
        settings = _of_each(inputs, seed=seed, temperature=temperature, top_p=top_p)
        found = translator.find(source_ids_of(inputs), search=sampling, model=model, return_scores=False, **settings)
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

    penalty = [_NUMBERS] if isinstance(search, BeamSearch) else []
    signatures = {
        serving_default: [_STRINGS],
        ids: [_IDS],
        n_best: [_STRINGS, _STRINGS, *penalty],
        sample: [_STRINGS, _INTEGERS, _NUMBERS, _NUMBERS],
        alignment: [_STRINGS],
    }
    root = tf.function(lambda inputs: translate(inputs), input_signature=[_STRINGS])
    return root, {
        **{f.__name__: traced(*specs)(f) for f, specs in signatures.items()},
        "lengths": lengths_signature(translator.num_source_tokens, translator.max_source_length),
    }


def requests(translator, texts):
    """A request of `texts` for each signature: {name: {input: tensor}}."""
    strings, number = as_strings(texts), len(texts)
    search = translator.search
    n_best = {"inputs": strings, "prefixes": tf.fill([number], "")}
    if isinstance(search, BeamSearch):
        n_best["length_penalty"] = tf.fill([number], float(search.length_penalty))
    sample = {"seed": tf.fill([number], 0), "temperature": tf.ones([number]), "top_p": tf.ones([number])}
    return {
        "serving_default": {"inputs": strings},
        "ids": {"inputs": translator.source_ids(strings)[0]},
        "n_best": n_best,
        "sample": {"inputs": strings, **sample},
        "alignment": {"inputs": strings},
        "lengths": {"inputs": strings},
    }


def _of_each(inputs, **settings):
    """Settings (N,) by name, where those of a call may be (1,)."""
    return {
        name: tf.broadcast_to(of_as_many_rows(name, setting, inputs, or_one=True), tf.shape(inputs))
        for name, setting in settings.items()
    }


class _TracedOnce:
    """A transformer whose acts are one `tf.function` each, so that several searches store them once.

    Beside a beam search, those that follow one hypothesis take the same step, as beams of 1. (What XLA compiles has
    sizes that are fixed, and shares nothing.)
    """

    def __init__(self, transformer, always_spreads):
        self._transformer = transformer

        @traced(_IDS)
        def encode(source_ids):
            return _with_mask(transformer.encode(source_ids, packed=True))

        self._encode = encode
        self.make_cache = transformer.make_cache
        self.spread_cache = transformer.spread_cache
        self.reorder_cache = transformer.reorder_cache
        self.has_growing_cache = transformer.has_growing_cache
        self.always_spreads = always_spreads
        self.decode = transformer.decode
        self.decode_step = tf.function(transformer.decode_step)

    def encode(self, source_ids, packed=False):
        if not packed:
            return self._transformer.encode(source_ids)
        memory, mask = self._encode(source_ids)
        masks.attach(memory, mask)  # which a `tf.function` does not hand on
        return memory


def _with_mask(tensor):
    return tensor, masks.implicit_mask(tensor)
