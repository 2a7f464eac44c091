import numpy as np
import pytest

import keras_transformer
from keras_transformer import LiteRtTranslator, Translator
from keras_transformer.cli.main import main
from keras_transformer.decoding import BeamSearch
from keras_transformer.models import Transformer
from keras_transformer.pipelines import load_translator
from keras_transformer.text import SubwordTokenizer
from tests import made_data, reference

TEXTS = ["a red dog", "", "two", "A ☃ cat", *made_data.sentences(20, seed=3, longest=3)]


def made(path, search=None, target_tokenizer=None, **options):
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 40)
    target = {"target_vocabulary_size": target_tokenizer.vocabulary_size} if target_tokenizer else {}
    transformer = Transformer(tokenizer.vocabulary_size, 1, 16, 24, 2, **target, **options)
    reference.randomize(transformer, seed=2)
    lengths = {"max_source_length": 12, "max_extra_length": 5, "max_target_length": 14}
    translator = Translator(transformer, tokenizer, target_tokenizer, search=search, **lengths)
    translator.export(path, format="litert")
    return translator, LiteRtTranslator(path)


@pytest.fixture(scope="module")
def greedy(tmp_path_factory):
    return made(tmp_path_factory.mktemp("litert") / "t.tflite", norm_first=True, logits_bias=True)


@pytest.fixture(scope="module")
def beam(tmp_path_factory):
    """Marian's ways, too: another vocabulary for the target, and decoding that begins with padding."""
    other = SubwordTokenizer.from_texts(made_data.pairs(200)[1], 45)
    search = BeamSearch(3, num_best=2)
    return made(tmp_path_factory.mktemp("litert") / "t.tflite", search, other, begins_with_padding=True)


@pytest.mark.filterwarnings("ignore:.*max_source_length")
def test_translates_as_the_pipeline(greedy):
    translator, on_device = greedy
    expected = list(translator.translate(TEXTS))
    assert len(set(expected)) > 3
    assert list(on_device.translate(TEXTS)) == expected
    assert [text.decode() for text in on_device(TEXTS[:3]).numpy()] == expected[:3]


@pytest.mark.filterwarnings("ignore:.*max_source_length")
def test_finds_what_a_beam_finds(beam):
    expected, found = (list(translator.translate_n_best(TEXTS)) for translator in beam)
    assert [[text for text, _ in row] for row in found] == [[text for text, _ in row] for row in expected]
    scores = [[score for row in rows for _, score in row] for rows in (found, expected)]
    np.testing.assert_allclose(*scores, atol=1e-4)


def test_the_lengths_are_in_the_file(greedy):
    translator, on_device = greedy
    assert (on_device.max_source_length, on_device.max_extra_length, on_device.max_target_length) == (12, 5, 14)
    texts = ["a dog", "red house " * 30]
    counts = on_device.num_source_tokens(texts).numpy().tolist()
    assert counts == translator.num_source_tokens(texts).numpy().tolist()
    with pytest.warns(UserWarning, match=r"more than max_source_length=12 tokens \(number 2\); their ends"):
        found = list(on_device.translate(texts))
    with pytest.warns(UserWarning, match="number 2"):
        assert found == list(translator.translate(texts))


def test_is_loaded_from_its_path(greedy, tmp_path, write_lines):
    translator, on_device = greedy
    for load in (keras_transformer.load, load_translator):
        assert isinstance(load(on_device.path), LiteRtTranslator)
    for options in ({"beam_size": 2}, {"num_best": 2}):
        with pytest.raises(ValueError, match="the search of a model of LiteRT is fixed"):
            load_translator(on_device.path, **options)
    with pytest.raises(ValueError, match="for an ensemble. Received: .*t.tflite, a model of LiteRT"):
        load_translator(on_device.path, on_device.path)
    texts = ["a red dog", "two cats"]
    output = tmp_path / "out.txt"
    arguments = ["--model", on_device.path, "--input", write_lines("in.txt", texts), "--output", str(output)]
    assert main(["translate", *arguments]) == 0
    assert output.read_text(encoding="utf-8").splitlines() == list(translator.translate(texts))
    assert main(["translate", "--model", on_device.path, "--beam", "2", "x"]) == 1


def test_other_files_are_refused(greedy, tmp_path):
    with pytest.raises(FileNotFoundError):
        LiteRtTranslator(tmp_path / "x.tflite")
    with pytest.raises(ValueError, match="Expected a file that TextEmbedder.export wrote"):
        keras_transformer.LiteRtEmbedder(greedy[1].path)
    with pytest.raises(ValueError, match="num_threads"):
        LiteRtTranslator(greedy[1].path, num_threads=0)
