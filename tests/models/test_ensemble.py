import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.decoding import BeamSearch, GreedySearch
from keras_transformer.models import Ensemble, Transformer
from keras_transformer.text import ByteTokenizer
from tests import reference
from tests.decoding import models

V = 11
SOURCE = np.array([[4, 5, 6, 3], [8, 9, 3, 0]])
TARGET = np.array([[2, 10, 7, 4], [2, 6, 0, 0]])
BATCH = {"source_ids": SOURCE, "target_ids": TARGET}


def members(vocabulary_size=V):
    """Of different sizes."""
    shapes = [(1, 12, 19, 3), (2, 8, 10, 2)]
    made = [Transformer(vocabulary_size, *shape, norm_first=i > 0) for i, shape in enumerate(shapes)]
    for seed, member in enumerate(made):
        reference.randomize(member, seed, 1.0)
    return made


@pytest.fixture(scope="module")
def ensemble():
    return Ensemble(members())


def mean_log_probs(logits):
    return np.log(
        np.mean([np.exp([[models.log_softmax(row) for row in rows] for rows in np.asarray(x)]) for x in logits], axis=0)
    )


@pytest.mark.parametrize("unpadded", [False, True])
def test_is_the_mean_of_probabilities(ensemble, unpadded):
    wanted = mean_log_probs([member(BATCH) for member in ensemble.members])
    memory = ensemble.encode(SOURCE, unpadding=unpadded)
    assert memory.shape == (2, 4, 12 + 8)
    for logits in (ensemble(BATCH), ensemble.decode(TARGET, memory)):
        np.testing.assert_allclose(logits, wanted, atol=1e-4)


@pytest.mark.parametrize("grows", [False, True])
def test_steps_equal_the_whole(ensemble, grows):
    target = np.array([[2, 10, 7, 4], [2, 6, 5, 9]])
    memory = ensemble.encode(SOURCE)
    cache = ensemble.make_growing_cache(memory) if grows else ensemble.make_cache(memory, 4)
    steps = []
    for index in range(4):
        logits, cache = ensemble.decode_step(target[:, index : index + 1], cache, index)
        steps.append(logits)
    np.testing.assert_allclose(np.concatenate(steps, axis=1), ensemble.decode(target, memory), atol=1e-4)


@pytest.mark.parametrize("beam_size, max_length", [(1, 6), (3, None)])
def test_searches_equal_those_of_the_mean(ensemble, beam_size, max_length):
    search = GreedySearch() if beam_size == 1 else BeamSearch(beam_size, 1.0)
    limits = np.array([6, 4])
    found = search(ensemble, SOURCE, limits, 2, 3, max_length=max_length)

    ids = tf.TensorSpec([1, None], tf.int32)

    @tf.function(input_signature=[ids, ids])
    def logits_of(source, target):
        return ensemble({"source_ids": source, "target_ids": target})

    for row in range(2):
        log_probs = models.transformer_log_probs(logits_of, SOURCE[row])
        penalty = models.gnmt(0.0 if beam_size == 1 else 1.0)
        wanted = models.beam_search(log_probs, limits[row], beam_size, penalty)[:beam_size]
        np.testing.assert_allclose(found.scores[row], [score for score, _ in wanted], atol=1e-4)


def test_attention_is_that_of_all_heads(ensemble):
    memory = ensemble.encode(SOURCE)
    _, weights = ensemble.decode(TARGET, memory, return_attention_scores=True)
    assert [w.shape for w in weights] == [(2, 3 + 2, 4, 4)]  # one block, as the shallower has
    for member, heads in zip(ensemble.members, np.split(weights[0], [3], axis=1)):
        _, own = member.decode(TARGET, member.encode(SOURCE), return_attention_scores=True)
        np.testing.assert_allclose(heads, own[-1], atol=1e-5)


def test_a_translator_with_an_ensemble_is_saved_and_exported(tmp_path):
    tokenizer = ByteTokenizer()
    ensemble = Ensemble(members(tokenizer.vocabulary_size))
    optimizer = keras.optimizers.Adam()
    ensemble.members[1].compile(optimizer, "mse")  # as a training leaves it
    optimizer.build(ensemble.members[1].trainable_variables)
    translator = Translator(ensemble, tokenizer, max_extra_length=3, search=BeamSearch(3, 1.0))
    texts = ["red dog", "", "cat"]
    wanted = [[text for text, _ in beam] for beam in translator.translate_n_best(texts)]
    translator.save(tmp_path / "t.keras")
    assert ensemble.members[1].optimizer is optimizer
    with zipfile.ZipFile(tmp_path / "t.keras") as archive:
        assert b"optimizer" not in archive.read("model.weights.h5") and b"Adam" not in archive.read("config.json")
    reloaded = keras.models.load_model(tmp_path / "t.keras")
    assert [[text for text, _ in beam] for beam in reloaded.translate_n_best(texts)] == wanted
    assert reloaded.attention("dog")[2].shape[:2] == (1, 5)
    reloaded.export(tmp_path / "1", warmup_texts=())
    loaded = tf.saved_model.load(tmp_path / "1")
    assert [text.decode() for text in loaded(texts).numpy()] == [beam[0] for beam in wanted]
    assert loaded.signatures["alignment"](tf.constant(texts))["weights"].shape[0] == 3


@pytest.mark.parametrize("sizes", [[V], [V, V + 1], []])
def test_refuses_one_and_different_vocabularies(sizes):
    with pytest.raises(ValueError, match="Expected two members or more with vocabularies of equal sizes"):
        Ensemble([Transformer(size, 1, 8, 8, 2) for size in sizes])


def test_refuses_ensembles_of_ensembles(ensemble):
    with pytest.raises(ValueError, match="Expected Transformers. Received: Ensemble"):
        Ensemble([ensemble, ensemble.members[0]])


def test_int8_weights_are_those_of_its_members(ensemble):
    ensemble.quantize("int8")
    block = ensemble.members[1].encoder_blocks[0]
    assert np.abs(np.asarray(block.feed_forward.output_dense.kernel)).max() == 64
