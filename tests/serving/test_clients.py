"""The clients of examples/serving, over REST and gRPC, against a stand-in or a live server.

The live one is tested where TF_SERVING_URL is set (and TF_SERVING_GRPC, by default port 8500 of the same host); it has
to serve what `python -m tests.serving.make_models examples/serving/models` writes, configured by models.config.
"""

import importlib.util
import json
import os
import pathlib
import urllib.error
import urllib.parse

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from keras_transformer.decoding import BeamSearch
from tests.serving import make_models, stand_in

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "serving"
TEXTS = ["red dog", "blue house runs", "?!", "漢", "one two three " * 9]
URL = os.environ.get("TF_SERVING_URL", "").rstrip("/")


def read_config(name):
    text = (FOLDER / "config" / name).read_text()
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())


def client(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


rest_client, grpc_client = client("rest_client"), client("grpc_client")


@pytest.fixture(scope="module")
def pipelines():
    return make_models.pipelines()


@pytest.fixture(scope="module")
def models(pipelines, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    make_models.export(pipelines, folder)
    return stand_in.Models(folder)


@pytest.fixture(scope="module", params=["stand-in", "live"])
def addresses(request):
    """(the REST address, the gRPC address)."""
    if request.param == "stand-in":
        models = request.getfixturevalue("models")
        models.apply(read_config("models.config"))
        with stand_in.serve(models) as addresses:
            yield addresses
    elif not URL:
        pytest.skip("TF_SERVING_URL is not set: no live server to ask")
    else:
        host = urllib.parse.urlsplit(URL).hostname
        yield URL, os.environ.get("TF_SERVING_GRPC", f"{host}:8500")


@pytest.fixture(params=["rest", "grpc"])
def ask(request, addresses):
    """(the client's functions, what they take as the server)."""
    if request.param == "rest":
        yield rest_client, addresses[0]
    else:
        with grpc.insecure_channel(addresses[1]) as channel:
            yield grpc_client, channel


@pytest.fixture(scope="module")
def translations(pipelines):
    """Of `TEXTS`, by each version of the translator."""
    return [list(translator.translate(TEXTS)) for translator in pipelines["translator"]]


@pytest.fixture(scope="module")
def hypotheses(pipelines, translations):
    """Of `TEXTS` and no text, by the first version with a length penalty of 1.5."""
    translator = pipelines["translator"][0]
    translator.search = BeamSearch(3, 1.5, num_best=2)
    return list(translator.translate_n_best([*TEXTS, ""]))


def test_translations(ask, translations):
    client, server = ask
    wanted = translations[0]
    assert len(set(wanted)) > 2
    assert client.translate(server, TEXTS, label="stable") == client.translate(server, TEXTS) == wanted


def test_hypotheses(ask, hypotheses):
    client, server = ask
    found = client.translate_n_best(server, [*TEXTS, ""], length_penalty=1.5)
    for row, table in zip(found, hypotheses, strict=True):
        assert [text for text, _ in row] == [text for text, _ in table]
        np.testing.assert_allclose([score for _, score in row], [score for _, score in table], atol=1e-4)
    assert found[-1] == [("", 0.0)]


def test_vectors(ask, pipelines):
    client, server = ask
    np.testing.assert_allclose(client.embed(server, TEXTS), pipelines["embedder"][0].embed(TEXTS), atol=1e-5)


def test_answers_are_ranked(ask, pipelines):
    client, server = ask
    embedder, contexts = pipelines["question_answer"][0], ["one", "", "red", "tree", "a dog"]
    scores = embedder.embed_questions(["red dog"])[0] @ embedder.embed_responses(TEXTS, contexts).T
    found = client.rank(server, "red dog", TEXTS, contexts)
    assert [text for _, text in found] == [TEXTS[i] for i in np.argsort(-scores)]
    np.testing.assert_allclose([score for score, _ in found], np.sort(scores)[::-1], atol=1e-5)


def test_nothing_is_not_asked(ask):
    """A server that batches would wait for the first row until the client gives up."""
    client, _ = ask
    nobody = None  # whom to ask would be an error
    assert client.translate(nobody, []) == client.translate_n_best(nobody, []) == client.embed(nobody, []) == []
    assert client.rank(nobody, "red dog", [], []) == []


def test_all_signatures_in_row_format(addresses, pipelines):
    translator, (server, _) = pipelines["translator"][0], addresses

    def predict(model, signature, rows):
        return rest_client.predict(server, model, {"signature_name": signature, "instances": rows})

    counts = [{"outputs": n, "longest": 512} for n in translator.num_source_tokens(TEXTS).numpy().tolist()]
    assert predict("translator", "lengths", TEXTS) == counts
    ids = translator.source_ids(TEXTS[:3])[0].numpy().tolist()
    assert len(predict("translator", "ids", ids)) == 3
    sample = [{"inputs": "red dog", "seed": seed, "temperature": 2.5, "top_p": 0.95} for seed in (1, 2, 1)]
    first, second, third = predict("translator", "sample", sample)
    assert first == third != second
    aligned = predict("translator", "alignment", ["red dog", "one"])
    assert np.shape(aligned[0]["weights"]) == (len(aligned[0]["target_tokens"]), len(aligned[0]["source_tokens"]))
    tokens = predict("embedder", "tokens", ["red dog", ""])
    assert tokens[1]["lengths"] == 0 and len(tokens[0]["tokens"]) == tokens[0]["lengths"] > 0
    packed = rest_client.predict(server, "embedder", {"instances": [{"b64": "cmVkIGRvZw=="}]})  # "red dog"
    np.testing.assert_allclose(packed, rest_client.embed(server, ["red dog"]), atol=1e-6)


@pytest.mark.parametrize(
    "body, message",
    [
        ({"instances": [5]}, "expected type: "),
        ({"signature_name": "n_best", "instances": [{"inputs": "a"}]}, "keys must be equal to"),
        ({}, "Missing 'inputs' or 'instances' key"),
    ],
)
def test_bad_requests(addresses, body, message):
    with pytest.raises(urllib.error.HTTPError) as error:
        rest_client.predict(addresses[0], "translator", body)
    assert error.value.code == 400 and message in json.load(error.value)["error"]


_TABLE = [["red dog", "one"], ["two", ""]]  # two rows to whoever counts, and four texts


@pytest.mark.parametrize(
    "model, body",
    [
        ("translator", {"instances": _TABLE}),
        ("translator", {"signature_name": "ids", "instances": [5, 3]}),
        ("translator", {"signature_name": "lengths", "instances": _TABLE}),
        ("embedder", {"instances": _TABLE}),
        ("embedder", {"signature_name": "tokens", "instances": _TABLE}),
        ("embedder", {"signature_name": "ids", "instances": [[[5, 3]], [[6, 3]]]}),
        ("question_answer", {"signature_name": "question_encoder", "instances": _TABLE}),
        (
            "question_answer",
            {"signature_name": "response_encoder", "inputs": {"input": _TABLE, "context": ["red", "one"]}},
        ),
    ],
)
def test_inputs_of_another_rank_are_refused(addresses, model, body):
    with pytest.raises(urllib.error.HTTPError) as error:
        rest_client.predict(addresses[0], model, body)
    assert error.value.code == 400 and "is not compatible with expected shape [?" in json.load(error.value)["error"]


def test_a_rolling_update(models, translations):
    """The steps of examples/serving/README.md: both versions, then the label moves, then the first one goes."""
    before, after = translations
    assert before != after
    models.apply(read_config("models.config"))
    with stand_in.serve(models) as (server, _):
        config = read_config("models.canary.config")
        models.apply(config)
        assert rest_client.translate(server, TEXTS, "stable") == before
        assert rest_client.translate(server, TEXTS, "canary") == after
        (model,) = (model for model in config.model_config_list.config if model.name == "translator")
        model.version_labels["stable"] = 2
        models.apply(config)
        assert rest_client.translate(server, TEXTS, "stable") == after
        model.model_version_policy.specific.versions.remove(1)
        models.apply(config)
        assert rest_client.translate(server, TEXTS, "stable") == rest_client.translate(server, TEXTS) == after
    for name, number in (("translator", 2), ("embedder", 1), ("question_answer", 1)):
        version = models.find(name)
        assert version.number == number
        assert set(version.warmed) == version.signatures.keys() - {"__saved_model_init_op"}
    models.apply(read_config("models.config"))
