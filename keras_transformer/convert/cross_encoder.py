"""Cross-encoders: BERT with a classifier, as transformers and sentence-transformers' `CrossEncoder` save it."""

import numbers
import os
import warnings

from keras_transformer.convert import bert
from keras_transformer.convert.files import read_json, reading, weights_file
from keras_transformer.convert.tensors import Tensors, linear
from keras_transformer.convert.word_piece import read_tokenizer
from keras_transformer.models import BertEncoder, CrossEncoder
from keras_transformer.pipelines import TextPairScorer
from keras_transformer.types import DType

_ARCHITECTURE = "BertForSequenceClassification"
_ACTIVATIONS = {"Sigmoid": "sigmoid", "Identity": "linear", "Softmax": "softmax"}
_SETTINGS = "config_sentence_transformers.json"


def is_cross_encoder(folder: str) -> bool:
    """Whether the checkpoint in `folder` is of a classifier of texts."""
    if not os.path.isfile(os.path.join(folder, "config.json")):
        return False
    architectures = read_json(folder, "config.json").get("architectures")
    return isinstance(architectures, list) and any(
        str(name).endswith("SequenceClassification") for name in architectures
    )


def convert_cross_encoder(folder: str, dtype: DType = None) -> TextPairScorer:
    """Converts a BERT that classifies pairs of texts.

    Args:
        folder: folder of config.json, model.safetensors and a WordPiece vocabulary.
        dtype: dtype or dtype policy of the model.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for an unsupported architecture or setting, and for tensors that do not fit.
    """
    source = os.path.join(folder, "config.json")
    config = read_json(folder, "config.json")
    if config["architectures"] != [_ARCHITECTURE]:
        raise ValueError(f"Expected architectures [{_ARCHITECTURE!r}] in {source}. Received: {config['architectures']}")
    settings = read_json(folder, _SETTINGS, {})
    _check_prompts(settings, folder)
    architecture = bert.read_architecture(folder)
    if architecture.model_type != "bert" or architecture.num_segments < 1:
        raise ValueError(f"Expected model_type='bert' with segments in {source}. Received: {architecture.model_type!r}")
    tensors = Tensors.of_file(weights_file(folder))
    tensors.check_number(bert.num_weights(architecture.arguments), source)
    tokenizer = read_tokenizer(folder, architecture.model_type)
    with reading(source):
        labels = _labels(config)
        num_labels = len(labels)
        dropout = config.get("classifier_dropout")
        model = _model(architecture, tokenizer.padding_id, num_labels, dropout, dtype)
    positions = model.encoder.position_embedding.max_length
    if tokenizer.vocabulary_size > model.encoder.token_embedding.vocabulary_size:
        raise ValueError(
            f"Expected an embedding for each of the {tokenizer.vocabulary_size} subwords in {folder}. "
            f"Received: vocab_size={model.encoder.token_embedding.vocabulary_size}"
        )
    scorer = TextPairScorer(
        model,
        tokenizer,
        _max_length(folder, positions),
        _activation(config, settings, num_labels, source),
        labels if num_labels > 1 else None,
    )
    _load(model, architecture, tensors)
    return scorer


def _model(architecture, padding_id, num_labels, dropout, dtype):
    arguments = architecture.arguments
    pooler = {"units": arguments["hidden_dim"], "activation": "tanh", "use_bias": True}
    encoder = BertEncoder(
        **{**arguments, "padding_id": padding_id},
        pooling="first",
        projections=[pooler],
        normalize=False,
        dtype=dtype,
    )
    return CrossEncoder(encoder, num_labels, dropout=arguments["dropout"] if dropout is None else dropout, dtype=dtype)


def _load(model, architecture, tensors):
    table = model.segment_embedding.embeddings
    rows = architecture.num_segments, architecture.arguments["hidden_dim"]

    def load_others(tensors):
        segments = tensors.take("embeddings.token_type_embeddings.weight", rows)
        # The first is part of the positions' vectors. A BERT of a single segment reads both texts as that.
        tensors.load(table, segments[[0, min(1, rows[0] - 1)]] - segments[0])
        tensors.load_dense(model.encoder.projections[0], linear("pooler.dense"))
        tensors.load_dense(model.classifier, linear("classifier"))

    bert.load_weights(model.encoder, architecture, tensors, load_others)


def _labels(config):
    """The names of the classes; one of a score."""
    names = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}  # transformers has two by default
    return [str(names[str(number)]) for number in range(len(names))]


def _activation(config, settings, num_labels, source):
    """What sentence-transformers makes of logits; versions before 5 say so in config.json."""
    named = (
        settings.get("activation_fn")
        or (config.get("sentence_transformers") or {}).get("activation_fn")
        or config.get("sbert_ce_default_activation_function")
        or ("Sigmoid" if num_labels == 1 else "Identity")
    )
    name = str(named).rsplit(".", 1)[-1]
    if name not in _ACTIVATIONS:
        raise ValueError(f"Expected an activation of {', '.join(_ACTIVATIONS)} in {source}. Received: {named}")
    return _ACTIVATIONS[name]


def _check_prompts(settings, folder):
    prompts = {name: prompt for name, prompt in (settings.get("prompts") or {}).items() if prompt}
    if settings.get("default_prompt_name") in prompts:
        raise ValueError(
            f"Expected a cross-encoder without a default prompt in {folder}/{_SETTINGS}. Received: {prompts}"
        )
    if prompts:
        warnings.warn(
            f"Prompts in {folder}/{_SETTINGS} are ignored; the caller must prepend them to texts: {prompts}",
            stacklevel=5,
        )


def _max_length(folder, num_positions):
    """The maximum number of tokens of a pair."""
    length = read_json(folder, "tokenizer_config.json", {}).get("model_max_length", num_positions)
    if not isinstance(length, numbers.Real) or isinstance(length, bool) or not length >= 3:
        raise ValueError(
            f"Expected a model_max_length of at least 3 in {folder}/tokenizer_config.json. Received: {length!r}"
        )
    return int(min(length, num_positions))
