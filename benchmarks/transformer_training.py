"""How fast does the whole encoder-decoder train?

Dropout of 0.1 stands where torch has it: on sub-layer outputs, attention weights and activations, and on the embedded
inputs. The loss is the cross-entropy, with label smoothing of 0.1, of sentences of 16 to 32 tokens, padded to 32. All
start with the same weights; their losses after the last step differ by their dropout only.
"""

import functools

import numpy as np

from benchmarks import encoder_blocks
from benchmarks.contest import OURS, Aim, Contest
from benchmarks.encoder_blocks import EPSILON, HIDDEN_DIM, INTERMEDIATE_DIM, NUM_HEADS, NUM_LAYERS

VOCABULARY_SIZE, NUM_SENTENCES, LENGTH = 32_000, 25, 32
DROPOUT, LABEL_SMOOTHING, LEARNING_RATE = 0.1, 0.1, 1e-4

contest = Contest(
    f"Base Transformer, training step with Adam and loss, {NUM_SENTENCES} x {LENGTH}, vocabulary {VOCABULARY_SIZE:,}",
    __spec__.name,
    amount=NUM_SENTENCES * LENGTH,
    unit="target tokens",
    rounds=7,
    aims=[
        Aim("KerasHub", 1.2, entrant=f"{OURS} packed"),
        Aim("torch", 1.2, entrant=f"{OURS} packed"),
        Aim("torch bfloat16", 1.2, entrant=f"{OURS} packed, mixed_bfloat16"),
        Aim("KerasHub", 1.0, entrant=f"{OURS} packed", of="memory"),
        Aim("torch", 1.0, entrant=f"{OURS} packed", of="memory"),
    ],
    tolerance=dict.fromkeys(
        [
            f"{OURS} mixed_bfloat16",
            f"{OURS} packed",
            f"{OURS} packed, mixed_bfloat16",
            "KerasHub",
            "torch",
            "torch bfloat16",
        ],
        0.3,
    ),
)


@contest.inputs
def inputs(folder):
    random = np.random.default_rng(0)

    def matrix(columns, rows=HIDDEN_DIM, parts=1):
        matrices = [random.normal(0, rows**-0.5, (rows, columns)) for _ in range(parts)]
        return np.concatenate(matrices, axis=1).astype("float32")

    arrays = {"table": random.normal(0, HIDDEN_DIM**-0.5, (VOCABULARY_SIZE, HIDDEN_DIM)).astype("float32")}
    for layer in range(NUM_LAYERS):
        for side in "encoder", "decoder":
            arrays |= {
                f"{side}/{layer}/query_key_value": matrix(HIDDEN_DIM, parts=3),
                f"{side}/{layer}/output": matrix(HIDDEN_DIM),
                f"{side}/{layer}/expansion": matrix(INTERMEDIATE_DIM),
                f"{side}/{layer}/contraction": matrix(HIDDEN_DIM, INTERMEDIATE_DIM),
            }
        arrays[f"decoder/{layer}/cross_query_key_value"] = matrix(HIDDEN_DIM, parts=3)
        arrays[f"decoder/{layer}/cross_output"] = matrix(HIDDEN_DIM)
    ids = random.integers(4, VOCABULARY_SIZE, (3, NUM_SENTENCES, LENGTH)).astype("int32")
    lengths = random.integers(LENGTH // 2, LENGTH + 1, (NUM_SENTENCES, 1))
    lengths[0] = LENGTH
    arrays["source_ids"], arrays["target_ids"], arrays["labels"] = np.where(np.arange(LENGTH) < lengths, ids, 0)
    np.savez(folder / "transformer.npz", **arrays)


def keras_hub(folder):
    """Its encoder and decoder layers; the loss is what Keras has for label smoothing, of one-hot labels."""
    import keras
    import keras_hub

    arrays = np.load(folder / "transformer.npz")
    block = {"dropout": DROPOUT, "layer_norm_epsilon": EPSILON}
    embedding = keras_hub.layers.ReversibleEmbedding(VOCABULARY_SIZE, HIDDEN_DIM, tie_weights=True)
    positions = keras_hub.layers.SinePositionEncoding()

    def embed(ids):
        embedded = embedding(ids) * HIDDEN_DIM**0.5
        return keras.layers.Dropout(DROPOUT)(embedded + positions(embedded))

    source_ids = keras.Input((None,), dtype="int32", name="source_ids")
    target_ids = keras.Input((None,), dtype="int32", name="target_ids")
    memory, x = embed(source_ids), embed(target_ids)
    source_mask, target_mask = keras.ops.not_equal(source_ids, 0), keras.ops.not_equal(target_ids, 0)
    for layer in range(NUM_LAYERS):
        encoder = keras_hub.layers.TransformerEncoder(INTERMEDIATE_DIM, NUM_HEADS, name=f"encoder_{layer}", **block)
        memory = encoder(memory, padding_mask=source_mask)
    for layer in range(NUM_LAYERS):
        decoder = keras_hub.layers.TransformerDecoder(INTERMEDIATE_DIM, NUM_HEADS, name=f"decoder_{layer}", **block)
        x = decoder(x, memory, decoder_padding_mask=target_mask, encoder_padding_mask=source_mask)
    model = keras.Model({"source_ids": source_ids, "target_ids": target_ids}, embedding(x, reverse=True))

    embedding.embeddings.assign(arrays["table"])
    for layer in range(NUM_LAYERS):
        for side in "encoder", "decoder":
            block = model.get_layer(f"{side}_{layer}")
            encoder_blocks.set_keras_hub(block, _weights(arrays, f"{side}/{layer}/"))
        encoder_blocks.set_keras_attention(block._cross_attention_layer, _weights(arrays, f"decoder/{layer}/cross_"))

    def loss(labels, logits):
        one_hot = keras.ops.one_hot(keras.ops.cast(labels, "int32"), VOCABULARY_SIZE)
        return keras.losses.categorical_crossentropy(one_hot, logits, from_logits=True, label_smoothing=LABEL_SMOOTHING)

    weights = (arrays["labels"] != 0).astype("float32")
    weights *= weights.size / weights.sum()  # Keras takes the mean over padded tokens, too.
    return _keras_training(model, loss, arrays, sample_weight=weights)


def ours(folder, dtype="float32", packed=False):
    from keras_transformer.models import Transformer
    from keras_transformer.training import LabelSmoothedCrossEntropy

    arrays = np.load(folder / "transformer.npz")
    rates = {"dropout": DROPOUT, "attention_dropout": DROPOUT, "activation_dropout": DROPOUT}
    model = Transformer.from_preset("base", VOCABULARY_SIZE, dtype=dtype, packed=packed, **rates)
    model.source_embedding.embedding.embeddings.assign(arrays["table"])
    for side, blocks in ("encoder", model.encoder_blocks), ("decoder", model.decoder_blocks):
        for layer, block in enumerate(blocks):
            encoder_blocks.set_ours(block, _weights(arrays, f"{side}/{layer}/"))
            if side == "decoder":
                cross = arrays[f"{side}/{layer}/cross_query_key_value"]
                block.cross_attention.query.kernel.assign(cross[:, :HIDDEN_DIM])
                block.cross_attention.key_value.kernel.assign(cross[:, HIDDEN_DIM:])
                block.cross_attention.output_projection.kernel.assign(arrays[f"{side}/{layer}/cross_output"])
    return _keras_training(model, LabelSmoothedCrossEntropy(LABEL_SMOOTHING), arrays)


def _keras_training(model, loss, arrays, sample_weight=None):
    import keras

    model.compile(keras.optimizers.Adam(LEARNING_RATE, beta_2=0.98, epsilon=1e-9), loss, jit_compile=False)
    batch = {name: arrays[name] for name in ("source_ids", "target_ids")}
    return lambda: model.train_on_batch(batch, arrays["labels"], sample_weight=sample_weight)


def _weights(arrays, prefix):
    return {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}


def torch_training(folder, mixed=False):
    import torch

    arrays = np.load(folder / "transformer.npz")
    model = torch.nn.Transformer(
        HIDDEN_DIM,
        NUM_HEADS,
        NUM_LAYERS,
        NUM_LAYERS,
        INTERMEDIATE_DIM,
        DROPOUT,
        layer_norm_eps=EPSILON,
        batch_first=True,
    )
    # The paper has no normalisation after the last block, whose own is the last.
    model.encoder.norm = model.decoder.norm = None
    table = torch.nn.Parameter(torch.from_numpy(arrays["table"]))
    for side, blocks in ("encoder", model.encoder.layers), ("decoder", model.decoder.layers):
        for layer, block in enumerate(blocks):
            encoder_blocks.set_torch(block, _weights(arrays, f"{side}/{layer}/"))
            if side == "decoder":
                cross = _weights(arrays, f"{side}/{layer}/cross_")
                encoder_blocks.set_torch_attention(block.multihead_attn, cross)

    angles = np.arange(LENGTH)[:, None] / 10_000 ** (np.arange(HIDDEN_DIM) // 2 * 2 / HIDDEN_DIM)
    positions = np.where(np.arange(HIDDEN_DIM) % 2, np.cos(angles), np.sin(angles))
    positions = torch.from_numpy(positions.astype("float32"))
    source, target, labels = (torch.from_numpy(arrays[name]).long() for name in ("source_ids", "target_ids", "labels"))
    causal = torch.triu(torch.ones(LENGTH, LENGTH, dtype=torch.bool), diagonal=1)
    criterion = torch.nn.CrossEntropyLoss(ignore_index=0, label_smoothing=LABEL_SMOOTHING)
    optimizer = torch.optim.Adam([*model.parameters(), table], LEARNING_RATE, betas=(0.9, 0.98), eps=1e-9)

    def embed(ids):
        embedded = torch.nn.functional.embedding(ids, table) * HIDDEN_DIM**0.5
        return torch.nn.functional.dropout(embedded + positions, DROPOUT)

    def run():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            outputs = model(
                embed(source),
                embed(target),
                tgt_mask=causal,
                src_key_padding_mask=source == 0,
                tgt_key_padding_mask=target == 0,
                memory_key_padding_mask=source == 0,
                tgt_is_causal=True,
            )
            logits = outputs @ table.T
        loss = criterion(logits.float().view(-1, VOCABULARY_SIZE), labels.view(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


contest.entrant(OURS)(ours)
contest.entrant(f"{OURS} mixed_bfloat16")(functools.partial(ours, dtype="mixed_bfloat16"))
contest.entrant(f"{OURS} packed")(functools.partial(ours, packed=True))
contest.entrant(f"{OURS} packed, mixed_bfloat16")(functools.partial(ours, dtype="mixed_bfloat16", packed=True))
contest.entrant("KerasHub")(keras_hub)
contest.entrant("torch")(torch_training)
contest.entrant("torch bfloat16")(functools.partial(torch_training, mixed=True))

if __name__ == "__main__":
    contest.main()
