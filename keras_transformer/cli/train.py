"""keras-transformer train translator: from two aligned text files to a `.keras` translator."""

import os

from keras_transformer.models.presets import PRESETS

# For corpora of some ten thousand pairs.
_DEFAULTS = {"tokens_per_batch": 2048, "learning_rate": 2e-3, "warmup_steps": 1000}


def add_parser(commands):
    train = commands.add_parser("train", help="train a model on your own files")
    kinds = train.add_subparsers(dest="kind", required=True, metavar="KIND")
    parser = kinds.add_parser(
        "translator",
        help="from two aligned text files",
        description="Trains a translator on two text files (plain or .gz), line n of one translating line n of "
        "the other, and writes OUT/translator.keras and OUT/history.csv.",
    )
    parser.set_defaults(run=run)
    files = parser.add_argument_group("files")
    files.add_argument("--source", nargs="+", required=True, metavar="FILE")
    files.add_argument("--target", nargs="+", required=True, metavar="FILE")
    files.add_argument("--validation-source", nargs="+", metavar="FILE")
    files.add_argument("--validation-target", nargs="+", metavar="FILE")
    files.add_argument("--out", required=True, metavar="DIR")
    model = parser.add_argument_group("model")
    model.add_argument("--preset", default="tiny", choices=list(PRESETS))
    model.add_argument("--vocabulary-size", type=int, default=8000, help="of both languages")
    model.add_argument("--dropout", type=float, help="instead of the preset's")
    model.add_argument("--norm-first", action="store_true", help="pre-norm instead of post-norm")
    steps = parser.add_argument_group("training")
    steps.add_argument("--epochs", type=int, default=20)
    steps.add_argument("--minutes", type=float, help="stop after this time")
    steps.add_argument(
        "--tokens-per-batch", type=int, default=_DEFAULTS["tokens_per_batch"], help="on each side"
    )
    steps.add_argument("--max-length", type=int, default=128, help="longer pairs are left out")
    steps.add_argument("--learning-rate", type=float, default=_DEFAULTS["learning_rate"])
    steps.add_argument("--warmup-steps", type=int, default=_DEFAULTS["warmup_steps"])
    steps.add_argument("--label-smoothing", type=float, default=0.1)
    steps.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="mixed_bfloat16 is faster on processors with bfloat16 instructions and on accelerators",
    )
    steps.add_argument("--jit-compile", action="store_true", help="compile with XLA")
    steps.add_argument("--seed", type=int, default=0)


def run(args):
    path = os.path.join(args.out, "translator.keras")
    if os.path.exists(path):
        raise FileExistsError(f"Expected no translator in {args.out}. Received: {path} exists")
    if bool(args.validation_source) != bool(args.validation_target):
        raise ValueError("Expected both of --validation-source and --validation-target, or neither")

    import keras

    from keras_transformer.data import ParallelText
    from keras_transformer.models import Transformer
    from keras_transformer.pipelines import Translator
    from keras_transformer.text import SubwordTokenizer

    keras.utils.set_random_seed(args.seed)
    print(f"Vocabulary from {' '.join(args.source + args.target)}", flush=True)
    tokenizer = SubwordTokenizer.from_files(args.source + args.target, args.vocabulary_size)
    training = ParallelText(args.source, args.target, tokenizer, max_length=args.max_length)
    validation = None
    if args.validation_source:
        validation = ParallelText(
            args.validation_source, args.validation_target, tokenizer, max_length=args.max_length
        )
    print(
        f"{training.num_pairs:,} pairs, {training.num_left_out():,} of them left out (a side is empty "
        f"or has more than {args.max_length} tokens), {tokenizer.vocabulary_size:,} subwords"
    )
    overrides = {} if args.dropout is None else {"dropout": args.dropout}
    transformer = Transformer.from_preset(
        args.preset,
        tokenizer.vocabulary_size,
        norm_first=args.norm_first,
        dtype=args.dtype,
        **overrides,
    )
    print(f"{args.preset} Transformer with {transformer.count_params():,} parameters", flush=True)
    translator = Translator(transformer, tokenizer)
    fit(translator, training, validation, path, args)
    print(f"Wrote {path}")


def fit(translator, training, validation, path, args):
    """Compiles and fits with the options of `args`; the best epoch's translator ends up in `path`."""
    import keras

    from keras_transformer.training import (
        InverseSquareRootSchedule,
        LabelSmoothedCrossEntropy,
        Perplexity,
        SaveBest,
        StopAfter,
        TokenAccuracy,
    )

    translator.transformer.compile(
        optimizer=keras.optimizers.Adam(
            InverseSquareRootSchedule(args.learning_rate, args.warmup_steps),
            beta_1=0.9,
            beta_2=0.98,
            epsilon=1e-9,
        ),
        loss=LabelSmoothedCrossEntropy(args.label_smoothing),
        metrics=[TokenAccuracy(), Perplexity()],
        jit_compile=args.jit_compile,
    )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    callbacks = [
        SaveBest(translator, path, monitor=None if validation is None else "val_loss"),
        keras.callbacks.CSVLogger(os.path.join(os.path.dirname(path), "history.csv")),
    ]
    if args.minutes:
        callbacks.append(StopAfter(args.minutes))
    translator.transformer.fit(
        training.batches(args.tokens_per_batch, seed=args.seed, fixed_shapes=args.jit_compile),
        # No batch may be dropped here, even if XLA then compiles more shapes.
        validation_data=validation and validation.batches(args.tokens_per_batch, shuffle=False),
        epochs=args.epochs,
        callbacks=callbacks,
    )
