"""Makes small artifacts with the package as it is now, for later versions to load: python -m tests.artifacts.make

It writes tests/artifacts/VERSION: for a translator and an embedder an archive of the `.keras` file and the export, and
what they give for `TEXTS`, which `tests/artifacts/test_artifacts.py` compares. Run it when a version is released; what
earlier versions wrote stays as it is.
"""

import json
import os
import pathlib
import shutil
import tarfile
import tempfile

import keras

from keras_transformer import TextEmbedder, Translator
from keras_transformer.decoding import BeamSearch
from keras_transformer.models import SentenceEncoder, Transformer
from keras_transformer.text import SubwordTokenizer, WordTokenizer
from keras_transformer.version import __version__
from tests import made_data, reference

TEXTS = ["red dog", "", "  ", "blue house runs", "?!", "漢", "one two three " * 9]


def make(folder):
    """Writes the artifacts into `folder`, whole or not at all."""
    folder = pathlib.Path(folder)
    if folder.exists():
        raise FileExistsError(f"Expected a folder that does not exist. Received: {folder}")
    unfinished = pathlib.Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder.parent))
    try:
        golden = {
            "texts": TEXTS,
            "translator": _save(_translator(), unfinished, "translator", _translations),
            "embedder": _save(_embedder(), unfinished, "embedder", _vectors),
        }
        (unfinished / "golden.json").write_text(
            json.dumps(
                golden,
                ensure_ascii=False,
            )
            + "\n"
        )
        unfinished.chmod(0o755)
        os.rename(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _translator():
    keras.utils.set_random_seed(7)
    tokenizer = SubwordTokenizer.from_texts(made_data.sentences(200), 40)
    transformer = Transformer(tokenizer.vocabulary_size, 1, 12, 19, 3, norm_first=True)
    reference.randomize(transformer, seed=1)
    return Translator(transformer, tokenizer, max_extra_length=3, search=BeamSearch(beam_size=3, num_best=2))


def _embedder():
    keras.utils.set_random_seed(8)
    tokenizer = WordTokenizer.from_texts(made_data.sentences(200), 20, num_hash_buckets=5)
    encoder = SentenceEncoder(tokenizer.vocabulary_size, 1, 12, 19, 3, output_dim=7)
    reference.randomize(encoder, seed=2)
    return TextEmbedder(encoder, tokenizer)


def _save(pipeline, folder, name, results):
    with tempfile.TemporaryDirectory() as temporary:
        pipeline.save(os.path.join(temporary, f"{name}.keras"))
        pipeline.export(os.path.join(temporary, "1"))
        with tarfile.open(folder / f"{name}.tar.xz", "w:xz") as archive:
            archive.add(temporary, arcname=".")
    return results(pipeline)


def _translations(translator):
    return [[[text, round(score, 5)] for text, score in found] for found in translator.translate_n_best(TEXTS)]


def _vectors(embedder):
    return embedder.embed(TEXTS).astype(float).round(6).tolist()


if __name__ == "__main__":
    make(pathlib.Path(__file__).parent / __version__)
