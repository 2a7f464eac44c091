"""How transformers decodes (generation_config.json, or an old config.json), as a `Search`."""

import functools
import numbers
import os
import warnings
from typing import Any

from keras_transformer.convert.files import read_json, reading, warn_of_ignored
from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling, Search
from keras_transformer.types import Config

_SUPPORTED = {
    "num_beams", "do_sample", "temperature", "top_k", "top_p", "length_penalty", "early_stopping", "renormalize_logits",
    "min_length", "min_new_tokens", "max_length", "max_new_tokens", "bad_words_ids", "forced_eos_token_id",
    "pad_token_id", "eos_token_id", "decoder_start_token_id",
}  # fmt: skip
# Unsupported settings, each with the value that changes nothing.
_NEUTRAL = {
    "no_repeat_ngram_size": 0, "encoder_no_repeat_ngram_size": 0, "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0, "forced_bos_token_id": None, "suppress_tokens": None,
    "begin_suppress_tokens": None, "exponential_decay_length_penalty": None, "sequence_bias": None,
    "guidance_scale": 1.0, "diversity_penalty": 0.0, "num_beam_groups": 1, "penalty_alpha": 0.0, "constraints": None,
    "force_words_ids": None, "typical_p": 1.0, "min_p": None, "top_h": None, "epsilon_cutoff": 0.0, "eta_cutoff": 0.0,
    "watermarking_config": None, "stop_strings": None, "max_time": None, "token_healing": False,
    "forced_decoder_ids": None, "low_memory": False,
}  # fmt: skip
# They change how `generate` runs, and what it returns beside the best translation.
_WITHOUT_EFFECT = {
    "transformers_version", "bos_token_id", "use_cache", "cache_implementation", "cache_config", "max_cache_len",
    "return_legacy_cache", "return_dict_in_generate", "num_return_sequences", "output_attentions",
    "output_hidden_states", "output_scores", "output_logits", "remove_invalid_values", "is_assistant",
    "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold",
    "prompt_lookup_num_tokens", "max_matching_ngram_size", "assistant_early_exit", "assistant_lookbehind",
    "target_lookbehind", "prefill_chunk_size", "compile_config", "disable_compile", "generation_kwargs",
    "dola_layers", "assistant_ensemble_weight", "speculation_type",
}  # fmt: skip
GENERATION_KEYS = {*_SUPPORTED, *_NEUTRAL, *_WITHOUT_EFFECT} - {"pad_token_id", "eos_token_id"}
# Settings of training and of execution that the config.json of any model may have.
OF_ANY_MODEL = {
    "architectures", "auto_map", "chunk_size_feed_forward", "cross_attention_hidden_size", "dtype", "finetuning_task",
    "gradient_checkpointing", "id2label", "is_encoder_decoder", "label2id", "prefix", "problem_type", "return_dict",
    "sep_token_id", "task_specific_params", "tf_legacy_loss", "tie_encoder_decoder", "tie_word_embeddings",
    "tokenizer_class", "torch_dtype", "torchscript", "use_bfloat16",
}  # fmt: skip


def read_search(folder: str, config: Config, ids: dict[str, int | None]) -> tuple[Search, int | None]:
    """The search that transformers would use by default, and its maximum length of a translation in tokens.

    Unsupported settings are reported in a warning.

    Args:
        folder: folder of generation_config.json. If there is none, config.json is used.
        config: the content of config.json.
        ids: {"pad_token_id", "eos_token_id", "decoder_start_token_id": id}, from the vocabulary.

    Returns:
        (search, maximum length or `None`).

    Raises:
        ValueError: for settings of a wrong type, and for ids that differ from the vocabulary's.
    """
    settings = read_json(folder, "generation_config.json", {})
    source = os.path.join(folder, "generation_config.json" if settings else "config.json")
    if settings:
        warn_of_ignored(settings, source, _SUPPORTED, _WITHOUT_EFFECT, _NEUTRAL)
    else:
        settings = {key: value for key, value in config.items() if key in _SUPPORTED or key in _NEUTRAL}
        warn_of_ignored(settings, source, _SUPPORTED, neutral=_NEUTRAL)
    with reading(source):
        _check_ids(settings, ids, source)
        _warn_of_ignored_values(settings, ids, source)
        return _search(settings, source), _max_length(settings, source)


def _check_ids(settings, ids, source):
    other = {key: settings[key] for key, value in ids.items() if settings.get(key) not in (None, value, [value])}
    if other:
        raise ValueError(f"Expected {ids} in {source}, as the vocabulary has it. Received: {other}")


def _warn_of_ignored_values(settings, ids, source):
    """Warns of settings that are supported with some values only."""
    ignored = {}
    # Whether the end id closes a translation that reaches the limit makes no difference to its text.
    if settings.get("forced_eos_token_id") not in (None, ids["eos_token_id"], [ids["eos_token_id"]]):
        ignored["forced_eos_token_id"] = settings["forced_eos_token_id"]
    # Our searches never choose the padding id.
    if settings.get("bad_words_ids") not in (None, [], [[ids["pad_token_id"]]]):
        ignored["bad_words_ids"] = settings["bad_words_ids"]
    if settings.get("do_sample") and settings.get("num_beams") not in (None, 1):
        ignored["do_sample"] = settings["do_sample"]
    if ignored:
        values = ", ".join(f"{key}={value!r}" for key, value in ignored.items())
        warnings.warn(f"Unsupported settings in {source} are ignored: {values}", stacklevel=4)


def _search(settings, source):
    number_of = functools.partial(_number, settings, source)
    # min_length counts the begin id in transformers.
    min_length = max(number_of("min_length", 0, int) - 1, number_of("min_new_tokens", 0, int), 0)
    num_beams = number_of("num_beams", 1, int)
    early_stopping = settings.get("early_stopping") or False
    if settings.get("do_sample") and num_beams == 1:
        return Sampling(
            number_of("temperature", 1.0), number_of("top_k", 50, int), number_of("top_p", 1.0), min_length=min_length
        )
    if num_beams == 1:
        return GreedySearch(min_length)
    return BeamSearch(
        num_beams,
        number_of("length_penalty", 1.0),
        length_normalization="power",
        min_length=min_length,
        rules="hugging_face",
        early_stopping=early_stopping,
        renormalize=settings.get("renormalize_logits") or False,
    )


def _max_length(settings, source) -> int | None:
    number_of = functools.partial(_number, settings, source)
    if (new_tokens := number_of("max_new_tokens", None, int)) is not None:
        return new_tokens
    length = number_of("max_length", None, int)
    return None if length is None else max(length - 1, 1)


def _number(settings, source, key, default, kind=numbers.Real) -> Any:
    value = settings.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, kind):
        raise ValueError(f"Expected a number, {key}, in {source}. Received: {value!r}")
    return value
