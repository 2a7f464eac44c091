"""The requests that TensorFlow Serving runs before a version takes its first."""

import functools
import os
from collections.abc import Sequence

import tensorflow as tf

from keras_transformer.types import PathLike, Tensor

_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")  # where the server looks for them
_MOST = 1000  # the server refuses a model with more

# What is needed of the server's `PredictionLog`: {message: {field: (number, type)}}. On the wire an entry of a map is
# a message of `key` and `value`, and a message is its bytes, so that `value` stands for a `TensorProto`.
_MESSAGES = {
    "PredictionLog": {"predict_log": (6, "PredictLog")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, ["Input"])},
    "ModelSpec": {"signature_name": (3, str)},
    "Input": {"key": (1, str), "value": (2, bytes)},
}


def write_warmup_requests(folder: PathLike, requests: Sequence[tuple[str, dict[str, Tensor]]]) -> None:
    """Writes `assets.extra/tf_serving_warmup_requests` into the folder of a SavedModel.

    A server does the lazy work of a model (the plan of a signature's graph, memory, thread pools) at its first
    request. With this file it does it before it offers the version.

    Args:
        folder: of the SavedModel.
        requests: a list of (signature name, {input name: tensor}). None at all writes no file.

    Raises:
        ValueError: for more than 1,000 requests, for which a server would refuse the model.

    References:
        "SavedModel Warmup", the TensorFlow Serving documentation; prediction_log.proto and predict.proto there.
    """
    if len(requests) > _MOST:
        raise ValueError(f"Expected at most {_MOST} warm-up requests. Received: {len(requests)}")
    if not requests:
        return
    path = os.path.join(folder, _FILE)
    os.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for signature, inputs in requests:
            writer.write(_prediction_log(signature, inputs))


def _prediction_log(signature, inputs):
    """The serialised `PredictionLog` of a request."""
    log = _message_class("PredictionLog")()
    log.predict_log.request.model_spec.signature_name = signature
    for key, value in sorted(inputs.items()):
        value = tf.make_tensor_proto(value).SerializeToString(deterministic=True)
        log.predict_log.request.inputs.add(key=key, value=value)
    return log.SerializeToString(deterministic=True)


@functools.cache
def _message_class(name):
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"keras_transformer.{name}"))


@functools.cache
def _pool():
    """The messages above, in a pool of their own: the server's package may register its own beside them."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="warmup.proto", package="keras_transformer", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            (kind,), label = (kind, "REPEATED") if isinstance(kind, list) else ([kind], "OPTIONAL")
            added = message.field.add(name=field, number=number, label=field_type.Label.Value(f"LABEL_{label}"))
            if isinstance(kind, str):
                added.type, added.type_name = field_type.TYPE_MESSAGE, f".keras_transformer.{kind}"
            else:
                added.type = field_type.TYPE_STRING if kind is str else field_type.TYPE_BYTES
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool
