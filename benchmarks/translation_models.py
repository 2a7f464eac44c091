"""The paper's base Transformer with the same random weights in this package and in CTranslate2, and its sentences.

Nothing ends by itself: the embeddings of the four special ids are zero, and so are their logits, which are never among
the best of 32,000. The limit of `LENGTH` tokens ends every hypothesis, so that all do exactly the same work.
"""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.benchmark import OURS, Benchmark, Run, Target
from benchmarks.encoder_blocks import Arrays

NUM_LAYERS, HIDDEN_DIM, INTERMEDIATE_DIM, NUM_HEADS, EPSILON = 6, 512, 2048, 8, 1e-6
VOCABULARY_SIZE, LENGTH = 32_000, 32
PADDING, UNKNOWN, BEGIN, END = range(4)


def write(folder: pathlib.Path, num_sentences: int, seed: int = 0) -> None:
    """Writes weights and padded source ids, each row with its end id, to FOLDER/translation.npz; CTranslate2's too."""
    random = np.random.default_rng(seed)

    def matrix(rows, columns):
        return random.normal(0, rows**-0.5, (rows, columns)).astype("float32")

    def attention(name):
        parts = [matrix(HIDDEN_DIM, HIDDEN_DIM) for _ in range(4)]
        return {f"{name}/{part}": weights for part, weights in zip(("query", "key", "value", "output"), parts)}

    def feed_forward(name):
        return {
            f"{name}/expansion": matrix(HIDDEN_DIM, INTERMEDIATE_DIM),
            f"{name}/contraction": matrix(INTERMEDIATE_DIM, HIDDEN_DIM),
        }

    table = matrix(HIDDEN_DIM, VOCABULARY_SIZE).T.copy()
    table[:4] = 0
    arrays = {"table": table}
    for layer in range(NUM_LAYERS):
        arrays |= attention(f"encoder/{layer}/self") | feed_forward(f"encoder/{layer}")
        arrays |= attention(f"decoder/{layer}/self") | attention(f"decoder/{layer}/cross")
        arrays |= feed_forward(f"decoder/{layer}")
    # Lengths of news sentences in subwords: mean 25, from 6 to about 50.
    lengths = np.clip(random.gamma(6.0, 25 / 6, num_sentences).round().astype(int), 6, 60)
    if num_sentences == 1:
        lengths[:] = 25
    ids = np.full((num_sentences, lengths.max() + 1), PADDING, "int32")
    for row, length in zip(ids, lengths):
        row[:length], row[length] = random.integers(4, VOCABULARY_SIZE, length), END
    np.savez(folder / "translation.npz", source_ids=ids, **arrays)
    _write_ctranslate2(folder / "ctranslate2", arrays)


def ours(folder: pathlib.Path, search: Any, dtype: str = "float32", jit_compile: bool = False) -> Run:
    """A function that translates the sentences once: ids (N, T). As in a frozen export, the weights are constants.

    With "int8" the float32 model is calibrated by other sentences, and quantized. With `jit_compile` XLA compiles
    the whole search, for the shape of the sentences.
    """
    import tensorflow as tf

    from keras_transformer.export import frozen_weights
    from keras_transformer.models import Transformer
    from keras_transformer.quantization import fused_kernels, observed_inputs, quantize_int8

    arrays = np.load(folder / "translation.npz")
    policy = "float32" if dtype == "int8" else dtype
    model = Transformer.from_preset("base", VOCABULARY_SIZE, layer_norm_epsilon=EPSILON, dtype=policy)
    model.source_embedding.embedding.embeddings.assign(arrays["table"])
    for stack, blocks in (("encoder", model.encoder_blocks), ("decoder", model.decoder_blocks)):
        for layer, block in enumerate(blocks):
            _set_block(block, lambda name: arrays[f"{stack}/{layer}/{name}"])  # noqa: B023

    if dtype == "int8":
        few = np.random.default_rng(1).integers(4, VOCABULARY_SIZE, (4, 25))
        with observed_inputs(model) as largest_inputs:
            search(model, few, np.full(len(few), LENGTH), BEGIN, END, PADDING)
        quantize_int8(model, largest_inputs=largest_inputs)
    options = {"num_best": 1, "return_scores": False} | ({"max_length": LENGTH} if jit_compile else {})

    def translate(source_ids):
        limits = tf.fill(tf.shape(source_ids)[:1], LENGTH)
        return search(model, source_ids, limits, BEGIN, END, PADDING, **options).ids[:, 0]

    with frozen_weights(model.variables), fused_kernels(model):
        signature = [tf.TensorSpec([None, None], tf.int32)]
        translate = tf.function(translate, input_signature=signature, jit_compile=jit_compile)
        translate = translate.get_concrete_function()
    source_ids = tf.constant(arrays["source_ids"])
    return lambda: translate(source_ids).numpy()


def ctranslate2(folder: pathlib.Path, compute_type: str, beam_size: int) -> Run:
    """As `ours`, by CTranslate2 on all cores."""
    from ctranslate2 import Translator

    ids = np.load(folder / "translation.npz")["source_ids"]
    sources = [[str(i) for i in row if i != PADDING] for row in ids.tolist()]
    path = str(folder / "ctranslate2")
    translator = Translator(path, compute_type=compute_type, inter_threads=1, intra_threads=os.cpu_count())

    def run():
        found = translator.translate_batch(sources, beam_size=beam_size, max_decoding_length=LENGTH)
        return np.array([[int(token) for token in result.hypotheses[0]] for result in found])

    return run


def translation_benchmark(
    module: str, how: str, num_sentences: int, beam_size: int, targets: Sequence[Target], rounds: int
) -> Benchmark:
    """Returns the benchmark of `module`: translates `num_sentences` by greedy search (`beam_size` 1) or by beam search.

    In float32 all subjects must find the same tokens.
    """
    exact = (OURS, f"{OURS} XLA", "CTranslate2 float32")
    title = f"Base translation, {num_sentences} x 25 tokens to {LENGTH}, {how}"
    benchmark = Benchmark(title, module, targets, num_sentences * LENGTH, "tokens", rounds)
    benchmark.tolerance = {f"{OURS} bfloat16": None, f"{OURS} int8": None, "CTranslate2 int8": None}
    benchmark.tolerance |= dict.fromkeys(exact, 0)
    benchmark.inputs(lambda folder: write(folder, num_sentences))

    def search():
        from keras_transformer.decoding import BeamSearch, GreedySearch

        return GreedySearch() if beam_size == 1 else BeamSearch(beam_size)

    benchmark.subject(OURS)(lambda folder: ours(folder, search()))
    benchmark.subject(f"{OURS} XLA")(lambda folder: ours(folder, search(), jit_compile=True))
    benchmark.subject(f"{OURS} bfloat16")(lambda folder: ours(folder, search(), "bfloat16"))
    benchmark.subject(f"{OURS} int8")(lambda folder: ours(folder, search(), "int8"))
    benchmark.subject("CTranslate2 float32")(lambda folder: ctranslate2(folder, "float32", beam_size))
    benchmark.subject("CTranslate2 int8")(lambda folder: ctranslate2(folder, "int8", beam_size))
    return benchmark


def _set_block(block: Any, weights_of: Callable[[str], np.ndarray]) -> None:
    attention = block.self_attention
    parts = [weights_of(f"self/{part}") for part in ("query", "key", "value")]
    attention.query_key_value.kernel.assign(np.concatenate(parts, axis=1))
    attention.output_projection.kernel.assign(weights_of("self/output"))
    if hasattr(block, "cross_attention"):
        attention = block.cross_attention
        attention.query.kernel.assign(weights_of("cross/query"))
        parts = [weights_of(f"cross/{part}") for part in ("key", "value")]
        attention.key_value.kernel.assign(np.concatenate(parts, axis=1))
        attention.output_projection.kernel.assign(weights_of("cross/output"))
    block.feed_forward.intermediate_dense.kernel.assign(weights_of("expansion"))
    block.feed_forward.output_dense.kernel.assign(weights_of("contraction"))


def _write_ctranslate2(folder: pathlib.Path, arrays: Arrays) -> None:
    try:
        from ctranslate2.specs import TransformerSpec
    except ImportError:
        return  # that subject will say so

    spec = TransformerSpec.from_config(NUM_LAYERS, NUM_HEADS, pre_norm=False)
    spec.config.layer_norm_epsilon = EPSILON
    spec.config.decoder_start_token = str(BEGIN)
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = str(BEGIN), str(END), str(UNKNOWN)
    table, positions = arrays["table"], _positions(512)
    for stack in (spec.encoder, spec.decoder):
        embeddings = stack.embeddings[0] if stack is spec.encoder else stack.embeddings
        embeddings.weight, stack.position_encodings.encodings = table, positions
        name = "encoder" if stack is spec.encoder else "decoder"
        for layer, block in enumerate(stack.layer):
            weights_of = lambda part, name=name, layer=layer: arrays[f"{name}/{layer}/{part}"].T  # noqa: E731
            parts = [weights_of(f"self/{part}") for part in ("query", "key", "value")]
            _set_linear(block.self_attention.linear[0], np.concatenate(parts))
            _set_linear(block.self_attention.linear[1], weights_of("self/output"))
            _set_norm(block.self_attention.layer_norm)
            if stack is spec.decoder:
                _set_linear(block.attention.linear[0], weights_of("cross/query"))
                parts = [weights_of(f"cross/{part}") for part in ("key", "value")]
                _set_linear(block.attention.linear[1], np.concatenate(parts))
                _set_linear(block.attention.linear[2], weights_of("cross/output"))
                _set_norm(block.attention.layer_norm)
            _set_linear(block.ffn.linear_0, weights_of("expansion"))
            _set_linear(block.ffn.linear_1, weights_of("contraction"))
            _set_norm(block.ffn.layer_norm)
    spec.decoder.projection.weight = table
    tokens = [str(i) for i in range(VOCABULARY_SIZE)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.optimize()
    folder.mkdir()
    spec.save(str(folder))


def _set_linear(spec: Any, weight: np.ndarray) -> None:
    spec.weight, spec.bias = np.ascontiguousarray(weight), np.zeros(len(weight), "float32")


def _set_norm(spec: Any) -> None:
    spec.gamma, spec.beta = np.ones(HIDDEN_DIM, "float32"), np.zeros(HIDDEN_DIM, "float32")


def _positions(number: int) -> np.ndarray:
    """The paper's, with sines and cosines interleaved."""
    angles = np.arange(number)[:, None] / 10000.0 ** (np.arange(0, HIDDEN_DIM, 2) / HIDDEN_DIM)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(number, HIDDEN_DIM).astype("float32")
