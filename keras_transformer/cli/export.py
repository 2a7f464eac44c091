"""keras-transformer export: a `.keras` translator as a TF-Hub SavedModel."""

from keras_transformer.cli.translators import load_translator


def add_parser(commands):
    parser = commands.add_parser(
        "export",
        help="write a SavedModel for TF-Hub and TF Serving",
        description="Writes the translator in MODEL as a SavedModel that takes and gives strings.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--model", required=True, help="a translator.keras, or the folder it is in")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder to make")


def run(args):
    load_translator(args.model).export(args.out)
    print(f"Wrote {args.out}")
