"""What a user calls and a server serves: tokenizer, model and decoding in one object."""

from keras_transformer.pipelines.question_answer_embedder import QuestionAnswerEmbedder
from keras_transformer.pipelines.text_embedder import TextEmbedder
from keras_transformer.pipelines.translator import Translator
from keras_transformer.pipelines.vector_similarity import similarity

__all__ = ["QuestionAnswerEmbedder", "TextEmbedder", "Translator", "similarity"]
