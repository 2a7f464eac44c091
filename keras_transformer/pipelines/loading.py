"""Opens saved pipelines: `.keras` files, exported SavedModels of this library and others, and files of LiteRT."""

import warnings
from typing import Any, TypeVar

import keras

from keras_transformer.hub.tensor_specs import described
from keras_transformer.pipelines.exported import LoadedExport
from keras_transformer.pipelines.exported_embedder import ExportedEmbedder
from keras_transformer.pipelines.exported_question_answer_embedder import ExportedQuestionAnswerEmbedder
from keras_transformer.pipelines.exported_text_pair_scorer import ExportedTextPairScorer
from keras_transformer.pipelines.exported_translator import ExportedTranslator
from keras_transformer.pipelines.litert_embedder import LiteRtEmbedder
from keras_transformer.pipelines.litert_translator import LiteRtTranslator
from keras_transformer.pipelines.model_paths import (
    EMBEDDER,
    PAIR_SCORER,
    PIPELINE,
    QUESTION_ANSWERER,
    Kind,
    find_keras_file,
    find_model,
    is_litert,
    is_litert_translator,
    is_saved_model,
    version_note,
)
from keras_transformer.pipelines.pipeline import Pipeline
from keras_transformer.pipelines.question_answer_embedder import QuestionAnswerEmbedder
from keras_transformer.pipelines.text_embedder import TextEmbedder
from keras_transformer.pipelines.text_pair_scorer import TextPairScorer
from keras_transformer.types import PathLike

_PipelineT = TypeVar("_PipelineT", bound=Pipeline)


# `Any`, as `keras.models.load_model`: which of ten classes it is the path tells, at run time.
def load(path: PathLike) -> Any:
    """Opens any saved pipeline.

    What is returned depends on what lies at `path`:
    - a `.keras` file, or the folder of a training, with a translator.keras, an embedder.keras, a
      question_answerer.keras or a pair_scorer.keras: the `Translator`, `TextEmbedder`, `QuestionAnswerEmbedder` or
      `TextPairScorer` that was saved;
    - a SavedModel from strings to strings: an `ExportedTranslator`;
    - a SavedModel from strings to vectors: an `ExportedEmbedder`;
    - a file of LiteRT that this library wrote: a `LiteRtEmbedder` or a `LiteRtTranslator`;
    - a SavedModel with the signatures "question_encoder" and "response_encoder": an `ExportedQuestionAnswerEmbedder`;
    - a SavedModel that a `TextPairScorer` wrote: an `ExportedTextPairScorer`;
    - a folder of SavedModels with numbers for names: the one with the highest number; if there are several, a warning
      names it.

    A SavedModel may be this library's or another's, TF-Hub's sentence encoders for example. It is a program: open
    only what you trust. A `.keras` file is loaded in Keras' safe mode.

    Args:
        path: of the file or folder.

    Returns:
        The pipeline. Exported ones are called like those that they were exported from: `translate`, `embed`,
        `embed_questions`.

    Raises:
        FileNotFoundError: if there is no model at `path`.
        OSError: for a file that may not be read.
        ValueError: if the file is damaged, or holds something else.

    Example:
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import ByteTokenizer
        >>> tokenizer = ByteTokenizer()
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
        >>> embedder = keras_transformer.TextEmbedder(encoder, tokenizer)
        >>> embedder.save(tmp_path / "embedder.keras")
        >>> keras_transformer.load(tmp_path / "embedder.keras").embed(["a dog", "a cat"]).shape
        (2, 6)
        >>> embedder.export(tmp_path / "exported" / "1", warmup_texts=())
        >>> type(keras_transformer.load(tmp_path / "exported")).__name__
        'ExportedEmbedder'
    """
    found = found_model(path)
    if is_litert(found):
        return LiteRtTranslator(found) if is_litert_translator(found) else LiteRtEmbedder(found)
    return _of_export(LoadedExport(found)) if is_saved_model(found) else load_pipeline(found)


def load_embedder(path: PathLike) -> TextEmbedder | ExportedEmbedder | LiteRtEmbedder:
    """Opens a saved embedder, as `load` does.

    Args:
        path: a `.keras` file, a folder with an embedder.keras, the folder of a SavedModel from strings to vectors, a
            folder of versions of it, or a file of LiteRT.

    Raises:
        FileNotFoundError: if there is no model at `path`.
        OSError: for a file that may not be read.
        ValueError: if the file is damaged, or holds something else.
    """
    found = found_model(path, EMBEDDER)
    if is_litert(found):
        return LiteRtEmbedder(found)
    return ExportedEmbedder(found) if is_saved_model(found) else load_pipeline(found, TextEmbedder, EMBEDDER)


def load_question_answerer(path: PathLike) -> QuestionAnswerEmbedder | ExportedQuestionAnswerEmbedder:
    """Opens a saved question answerer, as `load` does.

    Args:
        path: a `.keras` file, a folder with a question_answerer.keras, the folder of a SavedModel with the signatures
            "question_encoder" and "response_encoder", or a folder of versions of it.

    Raises:
        FileNotFoundError: if there is no model at `path`.
        OSError: for a file that may not be read.
        ValueError: if the file is damaged, or holds something else.
    """
    found = found_model(path, QUESTION_ANSWERER)
    if is_saved_model(found):
        return ExportedQuestionAnswerEmbedder(found)
    return load_pipeline(found, QuestionAnswerEmbedder, QUESTION_ANSWERER)


def load_pair_scorer(path: PathLike) -> TextPairScorer | ExportedTextPairScorer:
    """Opens a saved scorer of pairs, as `load` does.

    Args:
        path: a `.keras` file, a folder with a pair_scorer.keras, the folder of a SavedModel that a `TextPairScorer`
            wrote, or a folder of versions of it.

    Raises:
        FileNotFoundError: if there is no model at `path`.
        OSError: for a file that may not be read.
        ValueError: if the file is damaged, or holds something else.
    """
    found = found_model(path, PAIR_SCORER)
    if is_saved_model(found):
        return ExportedTextPairScorer(found)
    return load_pipeline(found, TextPairScorer, PAIR_SCORER)


def load_pipeline(path: PathLike, pipeline_class: type[_PipelineT] = Pipeline, kind: Kind = PIPELINE) -> _PipelineT:
    """Loads the pipeline of a `.keras` file.

    Args:
        path: of the file, or of a folder with a file of one of the kind's names.
        pipeline_class: what it must be.
        kind: says so in error messages.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or holds something else.
    """
    path = find_keras_file(path, kind)
    try:
        pipeline = keras.models.load_model(path)
    except Exception as error:  # of any kind, as the damage is
        raise ValueError(
            f"Expected a .keras file with {kind.description}. Received {path}: it is damaged, or of another version "
            f"({_in_short(error)})"
        ) from error
    if not isinstance(pipeline, pipeline_class):
        raise ValueError(f"Expected a {pipeline_class.__name__} in {path}. Received: {type(pipeline).__name__}")
    return pipeline


def found_model(path: PathLike, kind: Kind = PIPELINE) -> str:
    """As `find_model`, with a warning that names the version, if there are several."""
    found = find_model(path, kind)
    if note := version_note(path, found):
        warnings.warn(note, stacklevel=3)
    return found


def _of_export(export):
    """The pipeline that fits what a SavedModel goes from and to."""
    if ExportedTextPairScorer.fits(export):
        return ExportedTextPairScorer(export)
    for pipeline_class in (ExportedQuestionAnswerEmbedder, ExportedTranslator, ExportedEmbedder):
        if pipeline_class.fits(export):
            return pipeline_class(export)
    inputs, outputs = export.function().specs[0]
    raise ValueError(
        f"Expected a SavedModel from strings to strings or vectors in {export.path}. Received: from "
        f"{described(inputs)} to {described(outputs)}"
    )


def _in_short(error):
    """The kind and the first line of an error; Keras' go on for pages."""
    line = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {line[:200]}"
