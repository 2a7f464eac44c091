"""What `translate` and `evaluate` share: finding a translator, setting its search, and sending lines through it."""

import argparse

from keras_transformer import arguments
from keras_transformer.cli.reported import results_of
from keras_transformer.cli.saved_pipelines import check_model, is_saved_model, load_pipeline

SHIPPED = "translator_en_de"  # by default
_KERAS_NAME = "translator.keras"
_DESCRIPTION = "a translator"
MODEL_HELP = (
    "a translator.keras, the folder it is in, or the folder of an exported SavedModel; given more than once, the "
    "former translate as an ensemble"
)


def add_options(parser):
    """Adds the options of how to translate."""
    parser.add_argument("--batch-size", type=int, default=32, help="sentences translated at once (%(default)s)")
    parser.add_argument("--beam", type=int, metavar="N", help="search with N hypotheses, where MODEL is a .keras file")
    parser.add_argument(
        "--length-penalty", type=float, metavar="A", help="of the beam: the higher, the longer the translations"
    )
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="count sentences on standard error, as by default on a terminal",
    )


def check_translators(paths, beam=None, length_penalty=None, n_best=None):
    """Refuses what `open_translator` would, as far as it can be seen without loading a model.

    Returns:
        The files and folders that are read.
    """
    files = [check_model(path, _KERAS_NAME, _DESCRIPTION) for path in paths]
    exported = [path for path in paths if is_exported(path)]
    if exported and len(paths) > 1:
        raise ValueError(f"Expected .keras files for an ensemble. Received: {exported[0]}")
    wanted = {"--beam": beam, "--length-penalty": length_penalty, "--n-best": n_best}
    wanted = [name for name, value in wanted.items() if value is not None]
    if exported and wanted:
        raise ValueError(
            f"Expected a .keras file for {', '.join(wanted)}: the search of a SavedModel is fixed. Received: {paths[0]}"
        )
    arguments.optional_positive_integer("--beam", beam)
    arguments.optional_positive_integer("--n-best", n_best)
    if beam is not None and n_best is not None and beam < n_best:
        raise ValueError(f"Expected --n-best of at most --beam. Received: --beam {beam} --n-best {n_best}")
    return files


def is_exported(path):
    """Whether `path` is the folder of a SavedModel, of which only what it was exported with can be asked."""
    return is_saved_model(path, _KERAS_NAME)


def load_translator(path):
    """The `Translator` saved in `path`, a `.keras` file or a folder with a translator.keras.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else, or is damaged.
    """
    from keras_transformer.pipelines import Translator

    return load_pipeline(path, Translator, _KERAS_NAME, _DESCRIPTION)


def open_translator(paths, beam=None, length_penalty=None, n_best=None):
    """The `Translator` or `ExportedTranslator` in `paths`, with the search that is asked for.

    Args:
        paths: a list of one path or, for an ensemble that searches as the first does, several: a `.keras` file or a
            folder with a translator.keras; or one folder of a SavedModel.
        beam: how many hypotheses a beam search keeps; by default what the translator came with.
        length_penalty: of the beam search.
        n_best: how many translations of each text are wanted; the least that `beam` may be.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if the file holds something else, for a search that a SavedModel cannot do, and for an ensemble of
            SavedModels or of translators with different vocabularies.
    """
    check_translators(paths, beam, length_penalty, n_best)
    if is_exported(paths[0]):
        from keras_transformer.pipelines.exported_translator import ExportedTranslator

        return ExportedTranslator(paths[0])
    translator = _ensemble(paths) if len(paths) > 1 else load_translator(paths[0])
    if any(option is not None for option in (beam, length_penalty, n_best)):
        translator.search = _beam_search(translator.search, beam, length_penalty, n_best)
    return translator


def _ensemble(paths):
    """The translator of the first path, its model joined by those of the others."""
    from keras_transformer.models import Ensemble
    from keras_transformer.pipelines import Translator

    translators = [load_translator(path) for path in paths]
    first = translators[0]
    for path, other in zip(paths, translators):
        if _vocabularies(other) != _vocabularies(first):
            raise ValueError(f"Expected translators with the same vocabulary. Received: {paths[0]} and {path}")
    transformer = Ensemble([translator.transformer for translator in translators])
    others = {"target_tokenizer": first.target_tokenizer, "search": first.search, "xla": first.xla}
    return Translator(transformer, first.tokenizer, **others, **first.length_limits)


def _vocabularies(translator):
    """What each id of the source and of the target stands for; files may also tell how they were made."""
    sides = translator.tokenizer, translator.target_side
    return [side.ids_to_pieces(list(range(side.vocabulary_size))).numpy().tolist() for side in sides]


def translated(translator, lines, batch_size, progress, n_best=False):
    """Translates a stream of lines, and says which ones are cut.

    Args:
        translator: a `Translator` or `ExportedTranslator`.
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


def numbered(lines, name):
    """Pairs each line with its place, "NAME 1" and so on. A blank line becomes an empty one."""
    for number, line in enumerate(lines, start=1):
        yield f"{name} {number}", line if line.strip() else ""


def one_line(text):
    """`text` as one line, whatever the model said, so that line n stays the translation of line n."""
    return text.replace("\r", " ").replace("\n", " ")


def _beam_search(current, beam, length_penalty, n_best):
    """The beam search that the options ask for; the rest is as in `current`, if that is one."""
    from keras_transformer.decoding import BeamSearch

    if not isinstance(current, BeamSearch):
        if beam is None and n_best is None:
            raise ValueError(f"Expected --beam with --length-penalty. Received: a model with {type(current).__name__}")
        current = BeamSearch(min_length=current.min_length)
    settings = current.get_config()
    settings["num_best"] = 1
    if beam is not None:
        settings["beam_size"] = beam
    if n_best is not None:
        settings["num_best"] = n_best
        if beam is None:
            settings["beam_size"] = max(n_best, settings["beam_size"])
    if length_penalty is not None:
        settings["length_penalty"] = length_penalty
    return BeamSearch(**settings)
