"""The WordPiece tokenizer of a Hugging Face checkpoint."""

import dataclasses
import os
import warnings

from keras_transformer.convert.files import read_json, read_lines, reading, vocabulary_list, warn_of_ignored
from keras_transformer.convert.tokenizer_json import TokenizerPipeline, bert_normalization, read_pipeline
from keras_transformer.text import WordPieceTokenizer

# The default special tokens of each tokenizer class; `None` for classes that take everything from tokenizer.json.
_BERT = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
_MPNET = {"pad_token": "<pad>", "unk_token": "[UNK]", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>"}
_CLASSES = {
    "BertTokenizer": _BERT,
    "DistilBertTokenizer": _BERT,
    "MPNetTokenizer": _MPNET,
    "PreTrainedTokenizer": None,
    "TokenizersBackend": None,
}
_CLASS_OF_MODEL = {"bert": "BertTokenizer", "mpnet": "MPNetTokenizer"}
_FLAGS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
# Settings of tokenizer_config.json that change ids, with their supported values.
_ONLY = {
    "truncation_side": ("right",),
    "padding_side": ("right",),
    "split_special_tokens": (False,),
    "do_basic_tokenize": (True,),
    "never_split": ([],),
    "auto_map": (),
    "word_tokenizer_type": ("basic",),
    "subword_tokenizer_type": ("wordpiece",),
}
_SUPPORTED = {
    *_FLAGS, "tokenizer_class", "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens",
    "model_max_length", "bos_token", "eos_token", *_BERT,
}  # fmt: skip
_WITHOUT_EFFECT = {
    "add_bos_token", "add_eos_token", "add_prefix_space", "backend", "chat_template", "clean_up_tokenization_spaces",
    "errors", "from_slow", "init_inputs", "is_local", "legacy", "local_files_only", "max_length", "max_len",
    "model_input_names", "model_specific_special_tokens", "name_or_path", "pad_to_multiple_of", "pad_token_type_id",
    "processor_class", "special_tokens_map_file", "stride", "tokenizer_file", "trim_offsets", "truncation_strategy",
    "use_fast", "vocab_file",
}  # fmt: skip


def read_tokenizer(folder: str, model_type: str, lower_case: bool = False) -> WordPieceTokenizer:
    """Reads the tokenizer of the checkpoint in `folder`.

    All parts of tokenizer.json are used. As in transformers, `do_lower_case`, `strip_accents` and
    `tokenize_chinese_chars` in tokenizer_config.json take precedence if that file names a class with such settings
    (BertTokenizer).

    Args:
        folder: folder of tokenizer.json or vocab.txt, and of tokenizer_config.json.
        model_type: "bert" or "mpnet".
        lower_case: whether texts are lower-cased first, even if the tokenizer is cased.

    Raises:
        FileNotFoundError: if there is no vocabulary.
        ValueError: for a tokenizer of another kind, and for unsupported parts.
    """
    source = os.path.join(folder, "tokenizer_config.json")
    with reading(source):
        config = _config(folder, source)
    defaults = _class_defaults(folder, config, model_type, source)
    serialized = read_json(folder, "tokenizer.json", {})
    if not serialized and defaults is None:
        raise FileNotFoundError(
            f"Expected tokenizer.json for a {config['tokenizer_class']}. Received a folder without: {folder}"
        )
    with reading(source):
        special = {key: _content(config.get(key)) or token for key, token in (defaults or {}).items()}
        of_class = _pipeline_of_class(config, special) if defaults else None
    pipeline = read_pipeline(folder, serialized) if serialized else None
    if pipeline and of_class:
        pipeline = _with_flags(pipeline, config)
        _warn_of_differences(pipeline, of_class, source)
    with reading(source):
        return _tokenizer(folder, config, special, pipeline or of_class, bool(serialized), lower_case)


def _config(folder, source):
    """tokenizer_config.json, and special_tokens_map.json of old checkpoints."""
    config = read_json(folder, "tokenizer_config.json", {})
    if "added_tokens_decoder" not in config:
        config = {**config, **read_json(folder, "special_tokens_map.json", {})}
    warn_of_ignored(config, source, {*_SUPPORTED, *_ONLY}, _WITHOUT_EFFECT)
    other = {key: config[key] for key, only in _ONLY.items() if config.get(key) is not None and config[key] not in only}
    if other:
        raise ValueError(
            f"Expected supported values of tokenizer settings in {source}. Received: "
            + ", ".join(f"{key}={value!r}" for key, value in other.items())
        )
    return config


def _class_defaults(folder, config, model_type, source):
    """The default special tokens of the tokenizer's class, or `None` if the class has none."""
    named = config.get("tokenizer_class") or read_json(folder, "config.json", {}).get("tokenizer_class")
    name = str(named or _CLASS_OF_MODEL[model_type]).removesuffix("Fast")
    if name not in _CLASSES:
        raise ValueError(
            f"Expected a tokenizer_class of {', '.join(_CLASSES)} (or these with Fast) in {source} and config.json. "
            f"Received: {named}"
        )
    return _CLASSES[name]


def _pipeline_of_class(config, special):
    """The pipeline of a class without a tokenizer.json, except its vocabulary."""
    given = {flag: config[key] for key, flag in _FLAGS.items() if key in config}
    return TokenizerPipeline(
        ids={},
        subwords=set(),
        normalization=bert_normalization(**given),
        bert_flags=None,
        pre_tokenizer="bert",
        unknown_token=special["unk_token"],
        max_word_length=100,
        ends=(special["cls_token"], special["sep_token"]),
        padding_token=special["pad_token"],
        added={},
        decoder="WordPiece",
    )


def _with_flags(pipeline, config):
    """The pipeline, with the settings of tokenizer_config.json for its BertNormalizer."""
    given = {flag: config[key] for key, flag in _FLAGS.items() if key in config}
    if pipeline.bert_flags is None:
        return pipeline
    return dataclasses.replace(pipeline, normalization=bert_normalization(**{**pipeline.bert_flags, **given}))


def _warn_of_differences(pipeline, of_class, source):
    names = ("normalization", "pre_tokenizer", "unknown_token", "max_word_length", "ends")
    different = [name for name in names if getattr(pipeline, name) != getattr(of_class, name)]
    if different:
        warnings.warn(
            "tokenizer.json is used; some versions of transformers use the defaults of the class that "
            f"{source} names instead. They differ in: "
            + "; ".join(f"{n}={getattr(pipeline, n)!r}, not {getattr(of_class, n)!r}" for n in different),
            stacklevel=5,
        )
    if pipeline.decoder not in ("WordPiece", None):
        warnings.warn(f"The decoder {pipeline.decoder} is ignored; no embedding depends on it", stacklevel=5)


def _tokenizer(folder, config, special, pipeline, has_file, lower_case):
    if has_file:
        vocabulary = vocabulary_list(pipeline.ids, os.path.join(folder, "tokenizer.json"))
    else:
        vocabulary = _vocabulary(folder)
    padding_token = _content(config.get("pad_token")) or pipeline.padding_token or special.get("pad_token")
    if padding_token is None:
        raise ValueError(f"Expected a pad_token in {folder}/tokenizer_config.json. Received none")
    begin, end = pipeline.ends
    named = [padding_token, pipeline.unknown_token, begin, end]
    further = _further_tokens(config, special, pipeline)
    if missing := [token for token in further if further[token][1] and token not in vocabulary]:
        raise ValueError(f"Expected the additional tokens in the vocabulary of {folder}. Received: {missing}")
    if has_file and (apart := [token for token in named if token not in further]):
        raise ValueError(
            f"Expected the special tokens among the added tokens of {folder}/tokenizer.json. Received none for {apart}"
        )
    known = set(vocabulary)
    further = {token: is_normalized for token, (is_normalized, _) in further.items() if token in known}
    return WordPieceTokenizer(
        vocabulary,
        padding_token=padding_token,
        unknown_token=pipeline.unknown_token,
        begin_token=begin,
        end_token=end,
        other_tokens=[token for token in further if token not in named],
        normalization=(["lower_case"] if lower_case else []) + pipeline.normalization,
        pre_tokenizer=pipeline.pre_tokenizer,
        max_word_length=pipeline.max_word_length,
        normalized_tokens=[token for token, is_normalized in further.items() if is_normalized],
        added_tokens=[token for token in further if has_file and token not in pipeline.subwords],
    )


def _further_tokens(config, special, pipeline):
    """{token: (whether it is matched in the normalized text, whether it must be in the vocabulary)}."""
    # As in transformers, the flags in tokenizer_config.json take precedence.
    added = dict(pipeline.added)
    for token in config.get("added_tokens_decoder", {}).values():
        if token.get("single_word"):
            raise ValueError(f"Expected added tokens without single_word. Received: {token['content']!r}")
        added[token["content"]] = bool(token.get("normalized"))
    tokens = {token: (is_normalized, True) for token, is_normalized in added.items()}
    additional = config.get("additional_special_tokens") or config.get("extra_special_tokens") or []
    for token in additional.values() if isinstance(additional, dict) else additional:
        tokens.setdefault(_content(token), (False, True))
    named = [config.get(key) for key in ("bos_token", "eos_token", *_BERT)]
    for token in [*special.values(), *map(_content, named)]:
        if token:
            tokens.setdefault(token, (False, False))
    return tokens


def _vocabulary(folder):
    """The subwords of vocab.txt, ordered by id."""
    if not os.path.isfile(os.path.join(folder, "vocab.txt")):
        raise FileNotFoundError(
            f"Expected tokenizer.json or vocab.txt in the checkpoint. Received a folder without: {folder}"
        )
    return read_lines(folder, "vocab.txt")


def _content(token):
    """The text of a special token, which a configuration gives as a string or as an object."""
    return token.get("content") if isinstance(token, dict) else token
