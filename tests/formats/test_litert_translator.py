"""The shipped translator through LiteRT's own runtime: its translations are the pipeline's."""

import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer import LiteRtTranslator, Translator
from keras_transformer.decoding import BeamSearch, GreedySearch
from keras_transformer.models import Transformer
from keras_transformer.text import SubwordTokenizer
from tests import made_texts

pytest.importorskip("ai_edge_litert")

SHIPPED = pathlib.Path(__file__).parents[2] / "saved_models" / "translator_en_de" / "2"
WHO = ["A man", "Two women", "A little girl", "Three dogs", "A group of young people", "The boy in a red shirt"]
WHAT = ["runs through the snow", "are playing guitar", "sits on a wooden bench", "looks at the camera"]
WHERE = [".", " in front of a large crowd.", " on a sunny day.", " near the water with his friends."]
SENTENCES = [f"{who} {what}{where}" for who in WHO for what in WHAT for where in WHERE]


@pytest.fixture(scope="module")
def shipped():
    """The translator of saved_models/, made of its SavedModel."""
    import tensorflow_text  # noqa: F401  registers operations of the tokenizer
    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel.FromString((SHIPPED / "saved_model.pb").read_bytes())
    functions = saved_model.meta_graphs[0].graph_def.library.function
    (model,) = {
        node.attr["model"].s for function in functions for node in function.node_def if node.op == "SentencepieceOp"
    }
    transformer = Transformer(6000, 4, 128, 512, 4, norm_first=True)
    loaded = tf.saved_model.load(SHIPPED)
    for weight, value in zip(transformer.weights, loaded.variables, strict=True):
        weight.assign(value)
    return Translator(transformer, SubwordTokenizer(model), max_source_length=48, max_target_length=64)


@pytest.mark.filterwarnings("ignore:.*max_source_length")
@pytest.mark.parametrize("search", [GreedySearch(), BeamSearch(5, length_penalty=1.5)], ids=["greedy", "beam"])
def test_translations_are_those_of_the_pipeline(search, shipped, tmp_path):
    shipped.search = search
    texts = [*SENTENCES, *made_texts.nasty(30)]
    expected = list(shipped.translate(texts))
    least = {"float32": 1.0, "float16": 0.95, "int8": 0.75}  # of the sentences, which are like those it was trained on
    for dtype in least:
        path = tmp_path / f"{dtype}.tflite"
        shipped.export(path, format="litert", dtype=dtype)
        found = list(LiteRtTranslator(path).translate(texts))
        same = np.array([a == b for a, b in zip(found, expected)])
        number = len(SENTENCES)
        print(
            f"{dtype}: {path.stat().st_size / 1e6:.1f} MB, {same[:number].sum()} of {number} sentences and "
            f"{same[number:].sum()} of {len(texts) - number} other texts are translated the same"
        )
        assert same[:number].mean() >= least[dtype]
        assert dtype != "float32" or same.all()


def test_the_loop_of_the_documentation(shipped, tmp_path, monkeypatch, capsys):
    """docs/litert.md tells others how to write it."""
    page = (pathlib.Path(__file__).parents[2] / "docs" / "litert.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shipped.search = GreedySearch()
    shipped.export(tmp_path / "translator.tflite", format="litert")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(snippet, "docs/litert.md", "exec"), names)
    assert [names["translate"](text) for text in SENTENCES[:12]] == list(shipped.translate(SENTENCES[:12]))
