"""Asks TensorFlow Serving over gRPC: pip install tensorflow-serving-api

python grpc_client.py localhost:8500 "A dog runs."
"""

import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def predict(channel, model, signature, label=None, **inputs):
    """Asks a signature; the newest version answers, or the one with a label.

    Args:
        channel: a `grpc.Channel`.
        model: the model's name.
        signature: the signature's name.
        label: of the version.
        **inputs: arrays, lists or scalars.

    Returns:
        {name: array} of the outputs.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if label:
        request.model_spec.version_label = label
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}


def translate(channel, texts, label=None):
    if not texts:  # for which a server that batches would wait until it times out
        return []
    outputs = predict(channel, "translator", "serving_default", label, inputs=texts)["outputs"]
    return [text.decode() for text in outputs]


def translate_n_best(channel, texts, length_penalty=1.0, label=None):
    """(text, score) pairs for each text, the best first."""
    if not texts:
        return []
    penalties = np.full(len(texts), length_penalty, "float32")
    columns = {"inputs": texts, "prefixes": [""] * len(texts), "length_penalty": penalties}
    found = predict(channel, "translator", "n_best", label, **columns)
    rows = zip(found["outputs"], found["scores"])
    return [[(text.decode(), score) for text, score in zip(*row) if np.isfinite(score)] for row in rows]


def embed(channel, texts):
    if not texts:
        return []
    return predict(channel, "embedder", "serving_default", inputs=texts)["outputs"]


def rank(channel, question, responses, contexts):
    """(score, response), the best first."""
    if not responses:
        return []
    asked = predict(channel, "question_answer", "question_encoder", input=[question])["outputs"]
    answers = predict(channel, "question_answer", "response_encoder", input=responses, context=contexts)["outputs"]
    return sorted(zip((answers @ asked[0]).tolist(), responses), reverse=True)


if __name__ == "__main__":
    address, *sentences = sys.argv[1:]
    with grpc.insecure_channel(address) as opened:
        for sentence, translation in zip(sentences, translate(opened, sentences)):
            print(f"{sentence}  ->  {translation}")
