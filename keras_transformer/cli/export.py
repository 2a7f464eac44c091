"""keras-transformer export: a saved pipeline as a SavedModel for TF-Hub and TF Serving, or for other runtimes."""

import argparse
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_folder, check_outputs
from keras_transformer.pipelines.model_paths import find_keras_file


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "export",
        help="write a SavedModel for TF-Hub and TF Serving, a file of LiteRT for phones and browsers, or ONNX",
        description="Writes the translator, embedder, question answerer or pair scorer in MODEL as a SavedModel that "
        "takes strings; or an embedder or translator as one file of LiteRT, with the tokenizer in it; an embedder's "
        "is for MediaPipe's TextEmbedder; or an embedder as ONNX: the folder of sentence-transformers, transformers.js "
        "and fastembed, or a file that takes strings.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument(
        "--model",
        action=Once,
        required=True,
        help="a .keras file, or the folder of a translator.keras, embedder.keras, question_answerer.keras or "
        "pair_scorer.keras",
    )
    parser.add_argument(
        "--out",
        action=Once,
        required=True,
        metavar="PATH",
        help="folder to make; with --next-version that of all versions; with --format litert a file, which ends in "
        ".tflite; with --format onnx too, if it ends in .onnx",
    )
    parser.add_argument(
        "--format",
        choices=["saved_model", "litert", "onnx"],
        default="saved_model",
        help="litert: of an embedder whose tokenizer ignores case, or a translator; of the options below it has "
        "--dtype and the lengths; onnx: of an embedder, with tf2onnx; it has --dtype",
    )
    parser.add_argument(
        "--next-version",
        action="store_true",
        help="make PATH/1, or the version after those in PATH, as TensorFlow Serving wants them",
    )
    parser.add_argument(
        "--frozen", action="store_true", help="for inference only: the weights become constants of the graph"
    )
    _add_precision(parser)
    _add_sizes(parser)
    parser.add_argument(
        "--warmup",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="texts, one a line, plain or .gz, that a server sends to each signature before the model becomes "
        "available; by default two sentences, with an empty FILE none",
    )


def _add_sizes(parser):
    """How long texts and vectors are."""
    parser.add_argument(
        "--lengths",
        type=int,
        nargs="+",
        metavar="N",
        help="of an embedder with --format litert: a signature for each of these lengths, of which a text takes the "
        "shortest that it fits; MediaPipe takes no such file",
    )
    for side, default in (("source", "512"), ("target", "50 more than its source")):
        parser.add_argument(
            f"--max-{side}-length",
            type=int,
            metavar="N",
            help=f"of a translator: the most tokens of a {side}, by default as it was made ({default}); a file of "
            "LiteRT computes as much for each text",
        )
    parser.add_argument(
        "--truncate-dim",
        type=int,
        metavar="N",
        help="of an embedder that was trained for it: the first N numbers of the vectors alone, of length 1 again",
    )


def _add_precision(parser):
    """How the exported model computes."""
    parser.add_argument(
        "--dtype",
        choices=["float32", "float16", "bfloat16", "int8"],
        help="of the computations, by default as the model was trained; with --format litert of the weights, float32, "
        "float16 or int8; with --format onnx float32; in a SavedModel bfloat16 and int8 need --frozen and convert "
        "the weights too; int8 (of weight matrices, the rest is float32) is for x86 processors and without --xla, "
        "which has no fast int8 matrix multiplication; outputs are float32 in any case",
    )
    parser.add_argument(
        "--calibrate",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="static quantization for --dtype int8, which is faster: activations are calibrated on the texts of FILE, "
        "some hundred representative ones, one a line",
    )
    parser.add_argument(
        "--int8-embeddings",
        action="store_true",
        help="of an encoder: keep the tables of embeddings in int8, a quarter as large, for processors of any kind; "
        "they cannot be trained on any more",
    )
    parser.add_argument(
        "--xla",
        action=argparse.BooleanOptionalAction,
        help="of a translator: compile the search with XLA, anew for each batch size and length that comes; a single "
        "sentence takes less time; TensorFlow Serving must be started with --xla_cpu_compilation_enabled=true, or it "
        "refuses the model",
    )


def check(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import as_paths

    if args.format != "saved_model":
        _check_for_inference(args)
    elif args.dtype == "float16":
        raise ValueError("Expected --format litert with --dtype float16. Received: --format saved_model")
    elif args.dtype in ("bfloat16", "int8") and not args.frozen:
        raise ValueError(f"Expected --frozen with --dtype {args.dtype}. Received no --frozen")
    if args.lengths and args.format != "litert":
        raise ValueError(f"Expected --format litert with --lengths. Received: --format {args.format}")
    if args.calibrate is not None and args.dtype != "int8":
        raise ValueError(f"Expected --dtype int8 with --calibrate. Received: {args.dtype or 'no --dtype'}")
    for length in args.lengths or ():
        arguments.positive_integer("--lengths", length)
    for option in ("truncate_dim", "max_source_length", "max_target_length"):
        arguments.optional_positive_integer(f"--{option.replace('_', '-')}", getattr(args, option))
    for path in (args.warmup, args.calibrate):
        if path is not None:
            as_paths(path)
    find_keras_file(args.model)
    is_file = args.format == "litert" or (args.format == "onnx" and args.out.endswith(".onnx"))
    if is_file:
        check_outputs([("--out", args.out)], [args.model])
    elif args.next_version:
        check_folder("--out", args.out)
    else:
        check_outputs([], [], folders=[("--out", args.out)])


def _check_for_inference(args):
    """Refuses what the formats for inference alone do not have."""
    dtypes = ["float32", "float16", "int8"] if args.format == "litert" else ["float32"]
    if args.dtype not in (None, *dtypes):
        raise ValueError(f"Expected {_listed(dtypes)} for --dtype with --format {args.format}. Received: {args.dtype}")
    others = {"--next-version": args.next_version, "--warmup": args.warmup, "--int8-embeddings": args.int8_embeddings}
    others |= {"--calibrate": args.calibrate, "--xla": args.xla is not None}
    if given := [option for option, value in others.items() if value]:
        raise ValueError(f"Expected no {given[0]} with --format {args.format}. Received: {given[0]}")
    if args.format == "litert" and not args.out.endswith(".tflite"):
        raise ValueError(f"Expected a name that ends in .tflite for --out with --format litert. Received: {args.out}")
    if args.format == "onnx":
        from keras_transformer.export.onnx import check_installed

        check_installed()


def _listed(names):
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def run(args: argparse.Namespace) -> None:
    from keras_transformer.data.lines import read_lines
    from keras_transformer.export import next_version
    from keras_transformer.pipelines import TextEmbedder, Translator
    from keras_transformer.pipelines.loading import load_pipeline

    options = {"frozen": args.frozen, "dtype": args.dtype}
    if args.lengths:
        options["lengths"] = args.lengths
    if args.format != "saved_model":
        options["format"] = args.format
    if args.int8_embeddings:
        options["int8_embeddings"] = True
    if args.warmup:
        options["warmup_texts"] = list(read_lines(args.warmup))
    if args.calibrate:
        options["calibration_texts"] = list(read_lines(args.calibrate))
    pipeline = load_pipeline(args.model)
    for name in ("xla", "max_source_length", "max_target_length"):
        if (value := getattr(args, name)) is None:
            continue
        if not isinstance(pipeline, Translator):
            raise ValueError(f"Expected a translator with --{name.replace('_', '-')}. Received: {args.model}")
        setattr(pipeline, name, value)
    if args.truncate_dim is not None:
        if not isinstance(pipeline, TextEmbedder):
            raise ValueError(f"Expected an embedder with --truncate-dim. Received: {args.model}")
        parts = pipeline.encoder, pipeline.tokenizer, pipeline.max_length
        prompts = {"prompts": pipeline.prompts, "default_prompt": pipeline.default_prompt}
        pipeline = TextEmbedder(*parts, name=pipeline.name, truncate_dim=args.truncate_dim, **prompts)
    path = next_version(args.out) if args.next_version else args.out
    pipeline.export(path, **options)
    print(f"Wrote {path}")
