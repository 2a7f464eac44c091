"""1,000 texts through MediaPipe's TextEmbedder and LiteRT's own runtime: their vectors are the pipeline's."""

import keras
import numpy as np
import pytest

from keras_transformer import LiteRtEmbedder, TextEmbedder
from keras_transformer.models import BertEncoder, DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import SubwordTokenizer, WordPieceTokenizer
from tests import made_data, made_texts
from tests.text.test_word_piece_tables import VOCABULARY

text = pytest.importorskip("mediapipe.tasks.python.text")
base = pytest.importorskip("mediapipe.tasks.python")
pytest.importorskip("ai_edge_litert")

TEXTS = made_texts.nasty(1000)
CORPUS = [*made_data.sentences(200), "한국어 문장을 벡터로", "le café très chaud", "Ünïcödé 中文 日本語"]


def subwords(**options):
    return SubwordTokenizer.from_texts(CORPUS, 400, lower_case=True, **options)


def made(kind):
    """An embedder of a kind, with weights as training begins with: the cosines of int8 depend on them."""
    if kind == "bert":
        vocabulary = [*VOCABULARY, *made_data.WORDS[:6], "café"]
        vocabulary = list(dict.fromkeys(vocabulary))
        tokenizer = WordPieceTokenizer(vocabulary)
        encoder = BertEncoder(len(vocabulary), 2, 32, 64, 4, max_length=512, pooling=["mean", "first"])
        return TextEmbedder(encoder, tokenizer, max_length=512)
    options = {"bpe": {"model_type": "bpe"}, "averaging": {"byte_fallback": True}}.get(kind, {})
    tokenizer = subwords(**options)
    if kind == "averaging":
        encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, 500, hidden_dim=64, output_dim=32)
    else:
        encoder = SentenceEncoder(tokenizer.vocabulary_size, 2, 64, 128, 4, output_dim=32, token_weights=kind == "bpe")
    return TextEmbedder(encoder, tokenizer, max_length=64)


def check(found, expected, dtype):
    if dtype == "float32":
        np.testing.assert_allclose(found, expected, atol=1e-5)
        return
    has_tokens = np.any(expected, axis=1)
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    cosines = np.sum(found * expected, axis=1)[has_tokens] / lengths[has_tokens]
    print(f"{dtype}: cosine at least {np.min(cosines):.6f}")
    assert np.min(cosines) > 0.999


@pytest.mark.filterwarnings("ignore:.*max_length=")
@pytest.mark.parametrize("kind", ["unigram", "bpe", "averaging", "bert"])
def test_vectors_are_those_of_the_pipeline(kind, tmp_path):
    keras.utils.set_random_seed(1)
    embedder = made(kind)
    expected = embedder.embed(TEXTS)
    for dtype in ("float32", "float16", "int8"):
        path = tmp_path / f"{dtype}.tflite"
        embedder.export(path, format="litert", dtype=dtype)
        check(LiteRtEmbedder(path).embed(TEXTS), expected, dtype)
        options = text.TextEmbedderOptions(base_options=base.BaseOptions(model_asset_path=str(path)))
        with text.TextEmbedder.create_from_options(options) as on_device:
            found = np.array([on_device.embed(line).embeddings[0].embedding for line in TEXTS])
        check(found, expected, dtype)
