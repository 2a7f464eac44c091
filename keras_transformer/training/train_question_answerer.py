"""From questions with their answers to a trained question answerer in a folder."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_transformer.data.answers import read_answers
from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_question_answerer import empty_text_has_vector, fit_question_answerer
from keras_transformer.training.names import QUESTION_ANSWERER
from keras_transformer.training.question_answering import QuestionAnswerRanking
from keras_transformer.training.saved_training import say_nothing, saying_what_was_written
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.training.start import start_from_embedder
from keras_transformer.types import DType, PathLike

if TYPE_CHECKING:
    import tensorflow as tf


def train_question_answerer(
    folder: PathLike,
    answers: PathLike | list[PathLike],
    validation: PathLike | list[PathLike] | None = None,
    *,
    embedder: PathLike | None = None,
    recipe: EmbeddingRecipe | None = None,
    hidden_dim: int = 512,
    output_dim: int = 512,
    batch_size: int = 128,
    scale: float = 20.0,
    margin: float = 0.0,
    dtype: DType = "float32",
    strategy: "tf.distribute.Strategy | None" = None,
    say: Callable[..., None] = print,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a dual encoder on questions with their answers by a recipe, and writes a question answerer to a folder.

    What `keras-transformer train question-answerer` does. Beside `folder`/question_answerer.keras stand history.csv and
    a checkpoint: called again with the same arguments after a kill, the training resumes.

    Args:
        folder: for all files; made if it is missing.
        answers: tab-separated files of question, answer and, in all rows or in none, the answer's context.
        validation: the same, or `None`.
        embedder: a `TextEmbedder`'s `.keras` file, or the folder of an embedder.keras, whose encoder and vocabulary the
            training starts from; by default both are made by the recipe.
        recipe: an `EmbeddingRecipe`. With an `embedder`, the shape of the model and the vocabulary are not looked at,
            and its own `max_length` holds if it is less.
        hidden_dim: width of the hidden layer of both networks.
        output_dim: width D of the vectors of questions and responses.
        batch_size: rows of a batch, whose answers are the candidates.
        scale: of the cosines in the ranking.
        margin: additive, in the ranking.
        dtype: dtype policy of encoder and networks.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        say: prints what is going on; by default `print`, on the first worker.
        **options: `minutes`, `seed`, `checkpoint_minutes`, `tensorboard` and `verbose` of `fit_question_answerer`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for bad files, with file and line; for an embedder that is damaged, or quantized, or has no dtype
            of its own to change; for arguments in `recipe.model` that the encoder has not; and what
            `fit_question_answerer` raises.
    """
    import tensorflow as tf

    from keras_transformer.models import QuestionAnswerEncoder
    from keras_transformer.pipelines import QuestionAnswerEmbedder

    recipe = recipe or EmbeddingRecipe()
    strategy = strategy or tf.distribute.get_strategy()
    say = say if strategy.extended.should_checkpoint else say_nothing
    rows = read_answers(answers)
    held_out = None if validation is None else _columns(read_answers(validation))
    texts = list(dict.fromkeys(text for row in rows for text in row))
    say(f"answers: {len(rows):,} rows, {len(texts):,} different texts")
    with strategy.scope():
        if embedder is None:
            tokenizer, max_length = recipe.make_tokenizer(texts), recipe.max_length
            encoder = recipe.make_encoder(tokenizer.vocabulary_size, dtype)
        else:
            encoder, tokenizer, max_length = start_from_embedder(embedder, dtype)
        model = QuestionAnswerEncoder(encoder, hidden_dim=hidden_dim, output_dim=output_dim, dtype=dtype)
        answerer = QuestionAnswerEmbedder(model, tokenizer, max_length=min(recipe.max_length, max_length))
        objective = QuestionAnswerRanking(model, scale=scale, margin=margin)
    if len(rows[0]) == 2 and empty_text_has_vector(answerer):
        rows = [(*row, "") for row in rows]
    task = SentenceTask("answers", rows, objective, batch_size=batch_size)
    count = model.count_params()
    say(f"{tokenizer.vocabulary_size:,} token ids, a dual encoder of {count:,} parameters", flush=True)
    path = os.path.join(folder, QUESTION_ANSWERER)
    with saying_what_was_written(path, say):
        return fit_question_answerer(
            answerer,
            [task],
            held_out,
            path=path,
            recipe=recipe,
            strategy=strategy,
            origin=None if embedder is None else fingerprints.fingerprint(*encoder.get_weights()),
            **options,
        )


def _columns(rows):
    """(questions, answers, contexts or `None`)."""
    questions, answers, *contexts = zip(*rows)
    return questions, answers, contexts[0] if contexts else None
