"""Finding out what a folder holds, and converting it."""

import os

from keras_transformer.convert import bert
from keras_transformer.convert.files import read_json
from keras_transformer.convert.marian import make_translator
from keras_transformer.convert.marian_hugging_face import read_hugging_face
from keras_transformer.convert.marian_npz import npz_files, read_npz
from keras_transformer.convert.sentence_encoder import convert_sentence_encoder

_SUPPORTED = (
    f"sentence encoders of sentence-transformers (modules.json; model_type {' or '.join(bert.MODEL_TYPES)}) and Marian "
    "translation models (model_type marian, or an .npz of Marian's own)"
)


def convert(folder, dtype=None):
    """A pipeline from another library's checkpoint in a local folder. Nothing of that library is needed.

    - A folder of sentence-transformers, with the encoder of BERT (MiniLM) or MPNet, gives a `TextEmbedder`: the
      vectors are those of the original to 1e-5.
    - A Marian model (OPUS-MT), as transformers saves it or as Marian itself does (.npz), gives a `Translator` that
      searches as the original would by default; a translation has at most `max_extra_length` tokens more than
      its source, and at most as many as the checkpoint says.

    Token ids are those of the original. Weights of 16 bits become float32.

    Args:
        folder: the checkpoint's.
        dtype: dtype or dtype policy of the model, as "mixed_bfloat16"; by default the global one.

    Returns:
        A `TextEmbedder` or a `Translator`, to be called, saved and exported as any other.

    Raises:
        FileNotFoundError: if there is no such folder, or a file in it is missing.
        ValueError: for an architecture, a part of a tokenizer or a setting that is not supported; for tensors that are
            missing, misshapen or left over, with all of them; for a damaged file or a Git LFS pointer; for a pickle
            where safetensors are expected.

    Warns:
        UserWarning: for settings that change results and are not followed, and for unknown ones, with all of them.
    """
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"Expected the folder of a checkpoint. Received: {folder}")
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
