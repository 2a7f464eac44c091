"""The server's configuration in examples/serving, parsed by the server's own messages."""

import pathlib
import re

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "serving"
COMPOSE = (FOLDER / "docker-compose.yml").read_text()
FIELD = descriptor_pb2.FieldDescriptorProto

# tensorflow-serving-api leaves these two out: session_bundle_config.proto and monitoring_config.proto of the server.
MESSAGES = {
    "BatchingParameters": {
        "max_batch_size": (1, ".google.protobuf.Int64Value"),
        "batch_timeout_micros": (2, ".google.protobuf.Int64Value"),
        "max_enqueued_batches": (3, ".google.protobuf.Int64Value"),
        "num_batch_threads": (4, ".google.protobuf.Int64Value"),
        "thread_pool_name": (5, ".google.protobuf.StringValue"),
        "pad_variable_length_inputs": (7, FIELD.TYPE_BOOL),
    },
    "PrometheusConfig": {"enable": (1, FIELD.TYPE_BOOL), "path": (2, FIELD.TYPE_STRING)},
    "MonitoringConfig": {"prometheus_config": (1, ".serving.PrometheusConfig")},
}


def message(name):
    """A new message of `MESSAGES`."""
    file = descriptor_pb2.FileDescriptorProto(name="serving.proto", package="serving", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for type_name, fields in MESSAGES.items():
        added = file.message_type.add(name=type_name)
        for field, (number, kind) in fields.items():
            of_field = {"type_name": kind} if isinstance(kind, str) else {"type": kind}
            added.field.add(name=field, number=number, label=FIELD.LABEL_OPTIONAL, **of_field)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"serving.{name}"))()


def parse(name, into):
    return text_format.Parse((FOLDER / "config" / name).read_text(), into)


def flags():
    """{flag: value} of the server's command."""
    return dict(re.findall(r"^ +- --(\w+)=(\S+)$", COMPOSE, re.MULTILINE))


@pytest.mark.parametrize("name", ["models.config", "models.canary.config"])
def test_models(name):
    models = parse(name, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert [model.name for model in models] == ["translator", "embedder", "question_answer"]
    for model in models:
        assert model.base_path == f"/models/{model.name}" and model.model_platform == "tensorflow"
    translator, *others = models
    assert translator.version_labels["stable"] == 1
    assert set(translator.version_labels.values()) == set(translator.model_version_policy.specific.versions)
    assert all(model.model_version_policy.latest.num_versions == 1 for model in others)


def test_batching():
    batching = parse("batching.config", message("BatchingParameters"))
    assert batching.max_batch_size.value == 32 and batching.batch_timeout_micros.value == 2000
    assert batching.max_enqueued_batches.value == 100 and batching.num_batch_threads.value == 2
    assert not batching.pad_variable_length_inputs


def test_monitoring():
    monitoring = parse("monitoring.config", message("MonitoringConfig"))
    assert monitoring.prometheus_config.enable
    path = monitoring.prometheus_config.path
    assert path == "/monitoring/prometheus/metrics" and path in (FOLDER / "README.md").read_text()


def test_the_parser_refuses_what_the_server_would():
    with pytest.raises(text_format.ParseError, match='no field named "max_size"'):
        text_format.Parse("max_size { value: 1 }", message("BatchingParameters"))


def test_the_command_uses_all_files():
    used = {value.removeprefix("/config/") for value in flags().values() if value.startswith("/config/")}
    assert {"models.canary.config", *used} == {path.name for path in (FOLDER / "config").iterdir()}
    assert flags()["enable_batching"] == flags()["enable_model_warmup"] == "true"
    # A label may stand in models.config before its version is loaded, as it is when the server starts.
    assert flags()["allow_version_labels_for_unavailable_models"] == "true"
    assert "./config:/config:ro" in COMPOSE and "./models:/models:ro" in COMPOSE


def test_the_description_names_files_that_exist():
    text = (FOLDER / "README.md").read_text()
    for name in re.findall(r"\]\(([^)#]+)\)", text):
        assert name.startswith("https://") or (FOLDER / name).exists(), name
