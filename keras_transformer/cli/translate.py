"""keras-transformer translate: texts, lines of a file, or standard input."""

import os
import sys

from keras_transformer.atomic import replacing


def add_parser(commands):
    parser = commands.add_parser(
        "translate",
        help="translate texts, a file, or standard input",
        description="Translates TEXTs, or each line of --input (plain or .gz) or of standard input, to standard "
        "output or --output. Memory does not grow with the input.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("texts", nargs="*", metavar="TEXT")
    parser.add_argument("--model", required=True, help="a translator.keras, or the folder it is in")
    parser.add_argument("--input", metavar="FILE")
    parser.add_argument("--output", metavar="FILE")
    parser.add_argument("--batch-size", type=int, default=32)


def run(args):
    if args.texts and args.input:
        raise ValueError("Expected TEXTs or --input. Received both")
    translator = load_translator(args.model)
    translations = translator.translate(_texts(args), batch_size=args.batch_size)
    if not args.output:
        _write(translations, sys.stdout)
        return
    with replacing(args.output) as path, open(path, "w", encoding="utf-8") as file:
        _write(translations, file)


def _write(lines, file):
    for line in lines:
        # One line each, whatever the model said, so that line n stays the translation of line n.
        print(line.replace("\r", " ").replace("\n", " "), file=file)


def load_translator(path):
    """The `Translator` saved in `path`, a `.keras` file or a folder with a translator.keras.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else.
    """
    import keras

    from keras_transformer.pipelines import Translator

    if os.path.isdir(path):
        path = os.path.join(path, "translator.keras")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"Expected a .keras file with a translator. Received: {path}")
    translator = keras.models.load_model(path)
    if not isinstance(translator, Translator):
        raise ValueError(f"Expected a Translator in {path}. Received: {type(translator).__name__}")
    return translator


def _texts(args):
    if args.texts:
        return args.texts
    from keras_transformer.data.lines import decoded_lines, read_lines

    if args.input:
        return read_lines(args.input)
    return decoded_lines(sys.stdin.buffer, "standard input")
