import json

import numpy as np
import pytest

from keras_transformer import Translator
from keras_transformer.decoding import GreedySearch
from keras_transformer.export.litert_metadata import associated_files
from keras_transformer.models import Ensemble, Transformer
from keras_transformer.text import ByteTokenizer, SubwordTokenizer
from tests import made_data, reference
from tests.litert import interpreter


@pytest.fixture(scope="module")
def translator():
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 40)
    transformer = Transformer(5000, 1, 64, 128, 2)
    reference.randomize(transformer, seed=2)
    return Translator(transformer, tokenizer, max_source_length=10, max_extra_length=4)


@pytest.fixture(scope="module")
def file(translator, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "t.tflite"
    translator.export(path, format="litert")
    return path


def test_the_loop_of_another_program(translator, file):
    """As docs/litert.md has it."""
    settings = json.loads(associated_files(file)["keras_transformer.json"])
    runtime = interpreter(file.read_bytes())
    encode, step = runtime.get_signature_runner("encode"), runtime.get_signature_runner("step")
    ids = translator.tokenizer.tokenize(["a red dog"], add_end=True).to_list()[0]
    source = np.zeros([1, settings["max_source_length"]], np.int32)
    source[0, : len(ids)] = ids
    memory = encode(ids=source)
    keys = values = np.zeros(step.get_input_details()["keys"]["shape"], np.float32)
    token, found = 2, []  # the begin id
    for position in range(min(len(ids) - 1 + settings["max_extra_length"], settings["longest_target"])):
        outputs = step(
            tokens=np.array([[token]], np.int32),
            position=np.array(position, np.int32),
            keys=keys,
            values=values,
            **memory,
        )
        keys, values = outputs["new_keys"], outputs["new_values"]
        scores = outputs["logits"][0]
        scores[[0, 2]] = -np.inf  # padding and begin id
        token = int(np.argmax(scores))
        found.append(token)
        if token == 3:  # the end id
            break
    expected = translator.search_ids(np.array([ids]), search=GreedySearch()).ids.numpy()[0, 0].tolist()
    assert found == [token for token in expected if token]


def test_weights_are_stored_once(translator, file):
    """The table of embeddings too, which both signatures look up."""
    size = sum(4 * np.prod(weight.shape) for weight in translator.transformer.weights)
    assert size < file.stat().st_size < 1.3 * size


def test_what_the_file_carries(file):
    files = associated_files(file)
    assert sorted(files) == ["keras_transformer.json", "source.json", "source.model"]
    assert json.loads(files["keras_transformer.json"]) == {
        "max_source_length": 10,
        "max_extra_length": 4,
        "max_target_length": None,
        "longest_target": 13,
        "search": {"name": "GreedySearch", "settings": {"min_length": 0}},
    }


def test_what_cannot_be_exported_is_refused(translator, tmp_path):
    path = tmp_path / "t.tflite"

    class Own(GreedySearch):
        pass

    tokenizer, transformer = translator.tokenizer, translator.transformer
    of_bytes = Translator(Transformer(ByteTokenizer().vocabulary_size, 1, 8, 16, 2), ByteTokenizer())
    for refused, message in [
        (of_bytes, "Expected a SubwordTokenizer or a MarianTokenizer"),
        (Translator(Ensemble([transformer, transformer]), tokenizer), "with a Transformer for this.*: Ensemble"),
        (Translator(transformer, tokenizer, search=Own()), "Expected a search of keras_transformer.decoding.*: Own"),
    ]:
        with pytest.raises(ValueError, match=message):
            refused.export(path, format="litert")
    with pytest.raises(ValueError, match=r"Expected the name of a file that ends in .tflite. Received: .*folder"):
        translator.export(tmp_path / "folder", format="litert")
    with pytest.raises(ValueError, match="Expected no lengths of a translator"):
        translator.export(path, format="litert", lengths=[16])
    assert not path.exists()
