"""Training speed of a sentence encoder: strings in, a step of contrastive learning with Adam.

MiniLM on pairs of sentences, as users fine-tune it. Without dropout, so that all subjects compute the same loss. Ours
tokenizes the texts once, before the first step, as its training loop does; sentence-transformers does at each step.
"""

import functools
import pathlib

from benchmarks import minilm
from benchmarks.benchmark import OURS, Benchmark, Run, Target

BATCH_SIZE, LEARNING_RATE, EPSILON, SCALE, CLIP_NORM = 64, 2e-5, 1e-12, 20.0, 1.0

benchmark = Benchmark(
    f"Fine-tuning MiniLM, contrastive, {BATCH_SIZE} pairs of uneven sentences, float32",
    __spec__.name,
    amount=BATCH_SIZE,
    unit="pairs",
    rounds=7,
    targets=[
        Target("sentence-transformers", 1.3),
        Target("sentence-transformers bfloat16", 1.3, subject=f"{OURS} mixed_bfloat16"),
    ],
    # After the same number of steps, in which Adam makes much of what rounding changes.
    tolerance={
        "sentence-transformers": 0.02,
        f"{OURS} mixed_bfloat16": 0.05,
        "sentence-transformers bfloat16": 0.05,
    },
)


def _pairs() -> list[tuple[str, str]]:
    texts = minilm.sentences(2 * BATCH_SIZE)
    return list(zip(texts[:BATCH_SIZE], texts[BATCH_SIZE:]))


def ours(folder: pathlib.Path, dtype: str = "float32") -> Run:
    import keras

    from keras_transformer.convert import convert
    from keras_transformer.training import ResponseRanking, SentenceTask, SentenceTrainingLoop

    embedder = convert(minilm.checkpoint())
    config = embedder.encoder.get_config() | {"dropout": 0.0, "attention_dropout": 0.0}
    keras.config.set_dtype_policy(dtype)
    encoder = type(embedder.encoder).from_config(config | {"dtype": dtype})
    encoder.set_weights(embedder.encoder.get_weights())
    task = SentenceTask("ranking", _pairs(), ResponseRanking(scale=SCALE, symmetric=False), batch_size=BATCH_SIZE)
    optimizer = keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON)
    loop = SentenceTrainingLoop(encoder, embedder.tokenizer, [task], optimizer, clip_norm=CLIP_NORM)

    def run():
        ((loss, _),) = loop.steps([(0, 0)])
        return loss

    return run


def sentence_transformers(folder: pathlib.Path, mixed: bool = False) -> Run:
    """With `mixed`, in torch's mixed precision, `torch.autocast`."""
    import torch
    from sentence_transformers import SentenceTransformer, losses

    model = SentenceTransformer(str(minilm.checkpoint()), device="cpu").eval()  # without dropout
    loss_of = losses.MultipleNegativesRankingLoss(model, scale=SCALE)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, eps=EPSILON)
    sides = [list(side) for side in zip(*_pairs())]

    def run():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            loss = loss_of([model.preprocess(side) for side in sides], None)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        return loss.item()

    return run


benchmark.subject(OURS)(ours)
benchmark.subject(f"{OURS} mixed_bfloat16")(functools.partial(ours, dtype="mixed_bfloat16"))
benchmark.subject("sentence-transformers")(sentence_transformers)
benchmark.subject("sentence-transformers bfloat16")(functools.partial(sentence_transformers, mixed=True))

if __name__ == "__main__":
    benchmark.main()
