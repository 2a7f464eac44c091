"""keras-transformer train translator: from two aligned text files to a `.keras` translator."""

import os

from keras_transformer import arguments
from keras_transformer.models.presets import PRESETS


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
    model.add_argument(
        "--byte-level", action="store_true", help="no vocabulary: bytes as tokens, which needs no tensorflow_text"
    )
    model.add_argument("--num-layers", type=int, help="instead of the preset's")
    model.add_argument("--dropout", type=float, help="instead of the preset's")
    model.add_argument("--norm-first", action="store_true", help="pre-norm instead of post-norm")
    steps = parser.add_argument_group("training")
    steps.add_argument("--epochs", type=int, default=20)
    steps.add_argument("--minutes", type=float, help="stop after this time")
    steps.add_argument("--tokens-per-batch", type=int, default=2048, help="on each side")
    steps.add_argument("--max-length", type=int, default=128, help="longer pairs are left out")
    steps.add_argument("--learning-rate", type=float, default=2e-3)
    steps.add_argument("--warmup-steps", type=int, default=1000)
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
    _check_numbers(args)

    import keras

    from keras_transformer.data import ParallelText, count_pairs
    from keras_transformer.models import Transformer
    from keras_transformer.pipelines import Translator
    from keras_transformer.text import ByteTokenizer, SubwordTokenizer
    from keras_transformer.training import fit_translator

    keras.utils.set_random_seed(args.seed)
    count_pairs(args.source, args.target)
    if args.byte_level:
        tokenizer = ByteTokenizer()
    else:
        print(f"Vocabulary from {' '.join(args.source + args.target)}", flush=True)
        tokenizer = SubwordTokenizer.from_files(args.source + args.target, args.vocabulary_size)
    training = ParallelText(args.source, args.target, tokenizer, max_length=args.max_length)
    validation = None
    if args.validation_source:
        validation = ParallelText(args.validation_source, args.validation_target, tokenizer, max_length=args.max_length)
    print(
        f"{training.num_pairs:,} pairs, {training.num_left_out():,} of them left out (a side is empty "
        f"or has more than {args.max_length} tokens), {tokenizer.vocabulary_size:,} token ids"
    )
    overrides = {"num_layers": args.num_layers, "dropout": args.dropout}
    transformer = Transformer.from_preset(
        args.preset,
        tokenizer.vocabulary_size,
        norm_first=args.norm_first,
        dtype=args.dtype,
        **{name: value for name, value in overrides.items() if value is not None},
    )
    print(f"{args.preset} Transformer with {transformer.count_params():,} parameters", flush=True)
    translator = Translator(transformer, tokenizer)
    fit_translator(
        translator,
        training,
        validation,
        path=path,
        epochs=args.epochs,
        tokens_per_batch=args.tokens_per_batch,
        learning_rate=args.learning_rate,
        warmup_steps=args.warmup_steps,
        label_smoothing=args.label_smoothing,
        minutes=args.minutes,
        jit_compile=args.jit_compile,
        seed=args.seed,
    )
    print(f"Wrote {path}")


def _check_numbers(args):
    """Raises `ValueError` for what would otherwise fail only after the vocabulary was trained."""
    for name in ("epochs", "vocabulary_size", "tokens_per_batch", "max_length", "warmup_steps"):
        arguments.positive_integer(name, getattr(args, name))
    arguments.positive_number("learning_rate", args.learning_rate)
    arguments.rate("label_smoothing", args.label_smoothing)
    arguments.optional_positive_integer("num_layers", args.num_layers)
    if args.minutes is not None:
        arguments.positive_number("minutes", args.minutes)
    if args.tokens_per_batch < args.max_length:
        raise ValueError(
            f"Expected --tokens-per-batch to hold a sequence of --max-length={args.max_length}. "
            f"Received: {args.tokens_per_batch}"
        )
