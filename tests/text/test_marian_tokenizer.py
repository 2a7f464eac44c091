import io

import keras
import numpy as np
import pytest
import sentencepiece

from keras_transformer.text import MarianTokenizer
from tests.made_data import sentences


def train(texts):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=30, hard_vocab_limit=False, minloglevel=2
    )
    return model.getvalue()


@pytest.fixture(scope="module")
def model():
    return train(sentences(300))


@pytest.fixture(scope="module")
def tokenizer(model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    learned = [processor.id_to_piece(i) for i in range(3, processor.vocab_size())]
    # The other side of a model has pieces that this one lacks.
    return MarianTokenizer(model, ["</s>", "<unk>", *reversed(learned), "漢", "▁Hund", ">>deu<<", "<pad>"])


def test_pieces_are_numbered_by_the_vocabulary(tokenizer, model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    for text, ids in zip(sentences(20), tokenizer.tokenize(sentences(20), add_end=True).to_list()):
        assert [tokenizer.vocabulary[i] for i in ids] == [*processor.encode(text, out_type=str), "</s>"]


def test_pieces_that_only_one_of_both_knows(tokenizer):
    (ids,) = tokenizer.tokenize(["漢 q"]).to_list()
    assert [tokenizer.vocabulary[i] for i in ids if i != tokenizer.vocabulary.index("▁")] == ["漢", "<unk>"]
    hund = tokenizer.vocabulary.index("▁Hund")
    assert tokenizer.detokenize([[hund, 1, hund, 0, hund]]).numpy().tolist() == [b"Hund Hund"]


@pytest.mark.parametrize("code, token", [(">>deu<<", ">>deu<<"), (">>x<<", "<unk>"), (">><<", "<unk>")])
def test_language_codes(tokenizer, code, token):
    (plain,), (coded,) = (tokenizer.tokenize([text]).to_list() for text in (" red dog", f"{code} red dog"))
    assert coded == [tokenizer.vocabulary.index(token), *plain]
    (inside,) = tokenizer.tokenize([f"red {code}"]).to_list()
    assert tokenizer.vocabulary.index(">>deu<<") not in inside


def test_special_tokens_in_a_text(tokenizer):
    config = tokenizer.get_config()
    special = MarianTokenizer.from_config({**config, "special_in_text": True})
    padding, deu = (tokenizer.vocabulary.index(token) for token in ("<pad>", ">>deu<<"))
    dog = tokenizer.tokenize(["dog"]).to_list()[0]
    found = special.tokenize(["dog<pad> dog</s><unk>", "</s>>>deu<<dog", "", " dog", "</s>"]).to_list()
    assert found == [[*dog, padding, *dog, 0, 1], [0, deu, *dog], [], dog, [0]]
    (apart,) = tokenizer.tokenize(["dog</s>"]).to_list()
    assert 0 not in apart and len(apart) > len(dog)
    del config["special_in_text"]  # as a file of before
    assert MarianTokenizer.from_config(config).special_in_text is False


def test_padding_begins_and_the_end_id_ends(tokenizer):
    padding = len(tokenizer.vocabulary) - 1
    assert (tokenizer.padding_id, tokenizer.begin_id, tokenizer.end_id, tokenizer.unknown_id) == (
        padding,
        padding,
        0,
        1,
    )
    ids = tokenizer(["red dog", ""], add_end=True).numpy()
    assert ids[1].tolist() == [0] + [padding] * (ids.shape[1] - 1)
    assert tokenizer.detokenize(ids).numpy().tolist() == [b"red dog", b""]
    assert tokenizer([]).shape == (0, 1)


def test_comes_back_from_its_config(tokenizer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(tokenizer))
    assert copy.get_config() == tokenizer.get_config()
    np.testing.assert_array_equal(copy(sentences(5)), tokenizer(sentences(5)))


@pytest.mark.parametrize(
    "damaged, vocabulary, message",
    [
        (b"junk", ["</s>", "<unk>", "<pad>"], "Expected a serialized SentencePiece model"),
        (None, ["</s>", "<unk>"], r"Received one without \['<pad>'\]"),
        (None, ["</s>", "<unk>", "<pad>", "a", "a"], r"Received twice: \['a'\]"),
    ],
)
def test_bad_values(model, damaged, vocabulary, message):
    with pytest.raises(ValueError, match=message):
        MarianTokenizer(damaged or model, vocabulary)
