"""Small models to serve, always the same: python -m tests.serving.make_models FOLDER

Tests ask a server for them and compare with what they give in Python.
"""

import os
import sys

import keras

from keras_transformer import QuestionAnswerEmbedder, TextEmbedder, Translator
from keras_transformer.decoding import BeamSearch
from keras_transformer.export import next_version
from keras_transformer.models import QuestionAnswerEncoder, SentenceEncoder, Transformer
from keras_transformer.text import SubwordTokenizer
from tests import made_data, reference


def pipelines():
    """{name: [pipeline of version 1, ...]}."""
    keras.utils.set_random_seed(1)
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 40)
    size = tokenizer.vocabulary_size
    translators = [Transformer(size, 1, 12, 19, 3, norm_first=True) for _ in range(2)]
    encoder = SentenceEncoder(size, 1, 12, 19, 3, output_dim=7)
    dual = QuestionAnswerEncoder(SentenceEncoder(size, 1, 12, 19, 3, output_dim=7), hidden_dim=11, output_dim=5)
    for seed, model in enumerate((*translators, encoder, dual), start=4):
        reference.randomize(model, seed)
    search = BeamSearch(3, num_best=2)
    return {
        "translator": [Translator(model, tokenizer, max_extra_length=3, search=search) for model in translators],
        "embedder": [TextEmbedder(encoder, tokenizer)],
        "question_answer": [QuestionAnswerEmbedder(dual, tokenizer)],
    }


def export(made, folder):
    """Writes FOLDER/name/1, and FOLDER/name/2 where there are two, frozen."""
    for name, versions in made.items():
        for pipeline in versions:
            pipeline.export(next_version(os.path.join(folder, name)), frozen=True, warmup_texts=["red dog"])


if __name__ == "__main__":
    export(pipelines(), sys.argv[1])
