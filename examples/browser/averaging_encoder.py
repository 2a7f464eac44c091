"""The averaging encoders of saved_models/ as `TextEmbedder`s again, to export them in other formats.

A SavedModel is a program, and has no configuration of layers. Of these it is known: what was built is compared with it.
"""

import os

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_transformer
from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.text import SubwordTokenizer

TEXTS = ["", "A dog runs through the snow.", "개가 눈 속을 달린다.", "word " * 100]


def of_saved_model(path: str, max_length: int = 128) -> keras_transformer.TextEmbedder:
    """The `TextEmbedder` that was exported to a SavedModel.

    Args:
        path: of the SavedModel of a `DeepAveragingNetwork` with token weights and without pairs of words, whose
            embeddings may be in int8.
        max_length: of the embedder.

    Raises:
        ValueError: for another SavedModel.
    """
    exported = keras_transformer.load(path)
    found = {variable.name.split(":")[0]: variable.numpy() for variable in tf.saved_model.load(path).variables}
    try:
        embeddings = found.pop("embedding/embeddings").astype("float32")
        embeddings /= found.pop("embedding/embeddings_scale", np.ones([len(embeddings)], "float32"))[:, None]
        weights = [embeddings, found.pop("token_weights/factors")]
        weights += [found.pop(f"hidden_{i}/kernel") for i in range(sum(name.startswith("hidden_") for name in found))]
        weights.append(found.pop("projection/kernel"))
    except KeyError as error:
        raise ValueError(f"Expected an averaging encoder with token weights. Received {path}: no {error}") from None
    if found:
        raise ValueError(f"Expected an averaging encoder without pairs of words. Received {path}: with {list(found)}")
    encoder = DeepAveragingNetwork(
        len(embeddings), 0, len(weights) - 3, embeddings.shape[1], weights[-1].shape[1], token_weights=True
    )
    encoder.set_weights(weights)
    embedder = keras_transformer.TextEmbedder(encoder, SubwordTokenizer(_sentencepiece_model(path)), max_length)
    difference = np.max(np.abs(embedder.embed(TEXTS) - exported.embed(TEXTS)))
    if not difference < 5e-3:  # the SavedModels compute in bfloat16, what is built here in float32
        raise ValueError(f"Expected the encoder of {path} with the vectors that it has. Received: {difference:.1e} off")
    return embedder


def _sentencepiece_model(path):
    """The serialized SentencePiece model in a graph."""
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved = saved_model_pb2.SavedModel.FromString(file.read())
    graph = saved.meta_graphs[0].graph_def
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        for node in nodes:
            if node.op == "SentencepieceOp" and node.attr["model"].s:
                return node.attr["model"].s
    raise ValueError(f"Expected a SentencePiece tokenizer. Received {path}: it has none")
