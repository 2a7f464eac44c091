"""keras-transformer convert: another library's checkpoint as a `.keras` pipeline, a SavedModel, or both."""

import argparse
import os
from typing import Any

from keras_transformer.cli.once import Once
from keras_transformer.cli.outputs import check_outputs


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "convert",
        help="convert a checkpoint of sentence-transformers or Marian",
        description="Converts the checkpoint in FOLDER: a sentence encoder of sentence-transformers (BERT, MiniLM, "
        "MPNet), a cross-encoder (BERT that classifies), or a Marian translation model (OPUS-MT; Hugging Face's format "
        "or Marian's .npz). Weights are read from safetensors or .npz; pickles are refused.",
    )
    parser.set_defaults(check=check, run=run)
    parser.add_argument("folder", metavar="FOLDER", help="the checkpoint, a folder on this machine")
    parser.add_argument(
        "--out",
        action=Once,
        metavar="FILE.keras",
        help="file to write, for `keras_transformer.load`, `embed` and `translate`",
    )
    parser.add_argument(
        "--export", action=Once, metavar="DIR", help="folder to make: a SavedModel for TF-Hub and TensorFlow Serving"
    )
    parser.add_argument("--dtype", metavar="POLICY", help="of the model, as mixed_bfloat16 (default: float32)")
    parser.add_argument("--overwrite", action="store_true", help="replace an --out that exists")


def check(args: argparse.Namespace) -> None:
    if not args.out and not args.export:
        raise ValueError("Expected --out, --export, or both. Received neither")
    if args.out and not args.out.endswith(".keras"):
        raise ValueError(f"Expected an --out that ends in .keras. Received: {args.out}")
    check_outputs([("--out", args.out)], [args.folder], args.overwrite, folders=[("--export", args.export)])
    if not os.path.isdir(args.folder):
        raise FileNotFoundError(f"Expected the folder of a checkpoint. Received: {args.folder}")


def run(args: argparse.Namespace) -> None:
    from keras_transformer.convert import convert

    pipeline = convert(args.folder, dtype=args.dtype)
    print(f"{type(pipeline).__name__}, {pipeline.count_params():,} parameters", flush=True)
    if args.export:
        pipeline.export(args.export)
        print(f"Wrote {args.export}")
    if args.out:
        pipeline.save(args.out)
        print(f"Wrote {args.out}")
