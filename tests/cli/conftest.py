from tests.saved_pipelines import (  # noqa: F401
    embedder,
    embedder_dir,
    exported,
    exported_embedder,
    model_dir,
    translator,
)
