"""keras-transformer train translator: from two aligned text files to a `.keras` translator."""

import dataclasses
import os
import sys

from keras_transformer import arguments
from keras_transformer.cli import train_embedder
from keras_transformer.cli.translators import load_translator
from keras_transformer.models.presets import PRESETS
from keras_transformer.training.recipes import RECIPES

_STATE, _VOCABULARY = "training-state", "vocabulary.model"
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
    "steps": (int, "at most; the length of the linear schedule"),
    "steps_per_round": (int, "between validations, instead of an epoch"),
    "optimizer": (str, "muon makes the matrices' updates orthogonal"),
    "schedule": (str, "of the learning rate"),
    "learning_rate": (float, "the peak"),
    "warmup_steps": (int, "until the peak"),
    "label_smoothing": (float, ""),
    "consistency": (float, "alpha of R-Drop"),
    "bpe_dropout": (float, "share of merges left out, of a bpe vocabulary"),
    "bidirectional_epochs": (int, "first epochs, trained in both directions"),
    "clip_norm": (float, "largest norm of the gradient"),
    "ema": (float, "decay of the weights' moving average"),
    "average_last": (int, "save the mean of the weights after so many last rounds"),
    "monitor": (str, "what chooses the round to keep, of the validation files"),
    "bleu_tokenize": (str, "sacrebleu's tokenizer; none for tokenized text"),
    "patience": (int, "stop after so many rounds without a better one"),
    "beam_size": (int, "of the translator"),
    "length_penalty": (float, "of the translator"),
}
_CHOICES = {
    "preset": list(PRESETS),
    "subwords": ["unigram", "bpe"],
    "optimizer": ["adam", "muon"],
    "schedule": ["inverse_sqrt", "linear", "noam"],
    "monitor": ["loss", "bleu"],
}
# Constructor arguments of the model: type, help.
_MODEL = {
    "num_layers": (int, "of the encoder, and of the decoder"),
    "hidden_dim": (int, "width"),
    "intermediate_dim": (int, "width of the feed-forward networks"),
    "num_heads": (int, ""),
    "dropout": (float, ""),
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
    "intermediate_dim",
    "num_heads",
    "norm_first",
)


def add_parser(commands):
    train = commands.add_parser("train", help="train a model on your own files")
    kinds = train.add_subparsers(dest="kind", required=True, metavar="KIND")
    train_embedder.add_parser(kinds)
    parser = kinds.add_parser(
        "translator",
        help="from two aligned text files",
        description="Trains a translator on two text files (plain or .gz), line n of one translating line n of "
        "the other, and writes OUT/translator.keras and OUT/history.csv. A training that was cut off goes on when it "
        "is started again with the same arguments.",
    )
    parser.set_defaults(run=run)
    files = parser.add_argument_group("files")
    files.add_argument("--source", nargs="+", required=True, metavar="FILE")
    files.add_argument("--target", nargs="+", required=True, metavar="FILE")
    files.add_argument("--validation-source", nargs="+", metavar="FILE")
    files.add_argument("--validation-target", nargs="+", metavar="FILE")
    files.add_argument(
        "--start-from",
        metavar="FILE",
        help="a translator.keras whose weights, vocabulary and shape this training begins with",
    )
    files.add_argument("--out", required=True, metavar="DIR")
    files.add_argument("--tensorboard", metavar="DIR", help="write event files for TensorBoard")
    recipe = parser.add_argument_group("recipe", "Each option replaces what the recipe says.")
    recipe.add_argument("--recipe", default="default", choices=list(RECIPES))
    for name, (kind, text) in _FIELDS.items():
        text = f"{text} (default recipe: {getattr(RECIPES['default'], name)})".lstrip()
        recipe.add_argument(_option(name), type=kind, choices=_CHOICES.get(name), help=text)
    model = parser.add_argument_group("model", "Instead of what the preset says.")
    for name, (kind, text) in _MODEL.items():
        model.add_argument(_option(name), type=kind, help=text or None)
    model.add_argument("--norm-first", action="store_true", default=None, help="pre-norm instead of post-norm")
    model.add_argument(
        "--byte-level", action="store_true", help="no vocabulary: bytes as tokens, which needs no tensorflow_text"
    )
    machine = parser.add_argument_group("machine")
    machine.add_argument("--minutes", type=float, help="stop after this time")
    machine.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
        help="mixed_bfloat16 is faster on processors with bfloat16 instructions and on accelerators",
    )
    machine.add_argument("--jit-compile", action="store_true", help="compile with XLA")
    machine.add_argument(
        "--distribution",
        default="auto",
        choices=("auto", "none", "mirrored", "workers"),
        help="mirrored: all GPUs of this machine; workers: several processes, named by TF_CONFIG or started by srun",
    )
    machine.add_argument(
        "--minutes-between-states", type=float, default=5.0, help="how much work a kill may cost (default: %(default)s)"
    )
    machine.add_argument("--seed", type=int, default=0)
    machine.add_argument("--deterministic", action="store_true", help="the same operations give the same bits; slower")


def run(args):
    recipe = recipe_of(args)
    if args.minutes is not None:
        arguments.positive_number("minutes", args.minutes)
    path = os.path.join(args.out, "translator.keras")
    if os.path.exists(path) and not os.path.exists(os.path.join(args.out, _STATE)):
        raise FileExistsError(f"Expected no translator in {args.out}. Received: {path} exists")
    if bool(args.validation_source) != bool(args.validation_target):
        raise ValueError("Expected both of --validation-source and --validation-target, or neither")

    import tensorflow as tf

    from keras_transformer.training import make_strategy

    strategy = make_strategy(args.distribution)
    try:
        _train(args, recipe, path, strategy)
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        if not (args.is_own_process and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)):
            raise
        _begin_again(error, os.path.join(args.out, _STATE))


def recipe_of(args):
    """The recipe with the options that were given in their places."""
    recipe = RECIPES[args.recipe]
    given = {name: getattr(args, name) for name in _FIELDS if getattr(args, name) is not None}
    if given.get("schedule") == "noam":
        given.setdefault("learning_rate", None)
    model = {name: getattr(args, name) for name in (*_MODEL, "norm_first") if getattr(args, name) is not None}
    # One of the two replaces the other.
    if "ema" in given:
        given.setdefault("average_last", None)
    elif "average_last" in given:
        given["ema"] = 0.0
    return dataclasses.replace(recipe, model={**recipe.model, **model}, **given)


def _train(args, recipe, path, strategy):
    import keras
    import tensorflow as tf

    from keras_transformer.atomic import replacing
    from keras_transformer.data import ParallelText, count_pairs
    from keras_transformer.decoding import BeamSearch, GreedySearch
    from keras_transformer.models import Transformer
    from keras_transformer.pipelines import Translator
    from keras_transformer.training import fit_translator

    keras.utils.set_random_seed(args.seed)
    if args.deterministic:
        tf.config.experimental.enable_op_determinism()
    is_chief = strategy.extended.should_checkpoint
    say = print if is_chief else lambda *_, **__: None
    count_pairs(args.source, args.target)
    if args.validation_source:
        count_pairs(args.validation_source, args.validation_target)
    start = _start(args) if args.start_from else None
    tokenizer = start.tokenizer if start else _tokenizer(args, recipe, say)
    training = ParallelText(args.source, args.target, tokenizer, max_length=recipe.max_length)
    validation = None
    if args.validation_source:
        validation = ParallelText(
            args.validation_source, args.validation_target, tokenizer, max_length=recipe.max_length
        )
    left_out = training.num_left_out()
    if left_out == training.num_pairs:
        raise ValueError("Expected training pairs within max_length. Received: all are left out")
    say(
        f"{training.num_pairs:,} pairs, {left_out:,} of them left out (a side is empty "
        f"or has more than {recipe.max_length} tokens), {tokenizer.vocabulary_size:,} token ids"
    )
    if is_chief and not (args.byte_level or start):  # Every worker has trained the same.
        with replacing(os.path.join(args.out, _VOCABULARY)) as unfinished, open(unfinished, "wb") as file:
            file.write(tokenizer.model)
    search = GreedySearch() if recipe.beam_size == 1 else BeamSearch(recipe.beam_size, recipe.length_penalty)
    with strategy.scope():
        if start:
            config = {**start.transformer.get_config(), **recipe.model, "dtype": args.dtype}
            transformer = Transformer.from_config(config)
            transformer.set_weights(start.transformer.get_weights())
        else:
            transformer = Transformer.from_preset(
                recipe.preset, tokenizer.vocabulary_size, dtype=args.dtype, **recipe.model
            )
        translator = Translator(transformer, tokenizer, search=search)
    say(f"{args.start_from or recipe.preset} Transformer with {transformer.count_params():,} parameters", flush=True)
    fit_translator(
        translator,
        training,
        validation,
        path=path,
        recipe=recipe,
        minutes=args.minutes,
        strategy=strategy,
        jit_compile=args.jit_compile,
        seed=args.seed,
        minutes_between_states=args.minutes_between_states,
        tensorboard=args.tensorboard,
    )
    say(f"Wrote {path}")


def _start(args):
    """The translator that the training begins with."""
    fixed = [name for name in (*_SHAPE, "byte_level") if getattr(args, name)]
    if fixed:
        raise ValueError(f"Expected no {', '.join(map(_option, fixed))} beside --start-from, whose model has its own")
    translator = load_translator(args.start_from)
    if translator.target_tokenizer:
        raise ValueError(f"Expected one vocabulary for both languages. Received: {args.start_from} has two")
    return translator


def _tokenizer(args, recipe, say):
    """Bytes, or the vocabulary of the training that goes on, or one that is trained now."""
    from keras_transformer.text import ByteTokenizer, SubwordTokenizer

    if args.byte_level:
        return ByteTokenizer()
    path = os.path.join(args.out, _VOCABULARY)
    if os.path.exists(path) and os.path.exists(os.path.join(args.out, _STATE)):
        return SubwordTokenizer.from_model_file(path)
    say(f"Vocabulary from {' '.join(args.source + args.target)}", flush=True)
    return SubwordTokenizer.from_files(args.source + args.target, recipe.vocabulary_size, model_type=recipe.subwords)


def _begin_again(error, state):
    """Starts this process anew, to go on from the last state when all workers are back."""
    written = os.stat(state).st_mtime_ns if os.path.exists(state) else 0
    restarts, before = map(int, os.environ.get(_RESTARTS, "0 0").split())
    restarts = restarts + 1 if written == before else 1
    if restarts > _MOST_RESTARTS:
        raise OSError(f"Another worker was lost {restarts} times since the last state was written: {error}") from error
    print(f"Another worker was lost ({type(error).__name__}); beginning again from the last state", file=sys.stderr)
    sys.stdout.flush()
    os.environ[_RESTARTS] = f"{restarts} {written}"
    os.execv(sys.executable, [sys.executable, "-m", "keras_transformer.cli.main", *sys.argv[1:]])


def _option(name):
    return f"--{name.replace('_', '-')}"
