import pytest
import tensorflow as tf

from keras_transformer.text import ByteTokenizer, MarianTokenizer, SubwordTokenizer
from keras_transformer.text.piece_tokenizer import PieceTokenizer
from tests import made_data, made_texts

TEXTS = [*made_texts.nasty(200), ">>deu<< a red dog", ">>fra<<", "  two   dogs "]


def tokenizers():
    corpus = [*made_data.sentences(200), "한국어 문장", "le café"]
    for options in ({}, {"model_type": "bpe", "byte_fallback": True}):
        yield SubwordTokenizer.from_texts(corpus, 320 if options else 70, **options)
    model = SubwordTokenizer.from_texts(made_data.sentences(200), 60)
    learned = [model.ids_to_pieces([n]).numpy()[0].decode() for n in range(4, model.vocabulary_size)]
    yield MarianTokenizer(model.model, ["</s>", "<unk>", *reversed(learned), "▁Hund", ">>deu<<", "<pad>"])


@pytest.mark.parametrize("graph", tokenizers())
def test_is_the_tokenizer_of_the_graph(graph):
    made = PieceTokenizer.of(graph)
    tokenizer = PieceTokenizer.from_files(made.files("source"), "source")
    assert sorted(made.files("source")) == ["source.json", "source.model"]
    special = [tokenizer.padding_id, tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id]
    assert special == [graph.padding_id, graph.unknown_id, graph.begin_id, graph.end_id]
    ids = graph.tokenize(TEXTS).to_list()
    assert [tokenizer.encode(text) for text in TEXTS] == ids
    rows = [*ids, [graph.begin_id, 5, 99999, 7, graph.unknown_id, graph.end_id, 8], [-3], [], list(range(4, 50))]
    texts = [text.decode() for text in graph.detokenize(tf.ragged.constant(rows, tf.int32)).numpy()]
    assert [tokenizer.decode(row) for row in rows] == texts


def test_others_are_refused():
    with pytest.raises(ValueError, match="Expected a SubwordTokenizer or a MarianTokenizer for this.*ByteTokenizer"):
        PieceTokenizer.of(ByteTokenizer())
