"""keras-transformer train translator: from aligned text files, or files of pairs, to a `.keras` translator."""

import argparse
from typing import Any

from keras_transformer.cli import training_options
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.pipelines import model_paths
from keras_transformer.training.names import CHECKPOINT, TRANSLATOR, VOCABULARY
from keras_transformer.training.recipes import RECIPES

# The recipe's fields that have an option of their own: type, help.
_FIELDS = {
    "preset": (str, "the size of the model"),
    "vocabulary_size": (int, "of both languages"),
    "subwords": (str, "how the vocabulary is trained"),
    "max_length": (int, "longer pairs are left out"),
    "tokens_per_batch": (int, "of a micro-batch, on each side"),
    "micro_batches": (int, "micro-batches that make one step"),
    "epochs": (int, "at most"),
    **training_options.OPTIMIZATION,
    "evaluation_steps": (int, "evaluation interval, instead of an epoch"),
    "label_smoothing": (float, ""),
    "consistency": (float, "alpha of R-Drop"),
    "bpe_dropout": (float, "probability of skipping a merge of a bpe vocabulary"),
    "bidirectional_epochs": (int, "first epochs, trained in both directions"),
    "monitor": (str, "what chooses the weights to keep, of the validation files"),
    "bleu_tokenize": (str, "sacrebleu's tokenizer; none for tokenized text"),
    "beam_size": (int, "of the translator"),
    "length_penalty": (float, "of the translator"),
}
# Constructor arguments of the model: type, help.
_MODEL = {
    "num_layers": (int, "of the encoder, and of the decoder"),
    **training_options.MODEL,
    "attention_dropout": (float, "on attention weights"),
    "activation_dropout": (float, "inside the feed-forward networks"),
}
# What a model that is trained already has.
_SHAPE = (
    "preset",
    "vocabulary_size",
    "subwords",
    "byte_fallback",
    "num_layers",
    "hidden_dim",
    "num_heads",
    "norm_first",
)


def add_parser(kinds: Any) -> None:
    parser = kinds.add_parser(
        "translator",
        help="from two aligned text files, or one of pairs",
        description="Trains a translator on two text files (plain or .gz), line n of one translating line n of "
        "the other, or on tab-separated pairs, and writes OUT/translator.keras and OUT/history.csv. A training that "
        "was killed resumes when it is started again with the same arguments.",
    )
    parser.set_defaults(check=check, run=run)
    files = parser.add_argument_group("files")
    for prefix, text in (("", ""), ("validation-", "the same for validation: ")):
        for name in ("source", "target"):
            files.add_argument(f"--{prefix}{name}", nargs="+", action="extend", metavar="FILE")
        files.add_argument(
            f"--{prefix}pairs",
            nargs="+",
            action="extend",
            metavar="FILE.tsv",
            help=f"{text}instead of the two, lines of source, tab, target, without header and quoting",
        )
    files.add_argument(
        "--start-from",
        action=Once,
        metavar="FILE",
        help="a translator.keras whose weights, vocabulary and shape this training begins with; a larger "
        "--intermediate-dim adds hidden units, at first without effect",
    )
    files.add_argument("--out", action=Once, required=True, metavar="DIR")
    files.add_argument("--tensorboard", action=Once, metavar="DIR", help="write event files for TensorBoard")
    recipe = training_options.add_recipe(
        parser,
        _FIELDS,
        RECIPES["default"],
        {"monitor": ["loss", "bleu"]},
        "Each option replaces what the recipe says.",
        "default recipe",
    )
    training_options.add_byte_fallback(recipe)
    recipe.add_argument("--recipe", default="default", choices=list(RECIPES))
    model = training_options.add_model(parser, _MODEL, training_options.NORM_FIRST)
    model.add_argument(
        "--byte-level", action="store_true", help="no vocabulary: bytes as tokens, which needs no tensorflow_text"
    )
    machine = training_options.add_machine(parser)
    machine.add_argument("--jit-compile", action="store_true", help="compile with XLA")


def check(args: argparse.Namespace) -> None:
    _check_options(args, _recipe(args))
    training_options.check_output(args, TRANSLATOR)
    files = as_paths([path for paths in (*_files(args), *_files(args, "validation_")) for path in paths or []])
    if args.start_from:
        files.append(model_paths.find_keras_file(args.start_from, model_paths.TRANSLATOR))
    check_training_outputs(args.out, (TRANSLATOR, VOCABULARY, CHECKPOINT), files)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.pipelines import Translator
    from keras_transformer.pipelines.loading import load_pipeline
    from keras_transformer.training import train_translator

    def train(**options: Any) -> None:
        # Here, since several workers want to know of each other before anything else is made.
        start = load_pipeline(args.start_from, Translator, model_paths.TRANSLATOR) if args.start_from else None
        train_translator(
            args.out,
            *_files(args),
            *_files(args, "validation_"),
            recipe=_recipe(args),
            start_from=start,
            byte_level=args.byte_level,
            jit_compile=args.jit_compile,
            **options,
        )

    training_options.run(args, train)


def _files(args, prefix=""):
    """(sources, targets), or (pairs, `None`), or (`None`, `None`)."""
    pairs, source, target = (getattr(args, prefix + name) for name in ("pairs", "source", "target"))
    return (pairs, None) if pairs else (source, target)


def _recipe(args):
    fields, model = (*_FIELDS, "byte_fallback"), (*_MODEL, *training_options.NORM_FIRST)
    return training_options.changed_recipe(RECIPES[args.recipe], args, fields, model)


def _check_options(args, recipe):
    """`ValueError` for options that go without another one, or contradict or replace one."""
    if args.pairs and (args.source or args.target):
        raise ValueError("Expected --pairs, or --source and --target. Received both")
    if not args.pairs and not (args.source and args.target):
        raise ValueError("Expected --source and --target, or --pairs")
    if args.validation_pairs and (args.validation_source or args.validation_target):
        raise ValueError("Expected --validation-pairs, or --validation-source and --validation-target. Received both")
    if bool(args.validation_source) != bool(args.validation_target):
        raise ValueError("Expected both of --validation-source and --validation-target, or neither")
    of_vocabulary = [
        name for name in ("vocabulary_size", "subwords", "byte_fallback") if getattr(args, name) is not None
    ]
    if args.byte_level and of_vocabulary:
        given = ", ".join(map(training_options.option, of_vocabulary))
        raise ValueError(f"Expected no {given} with --byte-level, which has no vocabulary")
    if args.bleu_tokenize is not None and recipe.monitor != "bleu":
        raise ValueError(f"Expected --monitor bleu with --bleu-tokenize. Received: {recipe.monitor}")
    if args.length_penalty is not None and recipe.beam_size == 1:
        raise ValueError("Expected a --beam-size above 1 with --length-penalty. Received: 1, which is greedy search")
    fixed = [name for name in (*_SHAPE, "byte_level") if getattr(args, name)]
    if args.start_from and fixed:
        raise ValueError(
            f"Expected no {', '.join(map(training_options.option, fixed))} beside --start-from, whose model has its own"
        )
