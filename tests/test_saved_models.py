"""The models of saved_models/ are what their cards say."""

import pathlib

import numpy as np
import pytest

from keras_transformer.pipelines import ExportedEmbedder, truncated
from tests import operations

ROOT = pathlib.Path(__file__).parents[1] / "saved_models"
ENCODERS = ["sentence_encoder_en", "sentence_encoder_lite_en"]
MULTILINGUAL = "sentence_encoder_multilingual"
VERSIONS = {"translator_en_de": 2, MULTILINGUAL: 1, **dict.fromkeys(ENCODERS, 2)}


@pytest.mark.parametrize("name, version", VERSIONS.items())
def test_sizes(name, version):
    most = 20e6 if name == "translator_en_de" else 25e6
    assert [path.name for path in (ROOT / name).glob("[0-9]*")] == [str(version)]
    assert sum(path.stat().st_size for path in (ROOT / name / str(version)).rglob("*") if path.is_file()) < most
    assert f"version {version}," in (ROOT / name / "README.md").read_text()


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/*/")), ids=lambda path: path.parent.name)
def test_a_server_needs_no_flag(path):
    assert operations.of_xla(operations.of_saved_model(path)) == []


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request):
    return ExportedEmbedder(ROOT / request.param / str(VERSIONS[request.param]))


def test_vectors(encoder):
    assert (encoder.output_dim, encoder.max_length) == (384, 128)
    texts = [
        "How old are you?",
        "HOW OLD are you?",
        "What is your age?",
        "A dog runs through the snow.",
        "",
        "?!",
        "개가 달린다",
    ]
    vectors = encoder.embed(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0, 1, 1], atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[3] + 0.4
    np.testing.assert_allclose(encoder.embed(texts[2:3])[0], vectors[2], atol=1e-5)


def test_meanings(encoder):
    """Opposites in one context are told apart, and what has nothing in common is far apart; in few numbers too."""
    texts = [
        "The food was delicious",
        "The meal was tasty",
        "The food was awful",
        "The stock market fell today",
        "How do I reset my password?",
        "I forgot my password",
    ]
    for vectors in (encoder.embed(texts), truncated(encoder.embed(texts), 64)):
        cosines = vectors @ vectors.T
        assert cosines[0, 1] > cosines[0, 2] + 0.1
        assert cosines[0, 1] > 0.75 and cosines[4, 5] > 0.7
        assert abs(cosines[:3, 3:]).max() < 0.3


@pytest.fixture(scope="module")
def multilingual():
    return ExportedEmbedder(ROOT / MULTILINGUAL / str(VERSIONS[MULTILINGUAL]))


def test_translations_are_near_and_other_sentences_far(multilingual):
    dog = ["A dog runs through the snow.", "개가 눈밭을 달리고 있다.", "Ein Hund rennt durch den Schnee."]
    dog += [
        "Un chien court dans la neige.",
        "Un perro corre por la nieve.",
        "犬が雪の中を走っている。",
        "一只狗在雪中奔跑。",
    ]
    others = [
        "I forgot my password",
        "비밀번호를 잊어버렸어요",
        "Ich habe mein Passwort vergessen",
        "パスワードを忘れました",
    ]
    dogs, passwords = multilingual.embed(dog), multilingual.embed(others)
    assert (dogs @ dogs.T).min() > 0.6 and (passwords @ passwords.T).min() > 0.5
    assert abs(dogs @ passwords.T).max() < 0.25


def test_korean_sentences_without_anything_in_common_are_far_apart(multilingual):
    texts = [
        "남자가 공원에서 기타를 치고 있다.",
        "주식 시장이 오늘 크게 하락했다.",
        "이 함수는 정수 목록을 반환합니다.",
        "오늘 저녁에 뭐 먹을까?",
        "그 영화는 정말 지루했다.",
    ]
    cosines = multilingual.embed(texts) @ multilingual.embed(texts).T
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert abs(cosines - np.eye(len(texts))).max() < 0.4
    assert not multilingual.embed([""]).any()
