"""Makes tests/convert/golden anew: small checkpoints, and what their own libraries say.

.venv-parity/bin/python -m tests.convert.make_golden  (the environment is made by `make test-parity`)
"""

import json
import pathlib
import shutil
import tempfile

import torch

from tests.convert import originals

GOLDEN = pathlib.Path(__file__).parent / "golden"
MAX_TOKENS = 11


def main():
    torch.set_num_threads(1)
    for kind, dtype in (("bert", "float32"), ("mpnet", "bfloat16")):
        encoder = originals.make_sentence_encoder(GOLDEN / kind, kind, dtype)
        texts = originals.NASTY + originals.SPECIAL
        write(
            f"{kind}.json",
            texts=texts,
            ids=encoder.tokenizer(texts).input_ids,
            max_length=encoder.max_seq_length,
            vectors=encoder.encode(texts).tolist(),
        )
    for name, num_labels in (("cross_encoder", 1), ("cross_encoder_of_classes", 3)):
        encoder, pairs = originals.make_cross_encoder(GOLDEN / name, num_labels), originals.pairs()
        write(f"{name}.json", pairs=pairs, scores=encoder.predict(pairs).tolist(), max_length=encoder.max_length)
    write("tokenizers.json", **{name: changed_tokenizer(changes) for name, changes in originals.TOKENIZERS.items()})
    model, tokenizer = originals.make_marian(GOLDEN / "marian")
    texts = [*originals.NASTY, ">>deu<< red dog", ">>xxx<< red", ">>deu<<", "red >>deu<<", *originals.MARIAN_SPECIAL]
    short = originals.sentences(12, seed=5)
    beams = {penalty: originals.marian_beams(model, tokenizer, short, penalty, MAX_TOKENS) for penalty in (1.0, 1.3)}
    targets = [model.config.decoder_start_token_id, 5, 9, 12, 3]
    sources = tokenizer(short[:3]).input_ids
    write(
        "marian.json",
        texts=texts,
        ids=tokenizer(texts).input_ids,
        targets=targets,
        sources=sources,
        logits=[originals.marian_logits(model, source, targets).tolist() for source in sources],
        short=short,
        generation=[generated(settings, short) for settings in originals.GENERATION],
        max_tokens=MAX_TOKENS,
        beams={
            str(penalty): {"ids": ids.tolist(), "scores": scores.tolist(), "texts": found}
            for penalty, (ids, scores, found) in beams.items()
        },
    )


def changed_tokenizer(changes):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(GOLDEN / "bert", folder, dirs_exist_ok=True)
        originals.change_tokenizer(folder, changes)
        return originals.tokenizer_ids(folder, originals.TOKENIZER_TEXTS)


def generated(settings, texts):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(GOLDEN / "marian", folder, dirs_exist_ok=True)
        originals.change_generation(folder, settings)
        return originals.generated_texts(folder, texts)


def write(name, **values):
    (GOLDEN / name).write_text(json.dumps(values, separators=(",", ":"), default=float))


if __name__ == "__main__":
    main()
