"""Fixtures: a translator and embedders of few words with random weights, as `.keras` files and as SavedModels."""

import keras
import pytest

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, TextPairScorer, Translator
from keras_transformer.models import CrossEncoder, QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.text import ByteTokenizer
from tests import reference


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory):
    """A folder with the translator.keras of a translator that translates badly."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer = ByteTokenizer()
    transformer = Transformer(tokenizer.vocabulary_size, 1, 12, 19, 3)
    reference.randomize(transformer, seed=1)
    Translator(transformer, tokenizer, max_extra_length=3, max_source_length=30).save(folder / "translator.keras")
    return folder


@pytest.fixture(scope="session")
def translator(model_dir):
    return keras.models.load_model(model_dir / "translator.keras")


@pytest.fixture(scope="session")
def exported(translator, tmp_path_factory):
    """The same as a SavedModel, in a folder of versions."""
    path = tmp_path_factory.mktemp("translator_en_de") / "9"
    translator.export(path)
    return path


@pytest.fixture(scope="session")
def embedder_dir(tmp_path_factory):
    """A folder with the embedder.keras of an embedder that knows nothing."""
    folder = tmp_path_factory.mktemp("embedder")
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=6)
    reference.randomize(encoder, seed=2)
    TextEmbedder(encoder, tokenizer).save(folder / "embedder.keras")
    return folder


@pytest.fixture(scope="session")
def embedder(embedder_dir):
    return keras.models.load_model(embedder_dir / "embedder.keras")


@pytest.fixture(scope="session")
def exported_embedder(embedder, tmp_path_factory):
    """The same as a SavedModel."""
    path = tmp_path_factory.mktemp("exported") / "1"
    embedder.export(path)
    return path


@pytest.fixture(scope="session")
def question_answer_embedder():
    tokenizer = ByteTokenizer()
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=6)
    encoder = QuestionAnswerEncoder(encoder, hidden_dim=7, output_dim=5)
    reference.randomize(encoder, seed=3)
    return QuestionAnswerEmbedder(encoder, tokenizer, max_length=30)


@pytest.fixture(scope="session")
def exported_question_answer_embedder(question_answer_embedder, tmp_path_factory):
    """The same as a SavedModel."""
    path = tmp_path_factory.mktemp("question_answer") / "1"
    question_answer_embedder.export(path)
    return path


@pytest.fixture(scope="session")
def pair_scorer_dir(tmp_path_factory):
    """A folder with the pair_scorer.keras of a scorer that knows nothing."""
    folder = tmp_path_factory.mktemp("pair_scorer")
    tokenizer = ByteTokenizer()
    encoder = CrossEncoder(SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=6))
    reference.randomize(encoder, seed=5)
    TextPairScorer(encoder, tokenizer, max_length=60).save(folder / "pair_scorer.keras")
    return folder


@pytest.fixture(scope="session")
def pair_scorer(pair_scorer_dir):
    return keras.models.load_model(pair_scorer_dir / "pair_scorer.keras")
