from tests.saved_pipelines import (  # noqa: F401
    embedder,
    embedder_dir,
    exported,
    exported_embedder,
    exported_question_answer_embedder,
    model_dir,
    question_answer_embedder,
    translator,
)
