"""keras-transformer train translator: from aligned text files, or files of pairs, to a `.keras` translator."""

import os
import sys

from keras_transformer import quiet
from keras_transformer.cli import training_options
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_training_outputs
from keras_transformer.data.lines import as_paths
from keras_transformer.pipelines.model_paths import TRANSLATOR, find_keras_file
from keras_transformer.training.recipes import RECIPES

_VOCABULARY = "vocabulary.model"
# How often a worker begins again, when another one is lost, without a new state.
_RESTARTS = "KERAS_TRANSFORMER_RESTARTS"
_MOST_RESTARTS = 5

# The recipe's fields that have an option of their own: type, help.
_FIELDS = {
    "preset": (str, "the size of the model"),
    "vocabulary_size": (int, "of both languages"),
    "subwords": (str, "how the vocabulary is trained"),
    "max_length": (int, "longer pairs are left out"),
    "tokens_per_batch": (int, "on each side"),
    "accumulated_batches": (int, "batches that make one step"),
    "epochs": (int, "at most"),
    **training_options.OPTIMIZATION,
    "steps_per_round": (int, "between validations, instead of an epoch"),
    "label_smoothing": (float, ""),
    "consistency": (float, "alpha of R-Drop"),
    "bpe_dropout": (float, "share of merges left out, of a bpe vocabulary"),
    "bidirectional_epochs": (int, "first epochs, trained in both directions"),
    "monitor": (str, "what chooses the round to keep, of the validation files"),
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
    "num_layers",
    "hidden_dim",
    "num_heads",
    "norm_first",
)


def add_parser(kinds):
    parser = kinds.add_parser(
        "translator",
        help="from two aligned text files, or one of pairs",
        description="Trains a translator on two text files (plain or .gz), line n of one translating line n of "
        "the other, or on tab-separated pairs, and writes OUT/translator.keras and OUT/history.csv. A training that "
        "was cut off goes on when it is started again with the same arguments.",
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
    recipe.add_argument("--recipe", default="default", choices=list(RECIPES))
    model = training_options.add_model(parser, _MODEL, training_options.NORM_FIRST)
    model.add_argument(
        "--byte-level", action="store_true", help="no vocabulary: bytes as tokens, which needs no tensorflow_text"
    )
    machine = training_options.add_machine(parser)
    machine.add_argument("--jit-compile", action="store_true", help="compile with XLA")
    machine.add_argument(
        "--distribution",
        default="auto",
        choices=("auto", "none", "mirrored", "workers"),
        help="mirrored: all GPUs of this machine; workers: several processes, named by TF_CONFIG or started by srun",
    )


def check(args):
    _check_options(args, _recipe(args))
    args.path = training_options.output_path(args, "translator.keras")
    given = args.pairs, args.source, args.target, args.validation_pairs, args.validation_source, args.validation_target
    files = as_paths([path for paths in given for path in paths or []])
    if args.start_from:
        files.append(find_keras_file(args.start_from, TRANSLATOR))
    check_training_outputs(args.out, ("translator.keras", _VOCABULARY, training_options.STATE), files)


def run(args):
    import tensorflow as tf

    from keras_transformer.training import make_strategy

    recipe = _recipe(args)
    strategy = make_strategy(args.distribution)
    try:
        _train(args, recipe, strategy)
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        if not (args.is_own_process and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)):
            raise
        _begin_again(error, os.path.join(args.out, training_options.STATE))


def _recipe(args):
    return training_options.changed_recipe(RECIPES[args.recipe], args, _FIELDS, (*_MODEL, *training_options.NORM_FIRST))


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
    if args.byte_level and (args.vocabulary_size is not None or args.subwords is not None):
        raise ValueError("Expected neither --vocabulary-size nor --subwords with --byte-level, which has no vocabulary")
    if args.bleu_tokenize is not None and recipe.monitor != "bleu":
        raise ValueError(f"Expected --monitor bleu with --bleu-tokenize. Received: {recipe.monitor}")
    if args.length_penalty is not None and recipe.beam_size == 1:
        raise ValueError("Expected a --beam-size above 1 with --length-penalty. Received: 1, which is greedy search")


def _train(args, recipe, strategy):
    from keras_transformer.data import count_pairs
    from keras_transformer.training import fit_translator

    training_options.set_seed(args)
    is_chief = strategy.extended.should_checkpoint
    say = print if is_chief else lambda *_, **__: None
    for files in filter(None, _files(args)):
        count_pairs(*files)
    start = _start(args) if args.start_from else None
    tokenizer = start.tokenizer if start else _tokenizer(args, recipe, say)
    training, validation = _pairs(args, recipe, tokenizer, say)
    if is_chief and not (args.byte_level or start):  # Every worker has trained the same.
        _write_vocabulary(args, tokenizer)
    with strategy.scope():
        translator = _translator(args, recipe, tokenizer, start)
    count = translator.transformer.count_params()
    say(f"{args.start_from or recipe.preset} Transformer with {count:,} parameters", flush=True)
    with training_options.saying_what_was_written(args.path, say):
        fit_translator(
            translator,
            training,
            validation,
            path=args.path,
            recipe=recipe,
            minutes=args.minutes,
            strategy=strategy,
            jit_compile=args.jit_compile,
            seed=args.seed,
            minutes_between_states=args.minutes_between_states,
            tensorboard=args.tensorboard,
            origin=_origin(start) if start else None,
        )


def _files(args):
    """Of training and of validation the files of sources and of targets, the latter `None` for files of pairs.

    Without validation the second is `None`.
    """
    training = (args.pairs, None) if args.pairs else (args.source, args.target)
    if args.validation_pairs:
        return training, (args.validation_pairs, None)
    return training, (args.validation_source, args.validation_target) if args.validation_source else None


def _pairs(args, recipe, tokenizer, say):
    """The pairs for training, and those for validation or `None`."""
    from keras_transformer.data import ParallelText

    files, validation_files = _files(args)
    training = ParallelText(*files, tokenizer, max_length=recipe.max_length)
    left_out = training.count_skipped()
    if left_out == training.num_pairs:
        raise ValueError("Expected training pairs within max_length. Received: all are left out")
    say(
        f"{training.num_pairs:,} pairs, {left_out:,} of them left out (a side is empty "
        f"or has more than {recipe.max_length} tokens), {tokenizer.vocabulary_size:,} token ids"
    )
    if not validation_files:
        return training, None
    return training, ParallelText(*validation_files, tokenizer, max_length=recipe.max_length)


def _translator(args, recipe, tokenizer, start):
    """A new translator, or one that begins as `start`."""
    from keras_transformer.decoding import BeamSearch, GreedySearch
    from keras_transformer.models import Transformer, warm_start
    from keras_transformer.pipelines import Translator

    if start:
        config = {**start.transformer.get_config(), **recipe.model, "dtype": args.dtype}
        transformer = Transformer.from_config(config)
        warm_start(transformer, start.transformer)
    else:
        transformer = Transformer.from_preset(
            recipe.preset, tokenizer.vocabulary_size, dtype=args.dtype, **recipe.model
        )
    search = GreedySearch() if recipe.beam_size == 1 else BeamSearch(recipe.beam_size, recipe.length_penalty)
    return Translator(transformer, tokenizer, search=search, **(start.length_limits if start else {}))


def _start(args):
    """The translator that the training begins with."""
    from keras_transformer.models import Transformer
    from keras_transformer.pipelines import Translator
    from keras_transformer.pipelines.loading import load_pipeline

    fixed = [name for name in (*_SHAPE, "byte_level") if getattr(args, name)]
    if fixed:
        raise ValueError(
            f"Expected no {', '.join(map(training_options.option, fixed))} beside --start-from, whose model has its own"
        )
    translator = load_pipeline(args.start_from, Translator, TRANSLATOR)
    if not isinstance(translator.transformer, Transformer):
        name = type(translator.transformer).__name__
        raise ValueError(f"Expected a translator with a Transformer. Received: {args.start_from} with {name}")
    if translator.target_tokenizer:
        raise ValueError(f"Expected one vocabulary for both languages. Received: {args.start_from} has two")
    return translator


def _origin(start):
    """A mark of the weights that the training begins with."""
    from keras_transformer.training.fingerprints import fingerprint

    return fingerprint(*(weight.numpy() for weight in start.transformer.weights))


def _tokenizer(args, recipe, say):
    """Bytes, or the vocabulary of the training that goes on, or one that is trained now."""
    from keras_transformer.text import ByteTokenizer, SubwordTokenizer

    if args.byte_level:
        return ByteTokenizer()
    path = os.path.join(args.out, _VOCABULARY)
    if os.path.exists(path) and os.path.exists(os.path.join(args.out, training_options.STATE)):
        return SubwordTokenizer.from_model_file(path)
    say(f"Vocabulary from {' '.join(args.pairs or args.source + args.target)}", flush=True)
    return SubwordTokenizer.from_texts(_texts(args), recipe.vocabulary_size, model_type=recipe.subwords)


def _texts(args):
    """All sources, then all targets."""
    from keras_transformer.data import read_lines, read_rows

    if not args.pairs:
        return read_lines(args.source + args.target)
    return (row[side] for side in (0, 1) for path in args.pairs for row in read_rows(path, ("source", "target")))


def _write_vocabulary(args, tokenizer):
    from keras_transformer.atomic import replacing

    with replacing(os.path.join(args.out, _VOCABULARY)) as unfinished, open(unfinished, "wb") as file:
        file.write(tokenizer.model)


def _begin_again(error, state):
    """Starts this process anew, to go on from the last state when all workers are back."""
    written = os.stat(state).st_mtime_ns if os.path.exists(state) else 0
    restarts, before = map(int, os.environ.get(_RESTARTS, "0 0").split())
    restarts = restarts + 1 if written == before else 1
    if restarts > _MOST_RESTARTS:
        raise OSError(f"Another worker was lost {restarts} times since the last state was written: {error}") from error
    print(f"Another worker was lost ({type(error).__name__}); beginning again from the last state", file=sys.stderr)
    sys.stdout.flush()
    quiet.restore_standard_error()
    os.environ[_RESTARTS] = f"{restarts} {written}"
    os.execv(sys.executable, [sys.executable, "-m", "keras_transformer", *sys.argv[1:]])
