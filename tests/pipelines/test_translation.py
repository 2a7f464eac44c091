import numpy as np
import pytest

from keras_transformer import Translator
from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling
from tests import made_data
from tests.pipelines.made_translators import TEXTS, make, strings


@pytest.fixture(scope="module")
def translator():
    return make()


@pytest.fixture(scope="module")
def beam():
    return make(search=BeamSearch(3, 1.0, num_best=2))


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
    message = r"1 of 2 texts have more than max_source_length=6 tokens \(number 1\)"
    with pytest.warns(UserWarning, match=message) as caught:
        long, _ = translator.translate(["red dog runs blue", "dog"], batch_size=2)
    assert caught[0].filename == __file__
    ids = translator.tokenizer(["red dog runs blue"], add_end=True, max_length=6)
    assert long == strings(translator.tokenizer.detokenize(translator._from_ids(ids)))[0]
    np.testing.assert_array_equal(translator.source_ids(["red dog runs blue"])[0], ids)


def test_cut_sources_are_counted_over_the_whole_iterable():
    translator = make(max_source_length=6, max_extra_length=1)
    texts = ["dog"] * 64 + ["red dog runs blue"] * 7
    with pytest.warns(UserWarning, match=r"7 of 71 texts .* \(number 65, 66, 67, 68, 69, \.\.\.\)") as caught:
        translations = list(translator.translate(texts, batch_size=2 * 32))
    assert len(translations) == 71 and len(caught) == 1


def test_texts_are_tokenized_once(translator, monkeypatch):
    seen = []
    tokenize = type(translator.tokenizer).tokenize
    monkeypatch.setattr(type(translator.tokenizer), "tokenize", lambda *a, **k: seen.append(a) or tokenize(*a, **k))
    fresh = Translator(translator.transformer, translator.tokenizer, max_extra_length=6)
    assert len(list(fresh.translate(["red dog"] * 3, batch_size=1))) == 3
    assert len(seen) == 1  # in the graph, for three batches


def test_n_best(beam):
    tables = list(beam.translate_n_best(TEXTS, batch_size=2))
    assert [table[0][0] for table in tables] == list(beam.translate(TEXTS)) == strings(beam(TEXTS))
    assert tables[1] == tables[3] == [("", 0.0)]
    ids = beam.tokenizer(["red dog"], add_end=True)
    found = BeamSearch(3, 1.0, num_best=2)(beam.transformer, ids, [ids.shape[1] - 1 + 6], 2, 3)
    assert [text for text, _ in tables[0]] == strings(beam.tokenizer.detokenize(found.ids[0]))
    np.testing.assert_allclose([score for _, score in tables[0]], found.scores[0], atol=1e-5)
    assert tables[0][0][1] > tables[0][1][1]


def test_greedy_gives_one_with_its_log_probability(translator):
    ((text, score),) = next(translator.translate_n_best(["red dog"]))
    ids = translator.tokenizer(["red dog"], add_end=True)
    found = GreedySearch()(translator.transformer, ids, [ids.shape[1] - 1 + 6], 2, 3)
    assert text == next(translator.translate(["red dog"]))
    np.testing.assert_allclose(score, float(found.scores[0, 0]), atol=1e-5)


@pytest.mark.parametrize("search", [GreedySearch(), BeamSearch(3), Sampling(seed=3)])
def test_prefixes(search):
    translator = make(search=search)
    texts, prefixes = ["red dog", "cat", "blue house runs"], ["blue cat", "", "dog"]
    found = list(translator.translate(texts, prefixes=iter(prefixes)))
    assert found[0].startswith("blue cat") and found[2].startswith("dog")
    assert found[1] == next(translator.translate(["cat"]))
    assert [table[0][0] for table in translator.translate_n_best(texts, prefixes=prefixes)] == found
    assert list(translator.translate([""], prefixes=["dog"])) == [""]


def test_as_many_prefixes_as_texts(translator):
    with pytest.raises(ValueError, match="Received: 1 prefixes and more texts"):
        list(translator.translate(["a", "b"], prefixes=["a"]))
    with pytest.raises(ValueError, match="Received: 1 texts and more prefixes"):
        list(translator.translate(["a"], prefixes=["a", "b"]))
    with pytest.raises(ValueError, match="a single one: 'dog'"):
        list(translator.translate(["a"], prefixes="dog"))


def test_a_sample_does_not_depend_on_the_batch():
    translator = make(search=Sampling(temperature=1.5, seed=4))
    texts = made_data.sentences(20, seed=5)
    assert list(translator.translate(texts, batch_size=3)) == list(translator.translate(texts, batch_size=20))
    assert len(set(translator.translate(texts))) > 5


def test_attention_rows_are_distributions(translator):
    source, target, weights = translator.attention("red dog")
    assert source[-1] == "</s>" and "".join(source[:-1]).replace("▁", " ").strip() == "red dog"
    assert weights.shape == (len(translator.transformer.decoder_blocks), 3, len(target), len(source))
    np.testing.assert_allclose(weights.sum(-1), 1.0, atol=1e-5)


def test_attention_tells_that_a_text_was_cut(translator, monkeypatch):
    monkeypatch.setattr(translator, "max_source_length", 4)
    with pytest.warns(UserWarning, match="more than max_source_length=4 tokens") as warned:
        source, _, weights = translator.attention("red dog runs to the blue house")
    assert len(source) == weights.shape[-1] == 4 and warned[0].filename == __file__


def test_attention_of_nothing(translator):
    with pytest.raises(ValueError, match="a text with tokens. Received: '  '"):
        translator.attention("  ")
