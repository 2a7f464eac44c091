"""Recognizes the kind of a checkpoint and converts it."""

import os

from keras_transformer.convert import bert
from keras_transformer.convert.cross_encoder import convert_cross_encoder, is_cross_encoder
from keras_transformer.convert.files import read_json
from keras_transformer.convert.marian import make_translator
from keras_transformer.convert.marian_hugging_face import read_hugging_face
from keras_transformer.convert.marian_npz import npz_files, read_npz
from keras_transformer.convert.sentence_encoder import convert_sentence_encoder
from keras_transformer.pipelines import TextEmbedder, TextPairScorer, Translator
from keras_transformer.types import DType, PathLike

_SUPPORTED = (
    f"sentence encoders of sentence-transformers (modules.json; model_type {' or '.join(bert.MODEL_TYPES)}), "
    "cross-encoders (architectures BertForSequenceClassification) and Marian "
    "translation models (model_type marian, or an .npz of Marian's own)"
)


def convert(folder: PathLike, dtype: DType = None) -> TextEmbedder | TextPairScorer | Translator:
    """Converts a checkpoint of another library, in a local folder, to a pipeline. That library need not be installed.

    - A sentence-transformers model with a BERT (MiniLM) or MPNet encoder becomes a `TextEmbedder`. Its embeddings
      equal the original's to 1e-5.
    - A cross-encoder of sentence-transformers, or another BERT that classifies texts, becomes a `TextPairScorer` with
      the original's activation: its scores are those of `CrossEncoder.predict`.
    - A Marian model (OPUS-MT), saved by transformers or by Marian itself (.npz), becomes a `Translator` with the
      original's default search. A translation has at most `max_extra_length` tokens more than its source, and at most
      as many as the checkpoint allows.

    Token ids are the original's. 16-bit weights become float32.

    ```python
    embedder = convert("all-MiniLM-L6-v2")
    embedder(["A dog runs."])  # (1, 384)
    embedder.export("saved/1")
    ```

    Args:
        folder: folder of the checkpoint.
        dtype: dtype or dtype policy of the model, such as "mixed_bfloat16"; by default the global one.

    Returns:
        A `TextEmbedder`, a `TextPairScorer` or a `Translator`.

    Raises:
        FileNotFoundError: if the folder, or a file in it, does not exist.
        ValueError: for an unsupported architecture, tokenizer part or setting; for tensors that are missing,
            unexpected or of a wrong shape (the message lists all of them); for a damaged file or a Git LFS pointer;
            for a pickle instead of safetensors.

    Warns:
        UserWarning: lists the settings that may change results and are ignored, and the unknown ones.
    """
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Expected the folder of a checkpoint. Received: {folder}")
    if is_cross_encoder(folder):
        return convert_cross_encoder(folder, dtype)
    if os.path.isfile(os.path.join(folder, "modules.json")):
        return convert_sentence_encoder(folder, dtype)
    if npz_files(folder):
        return make_translator(folder, read_npz(folder), dtype)
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise FileNotFoundError(f"Expected {_SUPPORTED}. Received a folder without config.json: {folder}")
    config = read_json(folder, "config.json")
    model_type = config.get("model_type")
    if model_type == "marian":
        return make_translator(folder, read_hugging_face(folder), dtype)
    without_modules = ", without modules.json" if model_type in bert.MODEL_TYPES else ""
    raise ValueError(
        f"Expected {_SUPPORTED}. Received: model_type={model_type!r}, architectures={config.get('architectures')!r}"
        f"{without_modules} in {folder}"
    )
