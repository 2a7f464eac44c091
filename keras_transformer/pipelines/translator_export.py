"""What an exported translator offers: its signatures, over functions that are stored once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_transformer.decoding import BeamSearch, Sampling
from keras_transformer.ops import masks
from keras_transformer.pipelines.signatures import (
    ExportFunctions,
    Requests,
    check_rows,
    known_ids,
    lengths_signature,
    pieces,
    traced,
)
from keras_transformer.pipelines.slices import in_slices
from keras_transformer.text.tokenizer import as_strings

if TYPE_CHECKING:  # whose module imports this one
    from keras_transformer.pipelines.translator import Translator

_STRINGS = tf.TensorSpec([None], tf.string)
_IDS = tf.TensorSpec([None, None], tf.int32)
# One for each text, or one for all.
_NUMBERS = tf.TensorSpec([None], tf.float32)
_INTEGERS = tf.TensorSpec([None], tf.int32)


class TranslatorExport:
    """The signatures, which `Translator` describes, of one export.

    Args:
        translator: a `Translator`, as it is now.
    """

    def __init__(self, translator: "Translator"):
        search = translator.search
        self.translator = translator
        self.search = search
        self.sampling = search if isinstance(search, Sampling) else Sampling(min_length=search.min_length)
        self.model = _TracedOnce(translator.transformer, isinstance(search, BeamSearch) and not translator.xla)
        self.padding_id = translator.tokenizer.padding_id
        self.best_ids = traced(_IDS)(self._best_ids)
        self.source_ids_of = traced(_STRINGS)(self._source_ids_of)
        self.translate = traced(_STRINGS)(self._translate)

    def functions(self) -> ExportFunctions:
        """({attribute of the root: traced function}, {name: concrete function of a signature})."""
        translator = self.translator
        penalty = [_NUMBERS] if isinstance(self.search, BeamSearch) else []
        signatures = {
            self.serving_default: [_STRINGS],
            self.ids: [_IDS],
            self.n_best: [_STRINGS, _STRINGS, *penalty],
            self.sample: [_STRINGS, _INTEGERS, _NUMBERS, _NUMBERS],
            self.alignment: [_STRINGS],
        }
        root = tf.function(lambda inputs: self.translate(inputs), input_signature=[_STRINGS], autograph=False)
        return {"__call__": root}, {
            **{f.__name__: traced(*specs)(f) for f, specs in signatures.items()},
            "lengths": lengths_signature(translator.num_source_tokens, translator.max_source_length),
        }

    def _best_ids(self, source_ids):
        return self.translator.search_ids(source_ids, model=self.model, num_best=1, return_scores=False).ids[:, 0]

    def _source_ids_of(self, texts):
        return self.translator.source_ids(texts)[0]

    def _translate(self, inputs):
        def translate(source_ids):
            return self.translator.target_side.detokenize(self.best_ids(source_ids))

        return self._in_slices(translate, _STRINGS, self.source_ids_of(inputs))

    def serving_default(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": self.translate(inputs)}

    def ids(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        translator = self.translator
        # As texts, so that no request can be longer than one of texts.
        source_ids = known_ids(inputs, translator.tokenizer, translator.max_source_length, has_end=True)
        width = tf.shape(source_ids)[1] + translator.max_extra_length

        def as_wide(source_ids):
            found = self.best_ids(source_ids)
            missing = [[0, 0], [0, width - tf.shape(found)[1]]]
            widths = tf.fill(tf.shape(found)[:1], tf.shape(found)[1])
            return tf.pad(found, missing, constant_values=translator.target_side.padding_id), widths

        found, widths = self._in_slices(as_wide, (_IDS, _INTEGERS), source_ids)
        return {"outputs": found[:, : tf.reduce_max(tf.concat([widths, [1]], axis=0))]}

    def n_best(
        self, inputs: tf.Tensor, prefixes: tf.Tensor, length_penalty: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        translator = self.translator
        settings = {} if length_penalty is None else _of_each(inputs, length_penalty=length_penalty)
        prefix_ids = translator.target_side(check_rows("prefixes", prefixes, inputs))

        def best_of_rows(source_ids, prefix_ids, *settings_of_rows):
            settings_of_rows = dict(zip(settings, settings_of_rows))
            found = translator.search_ids(source_ids, prefix_ids, model=self.model, **settings_of_rows)
            return {"outputs": translator.detokenize(found.ids), "scores": found.scores}

        num_best = getattr(self.search, "num_best", 1)
        specs = {"outputs": tf.TensorSpec([None, num_best], tf.string), "scores": tf.TensorSpec([None, num_best])}
        return self._in_slices(best_of_rows, specs, self.source_ids_of(inputs), prefix_ids, *settings.values())

    def sample(
        self, inputs: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor, top_p: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        translator = self.translator
        settings = _of_each(inputs, seed=seed, temperature=temperature, top_p=top_p)

        def sample_of_rows(source_ids, *settings_of_rows):
            settings_of_rows = dict(zip(settings, settings_of_rows), search=self.sampling, model=self.model)
            found = translator.search_ids(source_ids, return_scores=False, **settings_of_rows)
            return translator.target_side.detokenize(found.ids[:, 0])

        return {"outputs": self._in_slices(sample_of_rows, _STRINGS, self.source_ids_of(inputs), *settings.values())}

    def alignment(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        translator, target_side = self.translator, self.translator.target_side
        source_ids = self.source_ids_of(inputs)
        target_ids = self.best_ids(source_ids)
        weights = tf.reduce_mean(translator.cross_attention(source_ids, target_ids, self.model)[-1], axis=1)
        return {
            "source_tokens": pieces(translator.tokenizer, source_ids),
            "target_tokens": pieces(target_side, target_ids),
            "weights": tf.where((target_ids != target_side.padding_id)[:, :, None], weights, 0.0),
        }

    def _in_slices(self, function: Callable[..., Any], specs: Any, source_ids: tf.Tensor, *columns: tf.Tensor) -> Any:
        """What `function` gives of source ids (n, S) and the same rows of `columns`, some rows at a time.

        A request of any number of texts then takes constant memory.
        """
        lengths = tf.RaggedTensor.from_tensor(source_ids, padding=self.padding_id).row_lengths()

        def of_rows(rows):
            longest = tf.maximum(tf.reduce_max(tf.gather(lengths, rows)), 1)  # of no rows, the smallest number
            return function(tf.gather(source_ids, rows)[:, :longest], *(tf.gather(column, rows) for column in columns))

        return in_slices(of_rows, lengths, specs, max_tokens=2048, max_rows=64)


def warmup_requests(translator: "Translator", texts: Sequence[str]) -> Requests:
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
        name: tf.broadcast_to(check_rows(name, setting, inputs, or_one=True), tf.shape(inputs))
        for name, setting in settings.items()
    }


class _TracedOnce:
    """A transformer with one `tf.function` for encoding and one for a step, so that several searches store them once.

    Beside a beam search, those that follow one hypothesis take the same step, as beams of 1. (What XLA compiles has
    sizes that are fixed, and shares nothing.)
    """

    def __init__(self, transformer, beside_beam_search):
        self._transformer = transformer

        @traced(_IDS)
        def encode(source_ids):
            return _with_mask(transformer.encode(source_ids, unpadding=True))

        self._encode, self._beside_beam_search = encode, beside_beam_search
        self.decode = transformer.decode
        self.decode_step = tf.function(transformer.decode_step, autograph=False)

    def start_decoding(self, source_ids, max_length, static_shapes):
        if static_shapes:
            return self._transformer.start_decoding(source_ids, max_length, static_shapes)
        cache = self._transformer.make_growing_cache(self.encode(source_ids, unpadding=True))
        return cache.expand_to_beam(1) if self._beside_beam_search else cache

    def encode(self, source_ids, unpadding):
        memory, mask = self._encode(source_ids)
        masks.attach(memory, mask)  # which a `tf.function` does not hand on
        return memory


def _with_mask(tensor):
    return tensor, masks.implicit_mask(tensor)
