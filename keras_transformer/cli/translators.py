"""What `translate`, `evaluate` and `attention` share: options, and sending lines through a translator."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from keras_transformer import arguments
from keras_transformer.cli import models
from keras_transformer.cli.progress import Progress
from keras_transformer.cli.reported import results_of
from keras_transformer.pipelines.model_paths import TRANSLATOR, find_model, is_litert, is_saved_model

MODEL_HELP = f"{models.TRANSLATOR_HELP}; several .keras files translate as an ensemble"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of how to translate."""
    parser.add_argument("--batch-size", type=int, default=32, help="sentences translated at once (%(default)s)")
    parser.add_argument("--beam", type=int, metavar="N", help="beam size of the search, where MODEL is a .keras file")
    parser.add_argument(
        "--length-penalty", type=float, metavar="A", help="of the beam search: the higher, the longer the translations"
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="count sentences on standard error, as by default on a terminal",
    )


def check_translators(
    paths: list[str], beam: int | None = None, length_penalty: float | None = None, n_best: int | None = None
) -> list[str]:
    """Refuses what `load_translator` would, as far as it can be seen without loading a model.

    Returns:
        The files and folders that are read.
    """
    files = [find_model(path, TRANSLATOR) for path in paths]
    exported = [path for path, file in zip(paths, files) if is_saved_model(file) or is_litert(file)]
    if exported and len(paths) > 1:
        raise ValueError(f"Expected .keras files for an ensemble. Received: {exported[0]}")
    wanted = {"--beam": beam, "--length-penalty": length_penalty, "--n-best": n_best}
    wanted = [name for name, value in wanted.items() if value is not None]
    if exported and wanted:
        kind = "model of LiteRT" if is_litert(files[0]) else "SavedModel"
        raise ValueError(
            f"Expected a .keras file for {', '.join(wanted)}: the search of a {kind} is fixed. Received: {paths[0]}"
        )
    arguments.optional_positive_integer("--beam", beam)
    arguments.optional_positive_integer("--n-best", n_best)
    if beam is not None and n_best is not None and beam < n_best:
        raise ValueError(f"Expected --n-best of at most --beam. Received: --beam {beam} --n-best {n_best}")
    return files


def load(
    paths: list[str], beam: int | None = None, length_penalty: float | None = None, n_best: int | None = None
) -> Any:
    """The translator, or the ensemble, of --model, with the search that the options ask for."""
    from keras_transformer.pipelines import load_translator

    files = [models.newest(path, TRANSLATOR) for path in paths]
    return load_translator(*files, beam_size=beam, length_penalty=length_penalty, num_best=n_best)


def translated(
    translator: Any, lines: Iterable[tuple[str, str]], batch_size: int, progress: Progress, n_best: bool = False
) -> Iterator[Any]:
    """Translates a stream of lines, and says which ones are truncated.

    Args:
        translator: a `Translator`, `ExportedTranslator` or `LiteRtTranslator`.
        lines: an iterable of (place, text), as `numbered` gives.
        batch_size: sentences that are translated at once.
        progress: a `Progress`.
        n_best: give the whole beam.

    Yields:
        What `translate`, or `translate_n_best`, yields for each line.
    """
    from keras_transformer.pipelines.streaming import Limit

    translate = translator.translate_n_best if n_best else translator.translate
    return results_of(
        lines,
        batch_size,
        progress,
        lambda texts: translate(texts, batch_size=batch_size),
        translator.num_source_tokens,
        Limit("max_source_length", translator.max_source_length, "translated"),
    )


def numbered(lines: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    """Pairs each line with its place, "NAME 1" and so on. A blank line becomes an empty one."""
    for number, line in enumerate(lines, start=1):
        yield f"{name} {number}", line if line.strip() else ""


def one_line(text: str) -> str:
    """`text` as one line, whatever the model said, so that line n stays the translation of line n."""
    return text.replace("\r", " ").replace("\n", " ")
