import pytest
from sentencepiece import sentencepiece_model_pb2

from keras_transformer import Translator
from keras_transformer.decoding import BeamSearch, GreedySearch, Sampling
from keras_transformer.models import Ensemble, Transformer
from keras_transformer.pipelines import ExportedTranslator, load_translator
from keras_transformer.pipelines.translator_loading import _beam_search
from keras_transformer.text import SubwordTokenizer
from tests import made_data, reference


@pytest.fixture(scope="module")
def second(translator, tmp_path_factory):
    """The path of a translator of another shape with the same vocabulary."""
    path = tmp_path_factory.mktemp("second") / "second.keras"
    other = Translator(Transformer(translator.tokenizer.vocabulary_size, 2, 8, 12, 2), translator.tokenizer)
    reference.randomize(other.transformer, seed=5)
    other.save(path)
    return path


def test_one_translator(model_dir, exported, translator):
    for path in (model_dir, exported):
        opened = load_translator(path)
        assert type(opened) is (Translator if path == model_dir else ExportedTranslator)
        assert list(opened.translate(["dog", "", "red cat"])) == list(translator.translate(["dog", "", "red cat"]))


def test_an_ensemble_searches_as_its_first_translator(translator, second, tmp_path):
    limits = {"max_extra_length": 4, "max_source_length": 9, "max_target_length": 5}
    search = BeamSearch(beam_size=2, length_penalty=0.7)
    Translator(translator.transformer, translator.tokenizer, search=search, **limits).save(tmp_path / "first.keras")
    both = load_translator(tmp_path / "first.keras", second)
    assert both.length_limits == limits and both.search.get_config() == search.get_config()
    joined = Ensemble([translator.transformer, load_translator(second).transformer])
    wanted = Translator(joined, translator.tokenizer, search=search, **limits)
    assert list(both.translate(["dog", "red cat"])) == list(wanted.translate(["dog", "red cat"]))


def test_an_ensemble_has_one_vocabulary(tmp_path):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 30)
    Translator(Transformer(300, 1, 8, 12, 2), tokenizer).save(tmp_path / "one.keras")
    # A vocabulary that says of itself that it was made in another way is the same.
    proto = sentencepiece_model_pb2.ModelProto.FromString(tokenizer.model)
    proto.trainer_spec.num_threads += 1
    again = SubwordTokenizer(proto.SerializeToString())
    assert again.model != tokenizer.model
    Translator(Transformer(300, 1, 8, 12, 2), again).save(tmp_path / "again.keras")
    assert isinstance(load_translator(tmp_path / "one.keras", tmp_path / "again.keras").transformer, Ensemble)
    other = SubwordTokenizer.from_texts(made_data.sentences(200), 31)
    Translator(Transformer(300, 1, 8, 12, 2), other).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="translators with the same vocabulary. Received: .*one.keras and .*other.ke"):
        load_translator(tmp_path / "one.keras", tmp_path / "other.keras")


def test_what_an_export_cannot_do(model_dir, exported):
    with pytest.raises(ValueError, match="Expected .keras files for an ensemble. Received: .*9, a SavedModel"):
        load_translator(model_dir, exported)
    with pytest.raises(ValueError, match="for beam_size, num_best: the search of a SavedModel is fixed. Received: .*9"):
        load_translator(exported, beam_size=2, num_best=2)


@pytest.mark.parametrize(
    "wanted, changed",
    [
        ({"beam_size": 3}, {"beam_size": 3, "num_best": 1}),
        ({"length_penalty": 2.0}, {"length_penalty": 2.0, "num_best": 1}),
        ({"num_best": 2}, {"num_best": 2}),
        ({"num_best": 7}, {"num_best": 7, "beam_size": 7}),
        ({"num_best": 2, "beam_size": 3}, {"num_best": 2, "beam_size": 3}),
    ],
)
def test_the_rest_of_a_beam_search_stays(wanted, changed):
    current = BeamSearch(beam_size=5, length_penalty=0.3, min_length=2, num_best=4)
    assert _beam_search(current, **wanted).get_config() == {**current.get_config(), **changed}


def test_another_search_becomes_a_beam_search():
    found = _beam_search(GreedySearch(min_length=3), num_best=6)
    assert (found.beam_size, found.num_best, found.min_length) == (6, 6, 3)
    with pytest.raises(ValueError, match="a beam size with a length penalty. Received: a translator with Sampling"):
        _beam_search(Sampling(), length_penalty=1.0)


def test_the_search_is_set(model_dir, translator):
    opened = load_translator(model_dir, beam_size=4, length_penalty=2.0)
    assert (opened.search.beam_size, opened.search.length_penalty) == (4, 2.0)
    assert isinstance(load_translator(model_dir).search, type(translator.search))
