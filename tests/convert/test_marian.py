"""The layout of Hugging Face against what transformers gave."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.convert import convert
from keras_transformer.decoding import BeamSearch, GreedySearch
from tests.convert import originals
from tests.convert.marian_files import GOLDEN, ORIGINAL, PADDING, logits_of


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


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_beams_are_the_originals(translator, penalty):
    wanted = ORIGINAL["beams"][str(penalty)]
    config = translator.search.get_config()
    assert (config["beam_size"], config["length_penalty"], config["rules"]) == (4, 1.0, "hugging_face")
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


def test_a_missing_sentencepiece_model(copy_golden):
    folder, _ = copy_golden("marian")
    (folder / "source.spm").unlink()
    with pytest.raises(FileNotFoundError, match="Expected source.spm in the checkpoint. Received a folder without"):
        convert(folder)


def test_two_vocabularies_need_two_embeddings(copy_golden):
    folder, change = copy_golden("marian")
    vocabulary = json.loads((folder / "vocab.json").read_text())
    first, second = list(vocabulary)[10:12]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (folder / "target_vocab.json").write_text(json.dumps(vocabulary))
    change("tokenizer_config.json", separate_vocabs=True)
    with pytest.raises(ValueError, match="Received: two vocabularies and one embedding"):
        convert(folder)
