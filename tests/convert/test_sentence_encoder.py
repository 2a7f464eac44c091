"""Against what sentence-transformers gave; golden/ is made by make_golden.py."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import TextEmbedder
from keras_transformer.convert import convert

GOLDEN = pathlib.Path(__file__).parent / "golden"


def original(kind):
    return json.loads((GOLDEN / f"{kind}.json").read_text())


@pytest.fixture(scope="module", params=["bert", "mpnet"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def embedder(kind):
    return convert(GOLDEN / kind)


def test_ids_are_the_originals(embedder, kind):
    wanted = original(kind)
    for text, ids, of_original in zip(
        wanted["texts"], embedder.tokenizer.tokenize(wanted["texts"]).to_list(), wanted["ids"]
    ):
        assert ids == of_original, text[:50]


@pytest.mark.filterwarnings("ignore:.*max_length=")
def test_vectors_are_the_originals(embedder, kind):
    wanted = original(kind)
    assert type(embedder) is TextEmbedder and embedder.max_length == wanted["max_length"]
    np.testing.assert_allclose(embedder.embed(wanted["texts"]), wanted["vectors"], atol=1e-5)
    np.testing.assert_allclose(embedder(wanted["texts"]), wanted["vectors"], atol=1e-5)


def test_what_is_read_from_the_configuration(embedder, kind):
    config = embedder.encoder.get_config()
    wanted = {
        "bert": (["first", "mean"], [{"units": 7, "activation": "tanh", "use_bias": True}], True, None, 40, 0),
        "mpnet": (["mean"], [], False, 32, 300, 1),
    }[kind]
    keys = ("pooling", "projections", "normalize", "relative_position_buckets", "max_length", "padding_id")
    assert tuple(config[key] for key in keys) == wanted


def test_saved_and_reloaded(embedder, kind, tmp_path):
    texts = original(kind)["texts"][:8]
    embedder.save(tmp_path / "e.keras")
    reloaded = keras.models.load_model(tmp_path / "e.keras")
    np.testing.assert_array_equal(reloaded(texts), embedder(texts))
    assert reloaded.get_config() == embedder.get_config()


def test_token_vectors_with_their_ends(embedder, kind):
    ((pieces, vectors),) = embedder.embed_tokens(["Two dogs"])
    ends = {"bert": ("[CLS]", "[SEP]"), "mpnet": ("<s>", "</s>")}[kind]
    assert pieces == [ends[0], "two", "dog", "##s", ends[1]]
    pooled = vectors.mean(axis=0)
    if kind == "mpnet":  # the mean is its vector
        np.testing.assert_allclose(pooled, embedder(["Two dogs"])[0], atol=1e-5)


def test_a_spelled_padding_token_is_attended_to_in_exports(embedder, kind, tmp_path):
    wanted = original(kind)
    padding_token = {"bert": "[PAD]", "mpnet": "<pad>"}[kind]
    texts = [text for text in wanted["texts"] if padding_token in text]
    assert len(texts) == 2
    vectors = [vector for text, vector in zip(wanted["texts"], wanted["vectors"]) if text in texts]
    embedder.export(tmp_path / "1", frozen=True, warmup_texts=())
    signatures = tf.saved_model.load(tmp_path / "1").signatures
    np.testing.assert_allclose(signatures["serving_default"](inputs=texts)["outputs"], vectors, atol=1e-5)
    ids = embedder.tokenizer(texts)  # padded with the padding id
    np.testing.assert_allclose(signatures["ids"](inputs=ids)["outputs"], vectors, atol=1e-5)
    found = signatures["tokens"](inputs=texts)
    for length, pieces in zip(found["lengths"].numpy(), found["tokens"].numpy()):
        assert (
            padding_token.encode() in pieces[:length] and b"" not in pieces[:length] and set(pieces[length:]) <= {b""}
        )


def test_other_dtypes_are_close(kind):
    embedder = convert(GOLDEN / kind, dtype="mixed_bfloat16")
    assert embedder.encoder.dtype_policy.name == "mixed_bfloat16"
    wanted = original(kind)
    found = np.asarray(embedder(wanted["texts"][:8]))
    cosines = (found * wanted["vectors"][:8]).sum(1) / np.linalg.norm(found, axis=1)
    cosines /= np.linalg.norm(wanted["vectors"][:8], axis=1)
    assert cosines.min() > 0.98


@pytest.fixture
def copy(copy_golden):
    """A copy of the BERT whose files a test may spoil, and a function that changes a JSON file in it."""
    return copy_golden("bert")


def test_a_vocabulary_in_a_text_file(copy):
    folder, _ = copy
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in sorted(vocabulary, key=vocabulary.get)))
    wanted = original("bert")
    assert convert(folder).tokenizer.tokenize(wanted["texts"]).to_list() == wanted["ids"]


def test_older_flags_of_pooling(copy):
    folder, change = copy
    flags = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False}
    change("1_Pooling/config.json", pooling_mode=None, **flags)
    wanted = original("bert")
    np.testing.assert_allclose(convert(folder)(wanted["texts"]), wanted["vectors"], atol=1e-5)


def test_lower_casing_of_sentence_transformers(copy):
    """A cased tokenizer behind which sentence-transformers lower-cases: accents stay."""
    folder, change = copy
    change("tokenizer_config.json", do_lower_case=False)
    assert convert(folder).tokenizer.tokenize(["DOG é"]).to_list() == [[2, 1, 1, 3]]
    change("sentence_bert_config.json", do_lower_case=True)
    tokenizer = convert(folder).tokenizer
    assert tokenizer.ids_to_pieces(tokenizer.tokenize(["DOG é"]).values).numpy().tolist() == [
        b"[CLS]", b"dog", b"[UNK]", b"[SEP]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name, values, message",
    [
        ("1_Pooling/config.json", {"pooling_mode": ["lasttoken"]}, "Expected pooling by cls, .* Received: lasttoken"),
        ("2_Dense/config.json", {"activation_function": "torch.nn.SiLU"}, "Identity, Tanh.* Received: SiLU"),
        ("2_Dense/config.json", {"use_residual": True}, "Received: {'use_residual': True}"),
        (
            "config_sentence_transformers.json",
            {"prompts": {"q": "query: "}, "default_prompt_name": "p"},
            r"a default prompt of \['q'\] in .* Received: 'p'",
        ),
        ("config.json", {"vocab_size": 50}, "Expected an embedding for each of the .* subwords .* vocab_size=50"),
    ],
)
def test_what_has_no_counterpart(copy, name, values, message):
    folder, change = copy
    change(name, **values)
    with pytest.raises(ValueError, match=message):
        convert(folder)


def test_truncated_dimensions(copy, tmp_path):
    """As sentence-transformers does: behind the normalization, so that the length is below 1."""
    folder, change = copy
    wanted = np.array(original("bert")["vectors"])[:5, :3]
    change("config_sentence_transformers.json", truncate_dim=3)
    embedder = convert(folder)
    assert embedder.output_dim == 3
    np.testing.assert_allclose(embedder(original("bert")["texts"][:5]), wanted, atol=1e-5)
    embedder.save(tmp_path / "e.keras")
    reloaded = keras.models.load_model(tmp_path / "e.keras")
    np.testing.assert_allclose(reloaded.embed(original("bert")["texts"][:5]), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "name, values, message",
    [
        (
            "config_sentence_transformers.json",
            {"similarity_fn_name": "dot"},
            "similarity_fn_name='dot' .* is ignored",
        ),
        (
            "config_sentence_transformers.json",
            {"surprise": 1},
            "Unknown settings in .*transformers.json are ignored: surprise",
        ),
        (
            "sentence_bert_config.json",
            {"surprise": 1},
            "Unknown settings in .*sentence_bert_config.json are ignored: surprise",
        ),
        (
            "1_Pooling/config.json",
            {"include_prompt": False},
            "1_Pooling/config.json are ignored: include_prompt=False",
        ),
    ],
)
def test_ignored_settings_are_reported(copy, name, values, message):
    folder, change = copy
    change(name, **values)
    with pytest.warns(UserWarning, match=message):
        convert(folder)


@pytest.mark.parametrize(
    "name, values, message",
    [
        (
            "config_sentence_transformers.json",
            {"model_type": "CrossEncoder"},
            "model_type='SentenceTransformer' .*Cross",
        ),
        ("config_sentence_transformers.json", {"truncate_dim": 0}, "truncate_dim of at least 1 in .* Received: 0"),
        (
            "config_sentence_transformers.json",
            {"default_prompt_name": "x"},
            r"a default prompt of \[.*\] in .* Received: 'x'",
        ),
        ("sentence_bert_config.json", {"transformer_task": "text-generation"}, "text alone .* 'text-generation'"),
        ("sentence_bert_config.json", {"query_expansion": {"length": 3}}, "text alone .* {'query_expansion'"),
        (
            "sentence_bert_config.json",
            {"max_seq_length": "33"},
            "length of at least 2.*sentence_bert_config.json.*'33'",
        ),
        ("config.json", {"hidden_dropout_prob": "x"}, r"copy/config.json .* number in \[0, 1\). Received: dropout='x'"),
        ("config.json", {"num_hidden_layers": 10**9}, "of .* weights, as in .*model.safetensors. .* in .*/config.json"),
        ("2_Dense/config.json", {"out_features": 10**9}, "weights, as in .*2_Dense/model.safetensors"),
        ("config.json", {"num_attention_heads": 5}, "copy/config.json"),
    ],
)
def test_settings_that_are_refused(copy, name, values, message):
    folder, change = copy
    change(name, **values)
    with pytest.raises(ValueError, match=message):
        convert(folder)


def test_the_padding_id_is_that_of_the_tokenizer(copy):
    folder, change = copy
    change("config.json", pad_token_id=7)  # of no meaning for BERT, where the mask comes from the tokenizer
    wanted = original("bert")
    np.testing.assert_allclose(convert(folder)(wanted["texts"]), wanted["vectors"], atol=1e-5)


@pytest.mark.parametrize("path", ["../1_Pooling", "/etc", "1_Pooling/../..", "..", 3, None])
def test_modules_outside_of_the_folder(copy, path):
    folder, _ = copy
    shutil.copytree(folder / "1_Pooling", folder.parent / "1_Pooling")
    modules = json.loads((folder / "modules.json").read_text())
    modules[1]["path"] = path
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ValueError, match="paths inside of the folder in .*modules.json|a list of modules with path"):
        convert(folder)


@pytest.mark.parametrize(
    "kinds, message",
    [
        (["Transformer", "Pooling", "LSTM"], "Expected the modules .* Received: LSTM"),
        (["Transformer", "Normalize", "Pooling"], "Received: Transformer, Normalize, Pooling"),
        (["Pooling"], "Received: Pooling"),
    ],
)
def test_other_modules(copy, kinds, message):
    folder, _ = copy
    modules = [{"path": "", "type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ValueError, match=message):
        convert(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "1_Pooling/config.json", "model.safetensors", "2_Dense/model.safetensors"]
)
def test_a_missing_file(copy, name):
    folder, _ = copy
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"Expected {pathlib.Path(name).name}"):
        convert(folder)
