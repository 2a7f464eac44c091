"""A stand-in for TensorFlow Serving: its REST and gRPC interfaces over TensorFlow's session loader.

It follows the server where a client or an export could go wrong: JSON to tensors and back (row and column format),
versions and their labels, warm-up before a version is offered, and the batching of requests, which are joined and
split along their rows. It is no server: a request at a time, and no requests wait for each other.
"""

import base64
import concurrent.futures
import contextlib
import functools
import http.server
import json
import pathlib
import re
import threading

import grpc
import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401 - registers the operations of the tokenizers, which the server has too
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc

v1 = tf.compat.v1


class Version:
    """A version of a model, loaded and warm."""

    def __init__(self, path):
        self.number = int(path.name)
        self._session = v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self.signatures = v1.saved_model.load(self._session, ["serve"], str(path)).signature_def
        self.warmed = []
        warmup = path / "assets.extra" / "tf_serving_warmup_requests"
        for record in tf.data.TFRecordDataset(str(warmup)):
            request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
            self.run(request.model_spec.signature_name, _arrays(request.inputs))
            self.warmed.append(request.model_spec.signature_name)

    def run(self, signature, inputs):
        """As a server that batches: with the same request once more in the batch."""
        definition = self.signatures[signature or "serving_default"]
        if inputs.keys() != definition.inputs.keys():
            raise ValueError(f"Expected inputs {sorted(definition.inputs)}. Received: {sorted(inputs)}")
        sizes = {np.ndim(value) and len(value) for value in inputs.values()}
        if len(sizes) != 1 or 0 in sizes:
            raise ValueError(f"Expected as many rows in all inputs, and some. Received: {sizes}")
        (size,) = sizes
        names = [info.name for info in definition.outputs.values()], [definition.inputs[key].name for key in inputs]
        feeds = [np.concatenate([value, value]) for value in inputs.values()]
        outputs = dict(zip(definition.outputs, self._run(*names)(*feeds)))
        for key, value in outputs.items():
            if np.ndim(value) == 0 or len(value) != 2 * size:
                raise ValueError(f"Expected {2 * size} rows in {key}. Received: {np.shape(value)}")
        return {key: value[:size] for key, value in outputs.items()}

    def _run(self, outputs, inputs):
        """A function of the session that does not compare shapes with the graph's, as `Session.run` would."""
        options = config_pb2.CallableOptions(fetch=outputs, feed=inputs)
        return self._session._make_callable_from_options(options)


class Models:
    """Models by name, as a `ModelServerConfig` wants them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._versions, self._labels = {}, {}
        self._load = functools.cache(Version)  # a version that was dropped is quickly back

    def apply(self, config):
        """Loads what the configuration adds, and drops what it leaves out."""
        for model in config.model_config_list.config:
            folder = self.folder / model.name
            assert model.base_path == f"/models/{model.name}" and model.model_platform == "tensorflow"
            there = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
            policy = model.model_version_policy
            wanted = policy.specific.versions if policy.HasField("specific") else there[-policy.latest.num_versions :]
            self._versions[model.name] = {number: self._load(folder / str(number)) for number in wanted}
            assert set(model.version_labels.values()) <= set(wanted)
            self._labels[model.name] = dict(model.version_labels)

    def find(self, name, label=""):
        versions = self._versions[name]
        return versions[self._labels[name][label] if label else max(versions)]


def answer_json(version, body):
    """The server's answer to the JSON of a `:predict`."""
    if ("instances" in body) == ("inputs" in body):
        raise ValueError("Missing 'inputs' or 'instances' key")
    definition = version.signatures[body.get("signature_name", "serving_default")]
    infos = dict(definition.inputs)
    by_row = "instances" in body
    if by_row:
        rows = body["instances"]
        if _is_object(rows[0]):
            if any(row.keys() != infos.keys() for row in rows):
                raise ValueError(f"keys must be equal to: {','.join(sorted(infos))}")
            columns = {name: [row[name] for row in rows] for name in infos}
        else:
            (name,) = infos
            columns = {name: rows}
    else:
        columns = body["inputs"]
        if not _is_object(columns):
            (name,) = infos
            columns = {name: columns}
    inputs = {name: _tensor(columns[name], tf.as_dtype(info.dtype)) for name, info in infos.items()}
    outputs = {name: _json_values(value) for name, value in version.run(body.get("signature_name"), inputs).items()}
    if not by_row:
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
    if len(outputs) == 1:
        return {"predictions": next(iter(outputs.values()))}
    return {"predictions": [dict(zip(outputs, row)) for row in zip(*outputs.values())]}


@contextlib.contextmanager
def serve(models):
    """Serves on free ports of this machine; gives (the REST address, the gRPC address)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            name, label = re.fullmatch(r"/v1/models/(\w+)(?:/labels/(\w+))?:predict", self.path).groups()
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, answer_json(models.find(name, label), body)
            except Exception as error:
                status, answer = 400, {"error": str(error)}
            content = json.dumps(answer, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            spec = request.model_spec
            response = predict_pb2.PredictResponse()
            version = models.find(spec.name, spec.version_label)
            response.model_spec.version.value = version.number
            for name, value in version.run(spec.signature_name, _arrays(request.inputs)).items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    rest = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    remote = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), remote)
    port = remote.add_insecure_port("127.0.0.1:0")
    remote.start()
    try:
        yield f"http://127.0.0.1:{rest.server_port}", f"127.0.0.1:{port}"
    finally:
        rest.shutdown()
        rest.server_close()
        remote.stop(None).wait()


def _arrays(inputs):
    return {name: tf.make_ndarray(tensor) for name, tensor in inputs.items()}


def _is_object(value):
    return isinstance(value, dict) and value.keys() != {"b64"}


def _tensor(values, dtype):
    """JSON values as an array of the signature's dtype; a number is no string, and a fraction no integer."""

    def check(value):
        if isinstance(value, list):
            return [check(part) for part in value]
        if isinstance(value, dict):
            value = base64.b64decode(value["b64"])
        right = (str, bytes) if dtype == tf.string else int if dtype.is_integer else (int, float)
        if not isinstance(value, right) or isinstance(value, bool):
            raise ValueError(f"JSON Value: {value!r} is not of expected type: {dtype.name}")
        return value

    return np.array(check(values), object if dtype == tf.string else dtype.as_numpy_dtype)


def _json_values(array):
    """What the server writes of an array; strings have to be UTF-8."""
    if isinstance(array, np.ndarray):
        return [_json_values(part) for part in array]
    return array.decode("utf-8") if isinstance(array, bytes) else array.item()
