"""The whole encoder-decoder, with the same weights and the same training step in every library.

Dropout of 0.1 stands where torch has it: on sub-layer outputs, attention weights and activations, and on the embedded
inputs. The loss is the cross-entropy with label smoothing of 0.1. Losses of the same step differ by dropout, and by
rounding in bfloat16.
"""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from benchmarks import encoder_blocks
from benchmarks.benchmark import Run
from benchmarks.encoder_blocks import Arrays

EPSILON = encoder_blocks.EPSILON
DROPOUT, LABEL_SMOOTHING = 0.1, 0.1


@dataclasses.dataclass(frozen=True)
class Training:
    """What is trained: a size of the paper's table 3 and batches of sentences.

    Args:
        preset: the size's name.
        num_sentences: in a batch.
        length: to which they are padded.
        shortest: tokens of the shortest sentence.
        num_layers, hidden_dim, intermediate_dim, num_heads: of the size.
        vocabulary_size: of both languages together.
        learning_rate: of Adam.
        num_steps: that one run takes, all with the same batch.
    """

    preset: str
    num_sentences: int
    length: int
    shortest: int
    num_layers: int = encoder_blocks.NUM_LAYERS
    hidden_dim: int = encoder_blocks.HIDDEN_DIM
    intermediate_dim: int = encoder_blocks.INTERMEDIATE_DIM
    num_heads: int = encoder_blocks.NUM_HEADS
    vocabulary_size: int = 32_000
    learning_rate: float = 1e-4
    num_steps: int = 1

    @property
    def operations(self) -> int:
        """Floating-point operations of a step's matrix products, padding included; backward takes twice forward.

        Causal scores are counted whole, and nothing that is computed a second time.
        """
        tokens, width = self.num_sentences * self.length, self.hidden_dim
        feed_forward = 2 * 2 * width * self.intermediate_dim
        attention = 4 * 2 * width**2 + 2 * 2 * self.length * width
        encoder_block, decoder_block = attention + feed_forward, 2 * attention + feed_forward
        logits = 2 * width * self.vocabulary_size
        return 3 * tokens * (self.num_layers * (encoder_block + decoder_block) + logits)

    def write(self, folder: pathlib.Path) -> None:
        """Writes weights, ids and labels to FOLDER/transformer.npz."""
        random = np.random.default_rng(0)
        width, length = self.hidden_dim, self.length

        def matrix(columns, rows=width, parts=1):
            matrices = [random.normal(0, rows**-0.5, (rows, columns)) for _ in range(parts)]
            return np.concatenate(matrices, axis=1).astype("float32")

        arrays = {"table": random.normal(0, width**-0.5, (self.vocabulary_size, width)).astype("float32")}
        for layer in range(self.num_layers):
            for side in "encoder", "decoder":
                arrays |= {
                    f"{side}/{layer}/query_key_value": matrix(width, parts=3),
                    f"{side}/{layer}/output": matrix(width),
                    f"{side}/{layer}/expansion": matrix(self.intermediate_dim),
                    f"{side}/{layer}/contraction": matrix(width, self.intermediate_dim),
                }
            arrays[f"decoder/{layer}/cross_query_key_value"] = matrix(width, parts=3)
            arrays[f"decoder/{layer}/cross_output"] = matrix(width)
        ids = random.integers(4, self.vocabulary_size, (3, self.num_sentences, length)).astype("int32")
        lengths = random.integers(self.shortest, length + 1, (self.num_sentences, 1))
        lengths[0] = length
        arrays["source_ids"], arrays["target_ids"], arrays["labels"] = np.where(np.arange(length) < lengths, ids, 0)
        np.savez(folder / "transformer.npz", **arrays)


def ours(folder: pathlib.Path, training: Training, dtype: str = "float32", unpadding: bool = False) -> Run:
    """A function that takes the steps with `keras_transformer.models.Transformer`, and gives their mean loss."""
    from keras_transformer.models import Transformer
    from keras_transformer.training import LabelSmoothedCrossEntropy

    arrays = np.load(folder / "transformer.npz")
    rates = {"dropout": DROPOUT, "attention_dropout": DROPOUT, "activation_dropout": DROPOUT}
    model = Transformer(
        training.vocabulary_size,
        training.num_layers,
        training.hidden_dim,
        training.intermediate_dim,
        training.num_heads,
        dtype=dtype,
        **rates,
    )
    model.unpadding = unpadding
    model.source_embedding.embedding.embeddings.assign(arrays["table"])
    for side, blocks in ("encoder", model.encoder_blocks), ("decoder", model.decoder_blocks):
        for layer, block in enumerate(blocks):
            encoder_blocks.set_ours(block, _weights(arrays, f"{side}/{layer}/"))
            if side == "decoder":
                cross = arrays[f"{side}/{layer}/cross_query_key_value"]
                block.cross_attention.query.kernel.assign(cross[:, : training.hidden_dim])
                block.cross_attention.key_value.kernel.assign(cross[:, training.hidden_dim :])
                block.cross_attention.output_projection.kernel.assign(arrays[f"{side}/{layer}/cross_output"])
    return _keras_steps(model, LabelSmoothedCrossEntropy(LABEL_SMOOTHING), arrays, training)


def keras_hub(folder: pathlib.Path, training: Training, dtype: str = "float32") -> Run:
    """Likewise with its encoder and decoder layers; the loss is what Keras has for smoothed labels, of one-hot ones."""
    import keras
    import keras_hub

    arrays = np.load(folder / "transformer.npz")
    sizes = {"intermediate_dim": training.intermediate_dim, "num_heads": training.num_heads}
    block = {**sizes, "dropout": DROPOUT, "layer_norm_epsilon": EPSILON, "dtype": dtype}
    embedding = keras_hub.layers.ReversibleEmbedding(training.vocabulary_size, training.hidden_dim, dtype=dtype)
    positions = keras_hub.layers.SinePositionEncoding(dtype=dtype)

    def embed(ids):
        embedded = embedding(ids) * training.hidden_dim**0.5
        return keras.layers.Dropout(DROPOUT, dtype=dtype)(embedded + positions(embedded))

    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    memory, x = embed(source_ids), embed(target_ids)
    source_mask, target_mask = keras.ops.not_equal(source_ids, 0), keras.ops.not_equal(target_ids, 0)
    for layer in range(training.num_layers):
        encoder = keras_hub.layers.TransformerEncoder(name=f"encoder_{layer}", **block)
        memory = encoder(memory, padding_mask=source_mask)
    for layer in range(training.num_layers):
        decoder = keras_hub.layers.TransformerDecoder(name=f"decoder_{layer}", **block)
        x = decoder(x, memory, decoder_padding_mask=target_mask, encoder_padding_mask=source_mask)
    model = keras.Model({"source_ids": source_ids, "target_ids": target_ids}, embedding(x, reverse=True))

    embedding.embeddings.assign(arrays["table"])
    for layer in range(training.num_layers):
        for side in "encoder", "decoder":
            block = model.get_layer(f"{side}_{layer}")
            encoder_blocks.set_keras_hub(block, _weights(arrays, f"{side}/{layer}/"))
        encoder_blocks.set_keras_attention(block._cross_attention_layer, _weights(arrays, f"decoder/{layer}/cross_"))

    def loss(labels, logits):
        one_hot = keras.ops.one_hot(keras.ops.cast(labels, "int32"), training.vocabulary_size)
        return keras.losses.categorical_crossentropy(one_hot, logits, from_logits=True, label_smoothing=LABEL_SMOOTHING)

    weights = (arrays["labels"] != 0).astype("float32")
    weights *= weights.size / weights.sum()  # Keras takes the mean over padded tokens, too.
    return _keras_steps(model, loss, arrays, training, sample_weight=weights)


def torch(folder: pathlib.Path, training: Training, mixed: bool = False, compiled: bool = False) -> Run:
    """Likewise with `torch.nn.Transformer`, on a GPU where there is one; `mixed`: by `torch.autocast` to bfloat16."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    arrays = np.load(folder / "transformer.npz")
    model = _torch_blocks(arrays, training).to(device)
    table = torch.nn.Parameter(torch.from_numpy(arrays["table"]).to(device))
    run_model = torch.compile(model) if compiled else model
    positions = torch.from_numpy(_sinusoids(training)).to(device)
    source, target, labels = (
        torch.from_numpy(arrays[name]).long().to(device) for name in ("source_ids", "target_ids", "labels")
    )
    causal = torch.triu(torch.ones(training.length, training.length, dtype=torch.bool, device=device), diagonal=1)
    criterion = torch.nn.CrossEntropyLoss(ignore_index=0, label_smoothing=LABEL_SMOOTHING)
    optimizer = torch.optim.Adam(
        [*model.parameters(), table],
        training.learning_rate,
        betas=(0.9, 0.98),
        eps=1e-9,
        fused=True if device == "cuda" else None,
    )

    def embed(ids):
        embedded = torch.nn.functional.embedding(ids, table) * training.hidden_dim**0.5
        return torch.nn.functional.dropout(embedded + positions, DROPOUT)

    def step():
        optimizer.zero_grad()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=mixed):
            outputs = run_model(
                embed(source),
                embed(target),
                tgt_mask=causal,
                src_key_padding_mask=source == 0,
                tgt_key_padding_mask=target == 0,
                memory_key_padding_mask=source == 0,
                tgt_is_causal=True,
            )
            logits = outputs @ table.T
        loss = criterion(logits.float().view(-1, training.vocabulary_size), labels.view(-1))
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda: torch.stack([step() for _ in range(training.num_steps)]).mean().item()


def _torch_blocks(arrays: Arrays, training: Training) -> Any:
    import torch

    model = torch.nn.Transformer(
        training.hidden_dim,
        training.num_heads,
        training.num_layers,
        training.num_layers,
        training.intermediate_dim,
        DROPOUT,
        layer_norm_eps=EPSILON,
        batch_first=True,
    )
    # The paper has no normalisation after the last block, whose own is the last.
    model.encoder.norm = model.decoder.norm = None
    for side, blocks in ("encoder", model.encoder.layers), ("decoder", model.decoder.layers):
        for layer, block in enumerate(blocks):
            encoder_blocks.set_torch(block, _weights(arrays, f"{side}/{layer}/"))
            if side == "decoder":
                cross = _weights(arrays, f"{side}/{layer}/cross_")
                encoder_blocks.set_torch_attention(block.multihead_attn, cross)
    return model


def _sinusoids(training: Training) -> np.ndarray:
    channels = np.arange(training.hidden_dim)
    angles = np.arange(training.length)[:, None] / 10_000 ** (channels // 2 * 2 / training.hidden_dim)
    return np.where(channels % 2, np.cos(angles), np.sin(angles)).astype("float32")


def _keras_steps(
    model: Any, loss: Any, arrays: Arrays, training: Training, sample_weight: np.ndarray | None = None
) -> Run:
    import keras

    jit_compile = keras.config.backend() != "tensorflow"
    optimizer = keras.optimizers.Adam(training.learning_rate, beta_2=0.98, epsilon=1e-9)
    model.compile(optimizer, loss, jit_compile=jit_compile)
    batch, labels = {name: arrays[name] for name in ("source_ids", "target_ids")}, arrays["labels"]
    if training.num_steps == 1:
        return lambda: model.train_on_batch(batch, labels, sample_weight=sample_weight)

    # Unlike `train_on_batch`, `fit` starts a step before the one before has come to its loss.
    def repeated(array):
        return np.tile(array, (training.num_steps, 1))

    batch, labels = {name: repeated(ids) for name, ids in batch.items()}, repeated(labels)
    weights = None if sample_weight is None else repeated(sample_weight)
    options = {"batch_size": training.num_sentences, "shuffle": False, "verbose": 0}
    return lambda: model.fit(batch, labels, sample_weight=weights, **options).history["loss"][0]


def _weights(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}
