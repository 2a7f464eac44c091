"""The Transformer as Keras 3 layers, and as models that take strings.

Importing this package registers its classes with Keras, so that `keras.models.load_model` finds them. Under other
backends than TensorFlow there are layers, models and training. What takes strings needs TensorFlow.
"""

import importlib
import sys
from typing import Any

if sys.argv[:1] == ["-m"] and sys.orig_argv[-1 - len(sys.argv) :][:2] == ["-m", __name__]:
    # `python -m keras_transformer` looks for __main__: what can be answered without Keras is answered here.
    import keras_transformer_command

    keras_transformer_command.check_arguments()

from keras_transformer.quiet import without_banner

with without_banner():
    import keras

from keras_transformer import distribution, layers, models, training
from keras_transformer.version import __version__

__all__ = [
    "ExportedEmbedder",
    "ExportedQuestionAnswerEmbedder",
    "ExportedTextPairScorer",
    "ExportedTranslator",
    "LiteRtEmbedder",
    "LiteRtTranslator",
    "QuestionAnswerEmbedder",
    "TextEmbedder",
    "TextPairScorer",
    "Translator",
    "__version__",
    "distribution",
    "layers",
    "load",
    "models",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in __all__:  # of the pipelines: the rest is there
        return getattr(importlib.import_module("keras_transformer.pipelines"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if keras.backend.backend() == "tensorflow":
    from keras_transformer import hub, search  # noqa: F401
    from keras_transformer.pipelines import (
        ExportedEmbedder,
        ExportedQuestionAnswerEmbedder,
        ExportedTextPairScorer,
        ExportedTranslator,
        LiteRtEmbedder,
        LiteRtTranslator,
        QuestionAnswerEmbedder,
        TextEmbedder,
        TextPairScorer,
        Translator,
        load,
    )
