import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data, reference
from tests.pipelines.made_translators import TEXTS, make, strings


@pytest.fixture(scope="module")
def translator():
    return make()


@pytest.fixture(scope="module")
def beam():
    return make(search=BeamSearch(3, 1.0, num_best=2))


def test_is_tokenizer_then_decoding_then_tokenizer(translator):
    tokenizer = translator.tokenizer
    ids = tokenizer(["red dog"], add_end=True)
    limit = ids.shape[1] - 1 + 6
    target = GreedySearch()(translator.transformer, ids, [limit], 2, 3).ids[:, 0]
    assert strings(translator(["red dog"])) == strings(tokenizer.detokenize(target))


def test_lists_tensors_and_graphs_give_the_same(translator):
    wanted = strings(translator(TEXTS))
    assert wanted[1] == wanted[3] == "" and wanted[0] and wanted[2]
    assert strings(translator(tf.constant(TEXTS))) == wanted
    assert strings(tf.function(translator)(tf.constant(TEXTS))) == wanted
    assert strings(translator(np.array(TEXTS))) == wanted
    assert translator([]).shape == (0,)


def test_one_by_one_equals_the_batch(translator):
    assert [strings(translator([text]))[0] for text in TEXTS] == strings(translator(TEXTS))


def test_the_longest_target():
    translator = make(max_extra_length=9)
    source_ids, _ = translator.source_ids(["red dog", "", "dog"])
    usual = translator._from_ids(source_ids)
    assert usual.shape[1] > 3
    short = Translator.from_config({**translator.get_config(), "max_target_length": 3})
    short.transformer.set_weights(translator.transformer.get_weights())
    np.testing.assert_array_equal(short._from_ids(source_ids), usual[:, :3])
    assert short.get_config()["max_target_length"] == 3
    with pytest.raises(ValueError, match="max_target_length=0"):
        make(max_target_length=0)


def test_another_search_counts_after_a_first_call():
    translator = make()
    translator(["red dog"]), list(translator.translate(["red dog"]))
    for search in (BeamSearch(2, 2.0, min_length=5), Sampling(temperature=2.0)):
        wanted = strings(make(search=search)(["red dog"]))
        translator.search = search
        assert translator.search is search
        assert strings(translator(["red dog"])) == list(translator.translate(["red dog"])) == wanted
        assert [text.decode() for text in translator.predict(tf.constant(["red dog"]), verbose=0)] == wanted
    with pytest.raises(ValueError, match="Expected a search .* Received: search='beam'"):
        translator.search = "beam"


def test_reloads_with_equal_outputs(translator, tmp_path):
    translator.save(tmp_path / "translator.keras")
    reloaded = keras.models.load_model(tmp_path / "translator.keras")
    assert type(reloaded) is Translator
    assert strings(reloaded(TEXTS)) == strings(translator(TEXTS))


def test_the_search_is_saved_and_earlier_files_had_none(beam, tmp_path):
    beam.save(tmp_path / "beam.keras")
    reloaded = keras.models.load_model(tmp_path / "beam.keras")
    assert type(reloaded.search) is BeamSearch and reloaded.search.get_config() == beam.search.get_config()
    assert strings(reloaded(TEXTS)) == strings(beam(TEXTS))
    config = beam.get_config()
    del config["search"]
    assert type(Translator.from_config(config).search) is GreedySearch


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_quantized_reloads(tmp_path):
    translator = make(max_extra_length=1)
    translator(["cat"])
    translator.quantize("int8")
    translator.save(tmp_path / "int8.keras")
    reloaded = keras.models.load_model(tmp_path / "int8.keras")
    assert strings(reloaded(["cat"])) == strings(translator(["cat"]))


def test_two_tokenizers(tmp_path):
    source = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    target = ByteTokenizer(name="target")
    transformer = Transformer(30, 1, 12, 19, 3, target_vocabulary_size=target.vocabulary_size)
    translator = Translator(transformer, source, target, max_extra_length=3)
    translator.save(tmp_path / "two.keras")
    reloaded = keras.models.load_model(tmp_path / "two.keras")
    assert type(reloaded.target_tokenizer) is ByteTokenizer
    assert strings(reloaded(TEXTS)) == strings(translator(TEXTS))


def test_inside_a_functional_model(translator):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, translator(texts))
    assert strings(model(tf.constant(TEXTS))) == strings(translator(TEXTS))


def test_bad_input(translator):
    with pytest.raises(ValueError, match="a single string"):
        translator("red dog")
    with pytest.raises(ValueError, match="a single one: 'red dog'"):
        next(translator.translate("red dog"))
    with pytest.raises(ValueError, match="batch_size=0"):
        next(translator.translate(["red dog"], batch_size=0))
    with pytest.raises(ValueError, match="30 tokens, vocabulary_size=20"):
        Translator(Transformer(20, 1, 12, 19, 3), translator.tokenizer)
    with pytest.raises(ValueError, match="max_extra_length=0"):
        make(max_extra_length=0)


def test_the_file_has_no_optimizer(tmp_path):
    """Adam's state would triple it; training goes on with the same optimizer after a save."""
    translator = make()
    translator.save(tmp_path / "before.keras")
    translator.transformer.compile("adam", "sparse_categorical_crossentropy")
    translator.transformer.optimizer.build(translator.transformer.trainable_variables)
    optimizer = translator.transformer.optimizer
    translator.save(tmp_path / "after.keras")
    sizes = [(tmp_path / name).stat().st_size for name in ("before.keras", "after.keras")]
    assert sizes[1] < 1.05 * sizes[0]
    assert translator.transformer.optimizer is optimizer
    reloaded = keras.models.load_model(tmp_path / "after.keras")
    assert not reloaded.transformer.compiled
    assert strings(reloaded(TEXTS)) == strings(translator(TEXTS))


def test_lora_on_the_inner_model_counts_after_a_first_call():
    translator = make()
    before = strings(translator(["red dog"]))
    translator.transformer.enable_lora(2)
    assert strings(translator(["red dog"])) == before
    for variable in translator.transformer.trainable_variables:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    after = strings(translator(["red dog"]))
    assert after != before
    assert after == strings(translator.call(tf.constant(["red dog"])))


def test_a_model_with_more_ids_than_its_tokenizer():
    """Ids without a text read as unknown; one of them must not fail the batch."""
    transformer = Transformer(300, 1, 12, 19, 3)
    for seed in range(3):
        reference.randomize(transformer, seed=seed)
        translator = Translator(transformer, ByteTokenizer(), max_extra_length=3)
        assert translator(["red dog"]).shape == (1,)
        assert translator.attention("red dog")[2].shape[0] == 1


def test_save_is_whole_or_not_at_all(translator, tmp_path, monkeypatch):
    path = tmp_path / "translator.keras"
    path.write_bytes(b"earlier")
    monkeypatch.setattr(keras.Model, "save", lambda self, path, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        translator.save(path)
    assert path.read_bytes() == b"earlier" and len(list(tmp_path.iterdir())) == 1


def test_compiled_by_xla_the_translations_are_the_same(beam):
    prefixes = ["", "red", "", "", ""]
    compiled = make(search=beam.search, xla=True)
    found, wanted = (list(one.translate_n_best(TEXTS, 3, prefixes)) for one in (compiled, beam))
    assert [[text for text, _ in best] for best in found] == [[text for text, _ in best] for best in wanted]
    scores = [[score for best in all_best for _, score in best] for all_best in (found, wanted)]
    np.testing.assert_allclose(*scores, atol=1e-4)
    assert strings(compiled(["", " "])) == ["", ""] and compiled([]).shape == (0,)


def test_xla_is_kept_and_may_be_turned_off(tmp_path):
    translator = make(xla=True)
    translator.save(tmp_path / "translator.keras")
    loaded = keras.models.load_model(tmp_path / "translator.keras")
    assert loaded.xla
    wanted = list(loaded.translate(TEXTS[:1]))
    assert loaded._graphs
    loaded.xla = False
    assert not loaded._graphs and list(loaded.translate(TEXTS[:1])) == wanted
