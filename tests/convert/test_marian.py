"""Hugging Face's layout against what transformers gave, and Marian's own against NumPy."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.convert import convert
from keras_transformer.convert.marian_npz import read_npz
from keras_transformer.convert.safetensors_file import read_safetensors
from keras_transformer.decoding import BeamSearch, GreedySearch
from tests import reference
from tests.convert import originals

GOLDEN = pathlib.Path(__file__).parent / "golden"
ORIGINAL = json.loads((GOLDEN / "marian.json").read_text())
PADDING = ORIGINAL["targets"][0]


@pytest.fixture(scope="module")
def translator():
    return convert(GOLDEN / "marian")


def logits_of(translator, source_ids):
    inputs = {"source_ids": np.array([source_ids]), "target_ids": np.array([ORIGINAL["targets"]])}
    return np.asarray(translator.transformer(inputs))[0]


def test_ids_are_the_originals(translator):
    found = translator.tokenizer.tokenize(ORIGINAL["texts"], add_end=True).to_list()
    for text, ids, wanted in zip(ORIGINAL["texts"], found, ORIGINAL["ids"]):
        assert ids == wanted, text[:50]


def test_logits_are_the_originals(translator):
    assert type(translator) is Translator
    for source_ids, wanted in zip(ORIGINAL["sources"], ORIGINAL["logits"]):
        np.testing.assert_allclose(logits_of(translator, source_ids), wanted, atol=1e-4)


@pytest.mark.parametrize("number", range(len(originals.GENERATION)))
def test_texts_are_the_originals_under_settings(number, tmp_path):
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "m")
    originals.change_generation(folder, originals.GENERATION[number])
    found = convert(folder)(ORIGINAL["short"])
    assert [text.decode() for text in found.numpy()] == ORIGINAL["generation"][number]


def settings_of(tmp_path, **settings):
    """The translator of the golden model whose generation_config.json says this alone."""
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "m")
    (folder / "generation_config.json").write_text(json.dumps({"pad_token_id": PADDING, **settings}))
    return convert(folder)


@pytest.mark.parametrize(
    "settings, config",
    [
        ({"min_length": 12}, {"min_length": 11}),  # transformers counts the begin id
        ({"min_length": 3, "min_new_tokens": 5}, {"min_length": 5}),
        ({"do_sample": True, "temperature": 0.5}, {"temperature": 0.5, "top_k": 50, "top_p": 1.0, "min_length": 0}),
        ({"do_sample": True, "top_k": 0, "top_p": 0.9}, {"temperature": 1.0, "top_k": 0, "top_p": 0.9}),
        ({"num_beams": 2, "length_penalty": 0.0}, {"beam_size": 2, "length_penalty": 0.0, "early_stopping": False}),
        ({"max_length": 7}, {"max_target_length": 6}),
        ({"max_length": 7, "max_new_tokens": 3}, {"max_target_length": 3}),
    ],
)
def test_settings_that_are_followed(tmp_path, settings, config, recwarn):
    translator = settings_of(tmp_path, **settings)
    found = {**translator.search.get_config(), "max_target_length": translator.max_target_length}
    assert {key: found[key] for key in config} == config
    assert not [warning for warning in recwarn if warning.category is UserWarning]


def test_settings_that_are_not_followed_are_told(tmp_path):
    settings = {"no_repeat_ngram_size": 3, "repetition_penalty": 1.0, "forced_bos_token_id": 4, "surprise": 1}
    with pytest.warns(UserWarning) as warned:
        settings_of(tmp_path, **settings, bad_words_ids=[[5]], forced_eos_token_id=7, do_sample=True, num_beams=2)
    told = " | ".join(str(warning.message) for warning in warned)
    for text in (
        "generation_config.json that are not followed: no_repeat_ngram_size=3, forced_bos_token_id=4",
        "Unknown settings in",
        "which are not followed: surprise",
        "not followed: forced_eos_token_id=7, bad_words_ids=[[5]], do_sample=True",
    ):
        assert text in told
    assert "repetition_penalty" not in told


def test_without_generation_config_an_old_config_counts(tmp_path):
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "m")
    (folder / "generation_config.json").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_beams": 3, "max_length": 9, "length_penalty": None}))
    translator = convert(folder)
    assert (translator.search.beam_size, translator.search.length_penalty, translator.max_target_length) == (3, 1.0, 8)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"min_length": "12"}, "Expected a number, min_length, in .*generation_config.json. Received: '12'"),
        ({"eos_token_id": 5}, "Expected .*'eos_token_id': 0.* Received: {'eos_token_id': 5}"),
        ({"num_beams": 2, "length_penalty": -1.0}, "generation_config.json .* length_penalty=-1.0"),
        ({"num_beams": 2, "early_stopping": "maybe"}, "generation_config.json .* early_stopping='maybe'"),
    ],
)
def test_settings_that_are_refused(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        settings_of(tmp_path, **settings)


@pytest.mark.parametrize(
    "config, message",
    [
        ({"tokenizer_class": "T5Tokenizer"}, "Expected a MarianTokenizer .* Received: T5Tokenizer"),
        ({"eos_token": "<eos>"}, "special tokens .* Received: MarianTokenizer with .*<eos>"),
        ({"additional_special_tokens": ["<x>"]}, "Received: .*<x>"),
        ({"sp_model_kwargs": {"alpha": 1}}, "Received: .*sp_model_kwargs="),
    ],
)
def test_another_tokenizer_of_hugging_face(tmp_path, config, message):
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "m")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=message):
        convert(folder)


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_beams_are_the_originals(translator, penalty):
    wanted = ORIGINAL["beams"][str(penalty)]
    config = translator.search.get_config()
    assert (config["beam_size"], config["length_penalty"], config["rules"]) == (4, 1.0, "transformers")
    search = BeamSearch(**{**config, "length_penalty": penalty})
    source_ids, _ = translator.source_ids(ORIGINAL["short"])
    limits = tf.fill([len(ORIGINAL["short"])], ORIGINAL["max_tokens"])
    find = tf.function(lambda ids: search(translator.transformer, ids, limits, PADDING, 0, PADDING))
    found = find(source_ids)
    ids = np.array(wanted["ids"])
    np.testing.assert_array_equal(found.ids[:, :, : ids.shape[2]], ids)
    np.testing.assert_allclose(found.scores, wanted["scores"], atol=1e-4)
    assert penalty > 1 or len(set(np.sum(ids[:, 0] != PADDING, axis=1))) > 2  # of several lengths
    texts = [text.decode() for text in tf.reshape(translator.detokenize(found.ids), [-1]).numpy()]
    assert texts == wanted["texts"]


def test_a_text_of_special_tokens_is_translated(translator):
    """Limits count the places of a source, not ids that differ from those of padding and end."""
    source_ids, lengths = translator.source_ids(["", "</s>", "<pad> </s>", "red"])
    assert lengths.numpy().tolist() == [1, 2, 3, len(translator.tokenizer.tokenize(["red"]).to_list()[0]) + 1]
    limits = []
    translator.search_ids(source_ids, search=_Limits(limits))
    np.testing.assert_array_equal(limits, [0, 51, 52, int(lengths[3]) + 49])
    assert translator.attention("</s>")[0] == ["</s>", "</s>"]


class _Limits(GreedySearch):
    """Notes the limits that it is given."""

    def __init__(self, limits):
        super().__init__()
        self.limits = limits

    def __call__(self, model, source_ids, length_limits, **settings):
        self.limits.extend(length_limits.numpy())


def test_saved_and_reloaded(translator, tmp_path):
    translator.save(tmp_path / "t.keras")
    reloaded = keras.models.load_model(tmp_path / "t.keras")
    assert reloaded.get_config() == translator.get_config()
    source_ids = ORIGINAL["sources"][0]
    np.testing.assert_array_equal(logits_of(reloaded, source_ids), logits_of(translator, source_ids))
    reloaded.search, reloaded.max_extra_length = GreedySearch(), 2
    ids = reloaded.search_ids(tf.constant([source_ids])).ids[0]
    assert reloaded([ORIGINAL["short"][0]]).numpy() == reloaded.target_side.detokenize(ids).numpy()


def test_the_begin_id_is_real_though_it_is_padding(translator):
    """The decoder attends to it, and step by step it gives what it gives at once."""
    model = translator.transformer
    source, target = np.array([ORIGINAL["sources"][0]]), np.array([ORIGINAL["targets"]])
    cache = model.make_cache(model.encode(source), target.shape[1])
    steps = []
    for i in range(target.shape[1]):
        logits, cache = model.decode_step(target[:, i : i + 1], cache, i)
        steps.append(np.asarray(logits)[:, 0])
    np.testing.assert_allclose(np.stack(steps, axis=1)[0], logits_of(translator, source[0]), atol=1e-5)


NPZ_CONFIG = """dec-depth: 1
dim-emb: 16
dim-vocabs:
  - {size}
  - {size}
enc-depth: 2
tied-embeddings-all: true
transformer-dim-ffn: 23
transformer-ffn-activation: swish
transformer-heads: 4
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-preprocess: ""
transformer-tied-layers:
  []
type: transformer
"""


def npz_arrays():
    """The weights of the golden model by the names of Marian, which has no padding id."""
    tensors = read_safetensors(GOLDEN / "marian" / "model.safetensors")
    arrays = {
        "Wemb": tensors["model.shared.weight"][:-1],
        "decoder_ff_logit_out_b": tensors["final_logits_bias"][:, :-1],
        "special:model.yml": np.frombuffer(NPZ_CONFIG.format(size=PADDING).encode() + b"\0", np.int8),
    }
    for side, depth in (("encoder", 2), ("decoder", 1)):
        for i in range(depth):
            layer, block = f"model.{side}.layers.{i}", f"{side}_l{i + 1}"
            parts = [("self_attn", "self")] + ([("encoder_attn", "context")] if side == "decoder" else [])
            dense = [(f"{layer}.fc{n}", f"{block}_ffn_", str(n)) for n in (1, 2)]
            norms = [(f"{layer}.final_layer_norm", f"{block}_ffn_ffn_ln")]
            for theirs, ours in parts:
                for name in ("q", "k", "v", "out"):
                    dense.append((f"{layer}.{theirs}.{name}_proj", f"{block}_{ours}_", name[0]))
                norms.append((f"{layer}.{theirs}_layer_norm", f"{block}_{ours}_Wo_ln"))
            for theirs, ours, suffix in dense:
                arrays[f"{ours}W{suffix}"] = tensors[f"{theirs}.weight"].T
                arrays[f"{ours}b{suffix}"] = tensors[f"{theirs}.bias"][None]
            for theirs, ours in norms:
                arrays[f"{ours}_scale"] = tensors[f"{theirs}.weight"][None]
                arrays[f"{ours}_bias"] = tensors[f"{theirs}.bias"][None]
    return arrays


def marian_logits(arrays, source_ids, target_ids):
    """The model in float64 NumPy, after Marian's own code: its sinusoids and its epsilon are not transformers'."""
    w = {name: np.asarray(array, "float64") for name, array in arrays.items() if not name.startswith("special")}
    table = np.concatenate([w["Wemb"], np.zeros((1, 16))])  # the padding id, with which decoding begins

    def embed(ids):
        wavelengths = 10000.0 ** (np.arange(8) / 7)
        angles = np.arange(len(ids))[:, None] / wavelengths
        return table[ids] * 4.0 + np.concatenate([np.sin(angles), np.cos(angles)], axis=1)

    def norm(x, name):
        return reference.layer_norm(x, w[f"{name}_ln_scale"][0], w[f"{name}_ln_bias"][0], 1e-6)

    def attend(x, context, name, mask=None):
        names = {"query": "q", "key": "k", "value": "v", "output": "o"}
        matrices = {f"{role}_kernel": w[f"{name}_W{letter}"] for role, letter in names.items()}
        biases = {f"{role}_bias": w[f"{name}_b{letter}"][0] for role, letter in names.items()}
        attended = reference.multi_head_attention(x, context, {**matrices, **biases, "heads": 4}, mask)
        return norm(x + attended, f"{name}_Wo")

    def feed_forward(x, name):
        hidden = x @ w[f"{name}_W1"] + w[f"{name}_b1"]
        hidden = hidden / (1 + np.exp(-hidden))  # swish
        return norm(x + hidden @ w[f"{name}_W2"] + w[f"{name}_b2"], f"{name}_ffn")

    memory = embed(source_ids)
    for i in (1, 2):
        memory = feed_forward(attend(memory, memory, f"encoder_l{i}_self"), f"encoder_l{i}_ffn")
    x = embed(target_ids)
    x = attend(x, x, "decoder_l1_self", np.tri(len(x), dtype=bool))
    x = feed_forward(attend(x, memory, "decoder_l1_context"), "decoder_l1_ffn")
    return x @ w["Wemb"].T + w["decoder_ff_logit_out_b"]


@pytest.fixture
def marian_folder(tmp_path):
    folder = tmp_path / "npz"
    folder.mkdir()
    np.savez(folder / "opus.npz.best-perplexity.npz", **npz_arrays())
    ids = json.loads((GOLDEN / "marian" / "vocab.json").read_text())
    lines = [f"{json.dumps(token)}: {i}\n" for token, i in ids.items() if token != "<pad>"]
    (folder / "opus.vocab.yml").write_text("".join(lines))
    for name in ("source.spm", "target.spm"):
        shutil.copy(GOLDEN / "marian" / name, folder)
    return folder


def test_marians_own_format(marian_folder, translator):
    found = convert(marian_folder)
    texts = [text for text in ORIGINAL["texts"] if "</s>" not in text and "<pad>" not in text and "<unk>" not in text]
    assert found.tokenizer.tokenize(texts).to_list() == translator.tokenizer.tokenize(texts).to_list()
    ((*pieces,),) = found.tokenizer.tokenize(["</s><pad>"]).to_list()
    assert not {found.tokenizer.end_id, PADDING} & set(pieces)  # Marian knows no special tokens in texts
    for source_ids in ORIGINAL["sources"]:
        wanted = marian_logits(npz_arrays(), source_ids, ORIGINAL["targets"])
        logits = logits_of(found, source_ids)
        np.testing.assert_allclose(logits[:, :-1], wanted, atol=1e-4)
        np.testing.assert_array_equal(logits[:, -1], np.zeros(5))  # the padding id, which is never chosen


def test_the_search_of_decoder_yml(marian_folder):
    assert read_npz(marian_folder).search.beam_size == 6
    (marian_folder / "decoder.yml").write_text("models:\n  - opus.npz\nbeam-size: 3\nnormalize: 0.5\n")
    search = read_npz(marian_folder).search
    assert (search.beam_size, search.length_penalty, search.length_normalization) == (3, 0.5, "power")
    (marian_folder / "decoder.yml").write_text("beam-size: 1\n")
    assert type(read_npz(marian_folder).search) is GreedySearch


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("type: transformer", "type: s2s", "Received: type='s2s'"),
        ("postprocess: dan", "postprocess: da", "Received: transformer-postprocess='da'"),
        ("swish", "gelu", "Received: transformer-ffn-activation='gelu'"),
        ("tied-embeddings-all: true", "tied-embeddings-all: false", "Received: tied-embeddings=None"),
        ("enc-depth: 2", "enc-depth: two", "Expected numbers .* Received: enc-depth='two'"),
        ("enc-depth: 2", "enc-depth: 1", r"extra: encoder_l2_self_Wq of shape \(16, 16\)"),
        ("enc-depth: 2", "enc-depth: 3", r"missing: encoder_l3_self_Wq of shape \(16, 16\)"),
        ("dim-ffn: 23", "dim-ffn: 24", r"misshapen: encoder_l1_ffn_W1, \(16, 24\) expected, \(16, 23\) received"),
    ],
)
def test_another_configuration(marian_folder, old, new, message):
    arrays = npz_arrays()
    text = arrays["special:model.yml"].tobytes().replace(old.encode(), new.encode())
    arrays["special:model.yml"] = np.frombuffer(text, np.int8)
    np.savez(marian_folder / "opus.npz.best-perplexity.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        convert(marian_folder)


def test_settings_of_decoder_yml_that_are_not_followed(marian_folder):
    (marian_folder / "decoder.yml").write_text("beam-size: 3\nword-penalty: 0.4\nallow-unk: false\nsurprise: 1\n")
    with pytest.warns(UserWarning) as warned:
        read_npz(marian_folder)
    dropped, unknown = (str(warning.message) for warning in warned)
    assert dropped.endswith("decoder.yml that are not followed: word-penalty='0.4'")
    assert unknown.endswith("decoder.yml, which are not followed: surprise")


def test_npz_files_that_are_none(marian_folder):
    path = marian_folder / "opus.npz.best-perplexity.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="Expected an .npz file of numbers. Received: .*best-perplexity"):
        convert(marian_folder)
    np.savez(path, x=np.array([{}], dtype=object))  # a pickle inside
    with pytest.raises(ValueError, match="Expected an .npz file of numbers"):
        convert(marian_folder)
    np.savez(path, x=np.ones(3))
    with pytest.raises(ValueError, match="Expected a Marian model with special:model.yml .* Received: x"):
        convert(marian_folder)
    np.savez(marian_folder / "other.npz", x=np.ones(3))
    with pytest.raises(ValueError, match="Expected one .npz file .* Received: opus.npz.best-perplexity.npz, other.npz"):
        convert(marian_folder)


@pytest.mark.parametrize("name, error", [("opus.vocab.yml", FileNotFoundError), ("source.spm", FileNotFoundError)])
def test_a_missing_file(marian_folder, name, error):
    (marian_folder / name).unlink()
    with pytest.raises(error, match="Expected .*(vocab.yml|source.spm)"):
        convert(marian_folder)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"scale_embedding": False}, "Received: scale_embedding=False"),
        ({"activation_function": "tanh"}, "Received: activation_function='tanh'"),
        ({"decoder_ffn_dim": 5}, "Received: encoder_ffn_dim=23, decoder_ffn_dim=5"),
        ({"decoder_start_token_id": 0}, "Received: {'decoder_start_token_id': 0}"),
        ({"d_model": None}, "Expected .*d_model .int.* Received: d_model=None"),
        ({"decoder_layers": 2}, r"missing: model.decoder.layers.1.self_attn.q_proj.weight of shape \(16, 16\)"),
    ],
)
def test_another_model_of_hugging_face(tmp_path, values, message):
    folder = tmp_path / "copy"
    shutil.copytree(GOLDEN / "marian", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))
    with pytest.raises(ValueError, match=message):
        convert(folder)


def test_two_vocabularies_need_two_embeddings(tmp_path):
    folder = shutil.copytree(GOLDEN / "marian", tmp_path / "m")
    vocabulary = json.loads((folder / "vocab.json").read_text())
    first, second = list(vocabulary)[10:12]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (folder / "target_vocab.json").write_text(json.dumps(vocabulary))
    (folder / "tokenizer_config.json").write_text(json.dumps({"separate_vocabs": True}))
    with pytest.raises(ValueError, match="Received: two vocabularies and one embedding"):
        convert(folder)
