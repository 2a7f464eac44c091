"""A gRPC client of TensorFlow Serving: pip install tensorflow-serving-api

python grpc_client.py localhost:8500 "A dog runs."
"""

import sys
from collections.abc import Sequence

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def predict(
    channel: grpc.Channel, model: str, signature: str, label: str | None = None, **inputs: object
) -> dict[str, np.ndarray]:
    """Calls a signature of the newest version, or of the version with a label.

    Args:
        channel: a `grpc.Channel`.
        model: the model's name.
        signature: the signature's name.
        label: the version's label.
        **inputs: arrays, lists or scalars.

    Returns:
        {output name: array}.
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


def translate(channel: grpc.Channel, texts: Sequence[str], label: str | None = None) -> list[str]:
    if not texts:  # a server that batches would wait for more rows until the request times out
        return []
    outputs = predict(channel, "translator", "serving_default", label, inputs=texts)["outputs"]
    return [text.decode() for text in outputs]


def translate_n_best(
    channel: grpc.Channel, texts: Sequence[str], length_penalty: float = 1.0, label: str | None = None
) -> list[list[tuple[str, float]]]:
    """Returns (translation, score) pairs for each text, best first."""
    if not texts:
        return []
    penalties = np.full(len(texts), length_penalty, "float32")
    columns = {"inputs": texts, "prefixes": [""] * len(texts), "length_penalty": penalties}
    found = predict(channel, "translator", "n_best", label, **columns)
    rows = zip(found["outputs"], found["scores"])
    return [[(text.decode(), score) for text, score in zip(*row) if np.isfinite(score)] for row in rows]


def embed(channel: grpc.Channel, texts: Sequence[str]) -> np.ndarray | list:
    if not texts:
        return []
    return predict(channel, "embedder", "serving_default", inputs=texts)["outputs"]


def rank(
    channel: grpc.Channel, question: str, responses: Sequence[str], contexts: Sequence[str]
) -> list[tuple[float, str]]:
    """Returns (score, response) pairs, best first."""
    if not responses:
        return []
    query = predict(channel, "question_answer", "question_encoder", input=[question])["outputs"]
    answers = predict(channel, "question_answer", "response_encoder", input=responses, context=contexts)["outputs"]
    return sorted(zip((answers @ query[0]).tolist(), responses), reverse=True)


if __name__ == "__main__":
    address, *sentences = sys.argv[1:]
    with grpc.insecure_channel(address) as opened:
        for sentence, translation in zip(sentences, translate(opened, sentences)):
            print(f"{sentence}  ->  {translation}")
