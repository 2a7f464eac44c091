"""An embedder with prompts gives, for a role, what it gives for texts with the prompt in front."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_transformer
from keras_transformer import TextEmbedder
from keras_transformer.convert import convert
from keras_transformer.models import SentenceEncoder
from keras_transformer.pipelines.embedding import DOCUMENT, QUERY
from keras_transformer.search import SemanticIndex
from keras_transformer.text import ByteTokenizer
from keras_transformer.training.names import ROLES
from tests import operations, reference

PROMPTS = {"query": "query: ", "passage": "pas sage:"}
TEXTS = ["red dog", "", "blue house runs"]
GOLDEN = pathlib.Path(__file__).parents[1] / "convert" / "golden"


def make(**options):
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 13, 3, output_dim=5)
    reference.randomize(encoder, seed=3)
    return TextEmbedder(encoder, tokenizer, max_length=30, **options)


@pytest.fixture(scope="module")
def plain():
    return make()


@pytest.fixture(scope="module")
def embedder():
    return make(prompts=PROMPTS)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("embedder") / "1"
    make(prompts=PROMPTS, default_prompt="passage").export(path, frozen=True)
    return keras_transformer.load(path)


def behind(text, texts=TEXTS):
    return [text + one for one in texts]


def test_a_role_is_its_prompt_in_front(embedder, plain):
    for role, prompt in PROMPTS.items():
        wanted = plain.embed(behind(prompt))
        np.testing.assert_allclose(embedder.embed(TEXTS, prompt=role), wanted, atol=1e-6)
        np.testing.assert_allclose(embedder(TEXTS, prompt=role), wanted, atol=1e-6)
        np.testing.assert_allclose(list(embedder.embed_stream(TEXTS, prompt=role)), wanted, atol=1e-6)
        np.testing.assert_array_equal(embedder.num_tokens(TEXTS, role), plain.num_tokens(behind(prompt)))
    np.testing.assert_allclose(embedder.embed(TEXTS), plain.embed(TEXTS), atol=1e-6)
    assert np.abs(embedder.embed(TEXTS, prompt="query") - plain.embed(TEXTS)).max() > 1e-2


def test_queries_and_documents_have_theirs(embedder, plain):
    np.testing.assert_allclose(embedder.embed_queries(TEXTS), plain.embed(behind("query: ")), atol=1e-6)
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), plain.embed(behind("pas sage:")), atol=1e-6)
    np.testing.assert_allclose(plain.embed_queries(TEXTS), plain.embed(TEXTS), atol=1e-6)
    index, texts = SemanticIndex(embedder), ["red dog", "a tree", "blue house"]
    index.add(texts)
    wanted = plain.embed(["query: dog"]) @ plain.embed(behind("pas sage:", texts)).T
    (hits,) = index.search(["dog"])
    assert [hit.score for hit in hits] == pytest.approx(np.sort(wanted[0])[::-1], abs=1e-5)


def test_are_saved_and_exported(embedder, plain, exported, tmp_path):
    embedder.save(tmp_path / "embedder.keras")
    reloaded = keras.models.load_model(tmp_path / "embedder.keras")
    assert (reloaded.prompts, reloaded.default_prompt) == (PROMPTS, None)
    assert "prompts" not in plain.get_config()
    assert exported.prompts == PROMPTS
    for role, prompt in (*PROMPTS.items(), (None, PROMPTS["passage"])):
        wanted = plain.embed(behind(prompt))
        np.testing.assert_allclose(exported.embed(TEXTS, prompt=role), wanted, atol=1e-5)
        np.testing.assert_array_equal(exported.num_tokens(TEXTS, role), plain.num_tokens(behind(prompt)))
    served = exported.saved_model.signatures["query"](inputs=tf.constant(TEXTS))["outputs"]
    np.testing.assert_allclose(served, plain.embed(behind("query: ")), atol=1e-5)
    np.testing.assert_allclose(exported(TEXTS), plain.embed(behind("pas sage:")), atol=1e-5)

    listed = pathlib.Path(__file__).parents[2] / "examples" / "serving" / "operations.txt"
    names = {line.split()[0] for line in listed.read_text().splitlines() if line.strip()}
    assert not operations.of_saved_model(pathlib.Path(exported.path)) - names


def test_training_knows_the_same_roles():
    assert ROLES == QUERY + DOCUMENT


def test_a_prompt_counts_as_text(embedder):
    with pytest.warns(UserWarning, match=r"1 of 2 texts .* max_length=30 tokens \(number 1\)"):
        embedder.embed(["x" * 24, "x" * 23], prompt="query")


def test_what_is_refused(embedder, exported, plain, tmp_path):
    for one in (embedder, exported):
        with pytest.raises(ValueError, match=r"a prompt of \['query', 'passage'\]. Received: 'answer'"):
            one.embed(TEXTS, prompt="answer")
    with pytest.raises(ValueError, match=r"a prompt of \[\]. Received: 'query'"):
        plain.embed(TEXTS, prompt="query")
    with pytest.raises(ValueError, match="Received: 'answer'"):
        make(prompts=PROMPTS, default_prompt="answer")
    with pytest.raises(ValueError, match="with roles not in .* Received: 'ids': 'x'"):
        make(prompts={"ids": "x"})
    with pytest.raises(ValueError, match="without a default prompt. Received: 'query'"):
        make(prompts=PROMPTS, default_prompt="query").export(tmp_path / "a.tflite", format="litert")


def test_those_of_sentence_transformers_are_kept(tmp_path):
    folder = tmp_path / "bert"
    shutil.copytree(GOLDEN / "bert", folder)
    source = folder / "config_sentence_transformers.json"
    prompts = {"query": "dog: ", "document": "", "other": "two "}
    config = {**json.loads(source.read_text()), "prompts": prompts, "default_prompt_name": "other"}
    source.write_text(json.dumps(config))
    converted, without = convert(folder), convert(GOLDEN / "bert")
    assert (converted.prompts, converted.default_prompt) == (prompts, "other")
    np.testing.assert_allclose(converted.embed_documents(TEXTS), without.embed(TEXTS), atol=1e-6)
    for role, prompt in (("query", "dog: "), (None, "two ")):
        np.testing.assert_allclose(
            converted.embed(TEXTS, prompt=role), without.embed(behind(prompt)), atol=1e-6, err_msg=role
        )
