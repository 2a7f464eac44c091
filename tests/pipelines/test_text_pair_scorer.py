import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_transformer
from keras_transformer import TextPairScorer
from keras_transformer.models import CrossEncoder, SentenceEncoder
from keras_transformer.text import ByteTokenizer
from keras_transformer.text.text_pairs import tokenize_pairs
from tests import made_data, reference

PAIRS = [("red dog", "a tree"), ("", "x"), ("blue house runs", ""), ("?!", "???"), ("", "")]
LABELS = ["yes", "no", "maybe"]


def make(num_labels, **options):
    tokenizer = ByteTokenizer()
    encoder = CrossEncoder(SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=5), num_labels)
    reference.randomize(encoder, seed=3)
    return TextPairScorer(encoder, tokenizer, max_length=20, **options)


@pytest.fixture(scope="module")
def scorer():
    return make(1)


@pytest.fixture(scope="module")
def classifier():
    return make(3, labels=LABELS)


def logits_of(scorer, pair):
    """Of a pair alone, without padding."""
    ids, segment_ids, _ = tokenize_pairs(scorer.tokenizer, [pair[0]], [pair[1]], scorer.max_length)
    return scorer.encoder({"ids": ids.to_tensor(), "segment_ids": segment_ids.to_tensor()})[0].numpy()


def test_is_tokenizer_encoder_and_activation(scorer, classifier):
    logits = np.stack([logits_of(scorer, pair) for pair in PAIRS])
    np.testing.assert_allclose(scorer.logits(PAIRS), logits[:, 0], atol=1e-5)
    np.testing.assert_allclose(scorer.score(PAIRS), 1 / (1 + np.exp(-logits[:, 0])), atol=1e-5)
    exponentials = np.exp([logits_of(classifier, pair) for pair in PAIRS])
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.score(iter(PAIRS)), probabilities, atol=1e-5)
    assert classifier.classify(PAIRS) == [LABELS[number] for number in probabilities.argmax(axis=1)]
    np.testing.assert_allclose(make(1, activation="linear").score(PAIRS), logits[:, 0], atol=1e-5)
    assert np.ptp(logits) > 0.1


def test_a_call_takes_both_columns(scorer, classifier):
    columns = tuple(map(list, zip(*PAIRS)))
    np.testing.assert_allclose(scorer(columns), scorer.score(PAIRS), atol=1e-6)
    by_name = dict(zip(("first", "second"), map(tf.constant, columns)))
    np.testing.assert_allclose(classifier(by_name), classifier.score(PAIRS), atol=1e-6)
    inputs = {name: keras.Input((), dtype="string", name=name) for name in by_name}
    np.testing.assert_allclose(keras.Model(inputs, scorer(inputs))(by_name), scorer.score(PAIRS), atol=1e-6)


def test_the_order_of_a_pair_matters(scorer):
    turned = [(b, a) for a, b in PAIRS]
    assert np.abs(scorer.score(turned) - scorer.score(PAIRS))[:3].min() > 1e-4


@pytest.mark.filterwarnings("ignore:.* have more than max_length")
def test_a_pair_gives_the_same_score_in_any_batch(scorer):
    pairs = list(zip(made_data.sentences(20, longest=3), made_data.sentences(20, seed=1, longest=3)))
    alone = [scorer.score([pair])[0] for pair in pairs]
    np.testing.assert_allclose(scorer.score(pairs, batch_size=7), alone, atol=1e-5)
    assert scorer.score([]).shape == (0,)


def test_long_pairs_are_cut_with_a_warning(scorer):
    with pytest.warns(UserWarning, match=r"2 of 3 texts .* max_length=20 tokens \(number 1, 3\)") as warned:
        scores = scorer.score([("x" * 30, "yz"), ("a", "b"), ("x" * 9, "y" * 9)])
    assert [warning.filename for warning in warned] == [__file__]
    np.testing.assert_allclose(scores, scorer.score([("x" * 15, "yz"), ("a", "b"), ("x" * 8, "y" * 9)]), atol=1e-6)


def test_ranks_texts_for_a_query(scorer):
    texts = ["a tree", "", "red", "a tree"]
    ranked = scorer.rank("red dog", texts)
    scores = scorer.score([("red dog", text) for text in texts])
    assert [hit.index for hit in ranked] == np.argsort(-scores, kind="stable").tolist()
    assert [texts[hit.index] for hit in ranked] == [hit.text for hit in ranked]
    assert [hit.score for hit in ranked] == pytest.approx(np.sort(scores)[::-1], abs=1e-6)
    assert scorer.rank("red dog", texts, top_k=2) == ranked[:2]


def test_reloads_with_equal_scores(scorer, classifier, tmp_path):
    scorer.save(tmp_path / "pair_scorer.keras")
    reloaded = keras_transformer.load(tmp_path)
    assert type(reloaded) is TextPairScorer and reloaded.max_length == 20
    np.testing.assert_array_equal(reloaded.score(PAIRS), scorer.score(PAIRS))
    classifier.save(tmp_path / "classifier.keras")
    assert keras_transformer.load(tmp_path / "classifier.keras").labels == LABELS


def test_dropout_in_training_alone(scorer):
    columns = tuple(map(list, zip(*PAIRS)))
    assert np.abs(scorer(columns, training=True) - scorer(columns)).max() > 1e-4


def test_bad_input(scorer, classifier):
    with pytest.raises(ValueError, match=r"pairs of strings. Received: 'ab' \(number 1\)"):
        scorer.score(["ab"])
    with pytest.raises(ValueError, match=r"Received: 3 \(second, number 2\)"):
        scorer.score([("a", "b"), ("a", 3)])
    with pytest.raises(ValueError, match="as many first texts as second ones. Received: 2 and 1"):
        scorer((["a", "b"], ["c"]))
    with pytest.raises(ValueError, match="one score of a pair. Received: one of 3 classes"):
        classifier.rank("a", ["b"])
    with pytest.raises(ValueError, match="list of strings. Received a single one: 'bc'"):
        scorer.rank("a", "bc")
    with pytest.raises(ValueError, match=r"pairs of strings. Received: None \(number 1\)"):
        scorer.score([None])
    with pytest.raises(ValueError, match="scorer with labels"):
        scorer.classify(PAIRS)
    with pytest.raises(ValueError, match="at least 3. Received: max_length=2"):
        TextPairScorer(scorer.encoder, scorer.tokenizer, max_length=2)
    with pytest.raises(ValueError, match=r"names of 3 classes, at least 2. Received: \['a'\]"):
        TextPairScorer(classifier.encoder, scorer.tokenizer, labels=["a"])
    with pytest.raises(ValueError, match="activation='tanh'"):
        TextPairScorer(scorer.encoder, scorer.tokenizer, activation="tanh")
