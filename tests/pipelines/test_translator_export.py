"""What the signatures of an exported translator give."""

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling
from keras_transformer.pipelines.precision import in_dtype
from tests import operations
from tests.pipelines.made_translators import TEXTS, make, strings


@pytest.fixture(scope="module")
def beam():
    return make(search=BeamSearch(3, 1.0, num_best=2), max_source_length=20)


@pytest.fixture(scope="module")
def path(beam, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "beam"
    beam.export(path)
    return path


@pytest.fixture(scope="module")
def exported(path):
    return tf.saved_model.load(path)


def test_exported_translations_are_those_of_python(exported, beam):
    wanted = list(beam.translate(TEXTS))
    assert strings(exported(TEXTS)) == strings(exported.signatures["serving_default"](tf.constant(TEXTS))["outputs"])
    assert strings(exported(TEXTS)) == wanted
    ids = beam.tokenizer(TEXTS, add_end=True)
    target_ids = exported.signatures["ids"](ids)["outputs"]
    np.testing.assert_array_equal(target_ids, beam._from_ids(ids))


def test_exported_n_best(exported, beam):
    prefixes = ["", "dog", "", "", "blue"]
    inputs = {"inputs": tf.constant(TEXTS), "prefixes": tf.constant(prefixes)}
    found = exported.signatures["n_best"](**inputs, length_penalty=tf.constant([1.0]))
    assert found["outputs"].shape == found["scores"].shape == (5, 2)
    for row, table in enumerate(beam.translate_n_best(TEXTS, prefixes=prefixes)):
        assert strings(found["outputs"][row])[: len(table)] == [text for text, _ in table]
        np.testing.assert_allclose(found["scores"][row][: len(table)], [score for _, score in table], atol=1e-5)
        assert (found["scores"][row][len(table) :].numpy() == -np.inf).all()
    penalties = tf.constant([0.0, 1.0, 3.0, 1.0, 0.5])
    of_each = exported.signatures["n_best"](**inputs, length_penalty=penalties)
    wanted = beam.search_ids(beam.source_ids(TEXTS)[0], beam.target_side(prefixes), length_penalty=penalties)
    np.testing.assert_array_equal(of_each["outputs"], beam.detokenize(wanted.ids))
    np.testing.assert_allclose(of_each["scores"], wanted.scores, atol=1e-5)
    assert np.abs(of_each["scores"][2] - found["scores"][2]).max() > 0.01


def test_exported_samples(exported, beam):
    sample = exported.signatures["sample"]
    for seed, temperature, top_p in ((1, 1.0, 1.0), (2, 2.0, 0.7)):
        settings = {
            "seed": tf.constant([seed]),
            "temperature": tf.constant([temperature]),
            "top_p": tf.constant([top_p]),
        }
        found = sample(inputs=tf.constant(TEXTS), **settings)["outputs"]
        search = Sampling(temperature, top_p=top_p, seed=seed)
        wanted = beam.search_ids(beam.source_ids(TEXTS)[0], search=search).ids
        assert strings(found) == strings(beam.detokenize(wanted)[:, 0])


def test_settings_without_sense_count_as_the_next_that_has_some(exported):
    """In one batch, whose other rows have to be answered."""
    nan, inf = float("nan"), float("inf")

    def sample(seed, temperature, top_p):
        settings = {"seed": seed, "temperature": temperature, "top_p": top_p}
        settings = {name: tf.constant(value) for name, value in settings.items()}
        return strings(exported.signatures["sample"](inputs=tf.fill([7], "red dog"), **settings)["outputs"])

    odd = sample([1, 1, 1, 1, 1, -5, 0], [nan, -3, inf, 1, 1, 2, 2], [1.0, 1, 1, nan, 7, 1, 1])
    assert odd == sample([1, 1, 1, 1, 1, 0, 0], [1, 1e-6, 1e6, 1, 1, 2, 2], [1.0, 1, 1, 1, 1, 1, 1])
    assert odd == sample([1, 1, 1, 1, 1, -9, -9], [1, 0, 1e30, 1, 1, 2, 2], [1.0, 1, 1, 1, inf, 1, 1])
    assert len(set(odd)) > 2

    def n_best(penalties):
        inputs, prefixes = tf.fill([len(penalties)], "blue house runs"), tf.fill([len(penalties)], "")
        return exported.signatures["n_best"](
            inputs=inputs, prefixes=prefixes, length_penalty=tf.constant(penalties, tf.float32)
        )

    odd, wanted = n_best([nan, -inf, -1, 11, 1e30, inf]), n_best([1, 0, 0, 10, 10, 10])
    np.testing.assert_array_equal(odd["outputs"], wanted["outputs"])
    np.testing.assert_allclose(odd["scores"], wanted["scores"], rtol=1e-5)
    assert np.isfinite(odd["scores"]).all()


def test_columns_of_unequal_length_are_refused(exported):
    texts, seed = tf.constant(TEXTS), tf.constant([1])
    penalty = tf.constant([1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"as many prefixes as inputs. Received.*\] \[1\] \[5\]"):
        exported.signatures["n_best"](inputs=texts, prefixes=tf.constant([""]), length_penalty=penalty)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"as many top_p as inputs, or one. Received.*\[2\] \[5\]"):
        settings = {"temperature": tf.constant([1.0]), "top_p": tf.constant([1.0, 0.5])}
        exported.signatures["sample"](inputs=texts, seed=seed, **settings)


def test_ids_are_cut_and_mapped_as_texts_are(exported, beam):
    unknown, end, size = beam.tokenizer.unknown_id, 3, beam.tokenizer.vocabulary_size
    rows = [[5, 6, 7, 8] * 500 + [end], [5, 6, 7, end] + [0] * 1997, [-1, size, 2**31 - 1, end] + [0] * 1997]
    short = [[5, 6, 7, end] + [0] * 16, [unknown] * 3 + [end] + [0] * 16]
    wanted = beam._from_ids(tf.constant([[5, 6, 7, 8] * 4 + [5, 6, 7, end], *short]))
    np.testing.assert_array_equal(exported.signatures["ids"](tf.constant(rows))["outputs"], wanted)


def test_exported_alignments(exported, beam):
    found = exported.signatures["alignment"](tf.constant(TEXTS))
    for row in (0, 2, 4):
        source, target, weights = beam.attention(TEXTS[row])
        assert [piece for piece in strings(found["source_tokens"][row]) if piece] == source
        assert [piece for piece in strings(found["target_tokens"][row]) if piece] == target
        wanted = np.zeros(found["weights"].shape[1:])
        wanted[: len(target), : len(source)] = weights[-1].mean(0)
        np.testing.assert_allclose(found["weights"][row], wanted, atol=1e-5)
    assert (found["weights"].numpy()[[1, 3]] == 0).all()


@pytest.mark.parametrize("search", [GreedySearch(), Sampling(top_k=3, seed=8)])
def test_exports_of_other_searches(search, tmp_path):
    """Without an operation of XLA, which a server refuses unless it is told otherwise."""
    translator = make(search=search)
    translator.export(tmp_path / "exported", warmup_texts=())
    assert operations.of_xla(operations.of_saved_model(tmp_path / "exported")) == []
    exported = tf.saved_model.load(tmp_path / "exported")
    wanted = list(translator.translate(TEXTS))
    assert strings(exported(TEXTS)) == wanted
    n_best = exported.signatures["n_best"](inputs=tf.constant(TEXTS), prefixes=tf.constant([""] * 5))
    assert n_best["outputs"].shape == (5, 1) and strings(n_best["outputs"][:, 0]) == wanted
    if isinstance(search, Sampling):
        settings = {"seed": tf.constant([8]), "temperature": tf.constant([1.0]), "top_p": tf.constant([1.0])}
        assert strings(exported.signatures["sample"](inputs=tf.constant(TEXTS), **settings)["outputs"]) == wanted


def functions(path):
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return saved.meta_graphs[0].graph_def.library.function


def test_an_export_that_xla_compiles(exported, path, beam, tmp_path):
    compiled = make(search=beam.search, xla=True, max_source_length=20)
    compiled.export(tmp_path / "compiled", warmup_texts=())
    must_compile = [any(f.attr["_XlaMustCompile"].b for f in functions(one)) for one in (tmp_path / "compiled", path)]
    assert must_compile == [True, False]
    of_compiled, of_plain = tf.saved_model.load(tmp_path / "compiled"), exported
    assert strings(of_compiled(TEXTS)) == strings(of_plain(TEXTS))
    penalty = tf.constant([0.0, 1.0, 2.0, 1.0, 3.0])
    inputs = {"inputs": tf.constant(TEXTS), "prefixes": tf.fill([5], ""), "length_penalty": penalty}
    found, wanted = (one.signatures["n_best"](**inputs) for one in (of_compiled, of_plain))
    np.testing.assert_array_equal(found["outputs"], wanted["outputs"])
    np.testing.assert_allclose(found["scores"], wanted["scores"], atol=1e-4)
    for texts in (TEXTS, [""] * 5):
        ids = {"inputs": compiled.source_ids(tf.constant(texts))[0]}
        found, wanted = (one.signatures["ids"](**ids)["outputs"] for one in (of_compiled, of_plain))
        np.testing.assert_array_equal(found, wanted)
    settings = {"seed": tf.constant([7]), "temperature": tf.constant([1.0]), "top_p": tf.constant([0.9])}
    sample = of_compiled.signatures["sample"]
    twice = [strings(sample(inputs=tf.constant(TEXTS), **settings)["outputs"]) for _ in range(2)]
    assert twice[0] == twice[1] and twice[0][1] == twice[0][3] == "" and twice[0][0]


def test_an_export_in_int8(beam, tmp_path):
    make(search=beam.search).export(tmp_path / "1", frozen=True, dtype="int8", warmup_texts=())
    loaded = tf.saved_model.load(tmp_path / "1")
    quantized = in_dtype(beam, "int8")
    assert strings(loaded(TEXTS)) == strings(quantized(TEXTS))
    assert any(node.op == "_QuantizedMatMul" for f in functions(tmp_path / "1") for node in f.node_def)


@pytest.mark.parametrize("num_layers, xla", [(2, False), (1, True)])
def test_an_export_in_calibrated_int8(num_layers, xla, tmp_path):
    """Encoder and decoder are calibrated; where XLA multiplies, without a fused kernel, the smoothing is undone too."""
    translator = make(num_layers, search=BeamSearch(3, 1.0, num_best=2), xla=xla)
    translator.export(tmp_path / "1", frozen=True, dtype="int8", calibration_texts=TEXTS, warmup_texts=())
    nodes = {node.op for f in functions(tmp_path / "1") for node in f.node_def}
    assert "QuantizeV2" in nodes
    loaded = tf.saved_model.load(tmp_path / "1")
    translator.xla = False
    copy = in_dtype(translator, "int8", TEXTS)
    blocks = [*copy.transformer.encoder_blocks, *copy.transformer.decoder_blocks]
    assert all(block.feed_forward.output_dense.quantized_call.input_range for block in blocks)
    assert copy.transformer.decoder_blocks[0].cross_attention.query.quantized_call.input_range
    batch = {"source_ids": np.array([[5, 6, 7, 3]]), "target_ids": np.array([[2, 8, 9, 5]])}
    np.testing.assert_allclose(copy.transformer(batch), translator.transformer(batch), atol=0.4)
    quantized = strings(copy(TEXTS))  # by Keras, rows each by itself
    found = strings(loaded(TEXTS))
    assert found[1] == "" and sum(a == b for a, b in zip(found, quantized)) >= 4


def test_what_signatures_share_is_stored_once(path):
    assert operations.of_xla(operations.of_saved_model(path)) == []
    names = [function.signature.name for function in functions(path)]
    for shared in ("encode", "decode_step", "best_ids", "source_ids_of"):
        assert sum(shared in name and "wrapper" not in name for name in names) == 1
