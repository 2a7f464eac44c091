import keras
import numpy as np
import pytest

from keras_transformer import TextEmbedder
from keras_transformer.models import BertEncoder, SentenceEncoder
from keras_transformer.pipelines import ExportedEmbedder
from keras_transformer.text import WordPieceTokenizer, WordTokenizer
from keras_transformer.training import distill_to_static
from tests.training.objective_values import unit

WORDS = ["the", "dog", "cat", "runs", "sleeps", "red", "blue"]


def expected(vectors, texts, output_dim, smoothing=1e-4):
    """By the formula, from the encoder's vectors of the words, through a singular value decomposition."""
    vectors = np.asarray(vectors, "float64")
    centred = vectors - vectors.mean(axis=0)
    components = centred @ np.linalg.svd(centred, full_matrices=False)[2][:output_dim].T
    frequencies = 1 / np.arange(1, len(WORDS) + 1)
    weights = smoothing / (smoothing + frequencies / frequencies.sum())
    return unit(np.stack([sum(weights[i] * components[i] for i in map(WORDS.index, t.split())) for t in texts]))


TEXTS = ["the red dog", "blue cat sleeps", "dog", "cat cat runs"]


def check(teacher):
    student = distill_to_static(teacher, output_dim=3)
    found = student.embed([*TEXTS, "", "zzz"])
    wanted = expected(teacher.embed(WORDS), TEXTS, 3)
    np.testing.assert_allclose(found[:4] @ found[:4].T, wanted @ wanted.T, atol=1e-5)
    np.testing.assert_array_equal(found[4:], 0)  # unknown words have no vector
    return student


def test_of_words(tmp_path):
    keras.utils.set_random_seed(1)
    teacher = TextEmbedder(SentenceEncoder(12, 1, 12, 19, 3, output_dim=5), WordTokenizer(WORDS, 1), max_length=4)
    student = check(teacher)
    student.save(tmp_path / "s.keras")
    found = keras.models.load_model(tmp_path / "s.keras").embed(TEXTS)
    np.testing.assert_array_equal(found, student.embed(TEXTS))
    long = student.embed(["red dog " * 700, "red dog"])  # the encoder's limit is none of theirs
    np.testing.assert_allclose(long[0], long[1], atol=1e-5)


def test_of_subwords_between_ids_that_every_text_has():
    keras.utils.set_random_seed(2)
    vocabulary = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    encoder = BertEncoder(len(vocabulary), 1, 12, 19, 3, max_length=8)
    check(TextEmbedder(encoder, WordPieceTokenizer(vocabulary), max_length=8))


def test_what_cannot_be_distilled():
    teacher = TextEmbedder(SentenceEncoder(12, 1, 12, 19, 3, output_dim=5), WordTokenizer(WORDS, 1))
    with pytest.raises(ValueError, match="at most 5. Received: output_dim=6"):
        distill_to_static(teacher, output_dim=6)
    with pytest.raises(ValueError, match="smoothing=0"):
        distill_to_static(teacher, output_dim=5, smoothing=0)
    with pytest.raises(ValueError, match="Received: ExportedEmbedder"):
        distill_to_static(ExportedEmbedder.__new__(ExportedEmbedder))
