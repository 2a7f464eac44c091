"""Speed of static token vectors: strings in, the mean of a vector for each token out.

The same vectors for MiniLM's vocabulary in both libraries. Texts are normalized, cut and averaged in the graph of our
export; in Model2Vec by Hugging Face's tokenizers and NumPy.
"""

import pathlib

import numpy as np

from benchmarks import minilm
from benchmarks.benchmark import OURS, Benchmark, Run, Target

NUM_SENTENCES, WIDTH, VECTORS = 20_000, 256, "vectors.npy"

benchmark = Benchmark(
    f"Strings to static vectors of width {WIDTH}, {NUM_SENTENCES:,} uneven sentences",
    __spec__.name,
    amount=NUM_SENTENCES,
    unit="sentences",
    targets=[Target("Model2Vec", 1.0)],
)


@benchmark.inputs
def inputs(folder: pathlib.Path) -> None:
    words = (minilm.checkpoint() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vectors = np.random.default_rng(1).normal(size=(len(words), WIDTH)).astype("float32")
    vectors[[i for i, word in enumerate(words) if word.startswith("[") and word.endswith("]")]] = 0.0
    np.save(folder / VECTORS, vectors)


@benchmark.subject(OURS)
def ours(folder: pathlib.Path) -> Run:
    from keras_transformer import TextEmbedder
    from keras_transformer.convert import convert
    from keras_transformer.models import StaticEmbedding
    from keras_transformer.pipelines import ExportedEmbedder

    vectors = np.load(folder / VECTORS)
    encoder = StaticEmbedding(*vectors.shape)
    encoder.set_vectors(vectors)
    TextEmbedder(encoder, convert(minilm.checkpoint()).tokenizer).export(folder / "ours", frozen=True)
    embedder = ExportedEmbedder(folder / "ours")
    texts = minilm.sentences(NUM_SENTENCES)
    return lambda: embedder.embed(texts, batch_size=1024)


@benchmark.subject("Model2Vec")
def model2vec(folder: pathlib.Path) -> Run:
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(minilm.checkpoint() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    # No sentence has a special token or an unknown word, whose vectors are zero.
    model = StaticModel(np.load(folder / VECTORS), tokenizer, normalize=True)
    texts = minilm.sentences(NUM_SENTENCES)
    return lambda: model.encode(texts, use_multiprocessing=False)


if __name__ == "__main__":
    benchmark.main()
