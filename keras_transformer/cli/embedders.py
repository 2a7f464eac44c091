"""Finding a sentence embedder."""

from keras_transformer.cli.saved_pipelines import check_model, is_saved_model, load_pipeline

SHIPPED = "sentence_encoder_en"  # by default
_KERAS_NAME = "embedder.keras"
_DESCRIPTION = "an embedder"
MODEL_HELP = "an embedder.keras, the folder it is in, or the folder of a SavedModel from strings to vectors (TF-Hub's)"


def check_embedder(path):
    """Refuses a path without a model, as `open_embedder` would; gives the file or folder that is read."""
    return check_model(path, _KERAS_NAME, _DESCRIPTION)


def load_embedder(path):
    """The `TextEmbedder` saved in `path`, a `.keras` file or a folder with an embedder.keras.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else, or is damaged.
    """
    from keras_transformer.pipelines import TextEmbedder

    return load_pipeline(path, TextEmbedder, _KERAS_NAME, _DESCRIPTION)


def open_embedder(path):
    """The `TextEmbedder` or `ExportedEmbedder` in `path`.

    Args:
        path: a `.keras` file, a folder with an embedder.keras, or the folder of a SavedModel, of this project or
            another.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else.
    """
    if not is_saved_model(path, _KERAS_NAME):
        return load_embedder(path)
    from keras_transformer.pipelines.exported_embedder import ExportedEmbedder

    return ExportedEmbedder(path)
