import numpy as np
import pytest

from keras_transformer import LiteRtEmbedder, TextEmbedder
from keras_transformer.export.litert_metadata import associated_files
from keras_transformer.models import BertEncoder, DeepAveragingNetwork, SentenceEncoder
from keras_transformer.text import ByteTokenizer, SubwordTokenizer, WordPieceTokenizer
from tests import made_data, made_texts, reference
from tests.litert import interpreter
from tests.text.test_word_piece_tables import VOCABULARY

TEXTS = made_texts.nasty(120)


@pytest.fixture(scope="module")
def subwords():
    texts = [*made_data.sentences(200), "한국어 문장", "le café"]
    return SubwordTokenizer.from_texts(texts, 70, lower_case=True)


def embedder_of(encoder, tokenizer, max_length=20):
    reference.randomize(encoder, seed=1)
    return TextEmbedder(encoder, tokenizer, max_length=max_length)


def sentence_encoder(tokenizer, **options):
    return SentenceEncoder(tokenizer.vocabulary_size, 1, 16, 32, 2, output_dim=12, **options)


def check(embedder, path, least_cosine=None):
    """The file gives what the embedder gives: equal, or with such a cosine at least."""
    expected, found = embedder.embed(TEXTS), LiteRtEmbedder(path).embed(TEXTS)
    if least_cosine is None:
        np.testing.assert_allclose(found, expected, atol=1e-5)
        return
    cosines = np.sum(found * expected, 1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    has_tokens = np.any(expected, axis=1)
    assert np.min(cosines[has_tokens]) > least_cosine
    assert not found[~has_tokens].any()


@pytest.fixture(scope="module")
def transformer(subwords, tmp_path_factory):
    """An embedder, and its file."""
    embedder = embedder_of(sentence_encoder(subwords, token_weights=True), subwords)
    path = tmp_path_factory.mktemp("litert") / "e.tflite"
    embedder.export(path, format="litert")
    return embedder, path


@pytest.mark.filterwarnings("ignore:.*truncated")
def test_a_transformer(transformer):
    check(*transformer)


@pytest.mark.filterwarnings("ignore:.*truncated")
@pytest.mark.parametrize("dtype, policy", [(None, None), ("float16", "mixed_bfloat16"), ("int8", None)])
def test_an_averaging_network_with_hashed_pairs(dtype, policy, subwords, tmp_path):
    """One that was trained in mixed precision, too: it is exported in float32. And cut to its first numbers."""
    options = {"hidden_dim": 32, "output_dim": 16, "token_weights": True, "dtype": policy}
    encoder = DeepAveragingNetwork(subwords.vocabulary_size, 50, **options)
    embedder = embedder_of(encoder, subwords)
    if policy:
        embedder = TextEmbedder(encoder, subwords, max_length=20, truncate_dim=5)
    embedder.export(tmp_path / "e.tflite", format="litert", dtype=dtype)
    assert LiteRtEmbedder(tmp_path / "e.tflite").output_dim == embedder.output_dim
    check(embedder, tmp_path / "e.tflite", 0.999 if dtype else None)


@pytest.mark.filterwarnings("ignore:.*truncated")
def test_bert_with_word_pieces(tmp_path):
    encoder = BertEncoder(len(VOCABULARY), 1, 16, 32, 2, max_length=24, pooling=["mean", "first"])
    embedder = embedder_of(encoder, WordPieceTokenizer(VOCABULARY))
    embedder.export(tmp_path / "e.tflite", format="litert")
    check(embedder, tmp_path / "e.tflite")


@pytest.mark.filterwarnings("ignore:.*truncated")
def test_mpnet(subwords, tmp_path):
    options = {"relative_position_buckets": 8, "counts_padding": False, "activation": "relu", "max_length": 24}
    embedder = embedder_of(BertEncoder(subwords.vocabulary_size, 1, 16, 32, 2, **options), subwords)
    embedder.export(tmp_path / "e.tflite", format="litert")
    check(embedder, tmp_path / "e.tflite")


def test_a_padded_row_has_the_same_vector(transformer, subwords):
    """A runtime with inputs of a fixed length pads them, and says so in the mask."""
    embedder, path = transformer
    runner = interpreter(path.read_bytes()).get_signature_runner()
    ids = [0, *subwords.tokenize(["a dog runs"]).to_list()[0], 0]
    inputs = np.zeros([3, 1, 40], np.int32)
    inputs[0, 0, : len(ids)], inputs[2, 0, : len(ids)] = ids, 1
    inputs[0, 0, len(ids) :] = 9  # whatever stands there
    vectors = runner(ids=inputs[0], segment_ids=inputs[1], mask=inputs[2])["vectors"]
    np.testing.assert_allclose(vectors, embedder.embed(["a dog runs"]), atol=1e-5)


def test_the_file_has_the_tokenizer(transformer):
    files = associated_files(transformer[1])
    assert sorted(files) == ["keras_transformer.json", "sentencepiece.model"]
    assert files["keras_transformer.json"] == b'{"max_length": 20, "word_piece": null, "lengths": null, "prompts": {}}'


def test_what_cannot_be_exported_is_refused(subwords, question_answer_embedder, tmp_path):
    path = tmp_path / "e.tflite"
    embedder = embedder_of(sentence_encoder(subwords), subwords)
    for options, message in [
        ({"dtype": "bfloat16"}, "Expected one of .*float16.*Received: dtype=.bfloat16"),
        ({"dtype": "int8", "calibration_texts": ["a"]}, "Expected none of .*calibration_texts"),
        ({"int8_embeddings": True}, "Expected none of .*with format='litert'"),
        ({"warmup_texts": ["a"]}, "Expected none of .*with format='litert'"),
    ]:
        with pytest.raises(ValueError, match=message):
            embedder.export(path, format="litert", **options)
    with pytest.raises(ValueError, match=r"Expected the name of a file that ends in .tflite. Received: .*folder"):
        embedder.export(tmp_path / "folder", format="litert")
    with pytest.raises(ValueError, match="Expected one of .*Received: format=.tfjs"):
        embedder.export(path, format="tfjs")
    with pytest.raises(ValueError, match="Expected a TextEmbedder or a Translator with.*a QuestionAnswerEmbedder"):
        question_answer_embedder.export(path, format="litert")
    with pytest.raises(ValueError, match="Expected a TextEmbedder with format='onnx'. Received: a QuestionAnswerEmbed"):
        question_answer_embedder.export(path, format="onnx")
    of_bytes = embedder_of(sentence_encoder(ByteTokenizer()), ByteTokenizer())
    with pytest.raises(ValueError, match="Expected a SubwordTokenizer or a WordPieceTokenizer for this format"):
        of_bytes.export(path, format="litert")
    assert not path.exists()
    path.touch()
    with pytest.raises(FileExistsError, match="Expected a path that does not exist"):
        embedder.export(path, format="litert")
