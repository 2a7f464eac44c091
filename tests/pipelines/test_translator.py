import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import Translator
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data, reference

TEXTS = ["red dog", "", "blue house runs", "  ", "cat"]


def make(num_layers=2, **kwargs):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    transformer = Transformer(tokenizer.vocabulary_size, num_layers, 12, 19, 3)
    reference.randomize(transformer, seed=1)
    return Translator(transformer, tokenizer, **{"max_extra_length": 6, **kwargs})


@pytest.fixture(scope="module")
def translator():
    return make()


def strings(tensor):
    return [text.decode() for text in tensor.numpy()]


def test_is_tokenizer_then_decoding_then_tokenizer(translator):
    from keras_transformer.decoding import greedy_decode

    tokenizer = translator.tokenizer
    ids = tokenizer(["red dog"], add_end=True)
    limit = ids.shape[1] - 1 + 6
    target = greedy_decode(translator.transformer, ids, [limit], 2, 3)
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


def test_translate_keeps_the_order_for_any_iterable(translator):
    texts = made_data.sentences(75, seed=5) + ["", "dog"]
    wanted = strings(translator(texts))
    assert list(translator.translate(iter(texts), batch_size=2)) == wanted
    assert list(translator.translate([])) == []


def test_translate_reads_no_further_than_it_must(translator):
    def endless():
        while True:
            yield "dog"

    assert next(translator.translate(endless(), batch_size=1)) == strings(translator(["dog"]))[0]


def test_cut_sources_are_reported():
    translator = make(max_source_length=6)
    with pytest.warns(UserWarning, match="1 of 2 texts have more than max_source_length=6 tokens"):
        long, _ = translator.translate(["red dog runs blue", "dog"], batch_size=2)
    ids = translator.tokenizer(["red dog runs blue"], add_end=True, max_length=6)
    assert long == strings(translator.tokenizer.detokenize(translator._from_ids(ids)))[0]


def test_reloads_with_equal_outputs(translator, tmp_path):
    translator.save(tmp_path / "translator.keras")
    reloaded = keras.models.load_model(tmp_path / "translator.keras")
    assert type(reloaded) is Translator
    assert strings(reloaded(TEXTS)) == strings(translator(TEXTS))


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method")
def test_quantized_reloads(tmp_path):
    translator = make(num_layers=1, max_extra_length=1)
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


def test_attention_rows_are_distributions(translator):
    source, target, weights = translator.attention("red dog")
    assert source[-1] == "</s>" and "".join(source[:-1]).replace("▁", " ").strip() == "red dog"
    assert weights.shape == (2, 3, len(target), len(source))
    np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-5)


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


def test_attention_of_nothing(translator):
    with pytest.raises(ValueError, match="a text with tokens. Received: '  '"):
        translator.attention("  ")


def test_save_is_whole_or_not_at_all(translator, tmp_path, monkeypatch):
    path = tmp_path / "translator.keras"
    path.write_bytes(b"earlier")
    monkeypatch.setattr(keras.Model, "save", lambda self, path, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        translator.save(path)
    assert path.read_bytes() == b"earlier" and len(list(tmp_path.iterdir())) == 1
