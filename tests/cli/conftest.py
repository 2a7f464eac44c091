import functools

import pytest

from keras_transformer import pipelines
from tests.saved_pipelines import (  # noqa: F401
    embedder,
    embedder_dir,
    exported,
    exported_embedder,
    exported_question_answer_embedder,
    model_dir,
    pair_scorer,
    pair_scorer_dir,
    question_answer_embedder,
    translator,
)

_OPENERS = ("load_embedder", "load_pair_scorer", "load_translator")
OPENED = {name: functools.cache(getattr(pipelines, name)) for name in _OPENERS}


@pytest.fixture(autouse=True)
def opened_once(monkeypatch):
    """What was opened stays open, so that its graphs are traced once and not in each test."""
    for name, opened in OPENED.items():
        monkeypatch.setattr(pipelines, name, opened)
