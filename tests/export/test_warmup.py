import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_transformer.export.warmup import write_warmup_requests

REQUESTS = [
    ("encode", {"texts": tf.constant(["a", "", "漢"]), "ids": np.array([[3, 0], [5, 7], [2, 2]], "int32")}),
    ("", {"x": np.float32(0.5)}),
]


def records(folder):
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    return [record.numpy() for record in tf.data.TFRecordDataset(str(path))]


def test_they_are_the_servers_messages(tmp_path):
    write_warmup_requests(tmp_path, REQUESTS)
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records(tmp_path)]
    assert [log.WhichOneof("log_type") for log in logs] == ["predict_log"] * 2
    requests = [log.predict_log.request for log in logs]
    assert [request.model_spec.signature_name for request in requests] == ["encode", ""]
    for request, (_, inputs) in zip(requests, REQUESTS, strict=True):
        assert request.inputs.keys() == inputs.keys()
        for name, tensor in inputs.items():
            found = tf.make_ndarray(request.inputs[name])
            np.testing.assert_array_equal(found, np.asarray(tensor))
            assert found.dtype == np.asarray(tensor).dtype
    # Nothing but what was meant: the server's own message of it is the same bytes.
    for log, record in zip(logs, records(tmp_path), strict=True):
        assert log.SerializeToString(deterministic=True) == record


def test_they_are_these_bytes(tmp_path):
    write_warmup_requests(tmp_path, [("s", {"x": np.int32(7)})])
    tensor = b"\x08\x03" + b"\x12\x00" + b"\x3a\x01\x07"  # dtype 1: int32, tensor_shape 2: (), int_val 7: [7]
    entry = b"\x0a\x01x" + b"\x12\x07" + tensor  # key 1, value 2
    request = b"\x0a\x03\x1a\x01s" + b"\x12\x0c" + entry  # model_spec 1 with signature_name 3, inputs 2
    assert records(tmp_path) == [b"\x32\x15" + b"\x0a\x13" + request]  # predict_log 6, request 1


def test_none_write_no_file(tmp_path):
    write_warmup_requests(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_more_than_a_server_takes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Expected at most 1000 warm-up requests. Received: 1001"):
        write_warmup_requests(tmp_path, [("s", {})] * 1001)
    assert list(tmp_path.iterdir()) == []
