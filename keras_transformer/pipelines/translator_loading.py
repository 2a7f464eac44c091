"""Opens saved translators: one, or several as an ensemble, with the search that is asked for."""

import itertools

from keras_transformer.decoding import BeamSearch, Search
from keras_transformer.models import Ensemble
from keras_transformer.pipelines.exported_translator import ExportedTranslator
from keras_transformer.pipelines.litert_translator import LiteRtTranslator
from keras_transformer.pipelines.loading import found_model, load_pipeline
from keras_transformer.pipelines.model_paths import TRANSLATOR, is_litert, is_saved_model
from keras_transformer.pipelines.translator import Translator
from keras_transformer.types import PathLike


def load_translator(
    path: PathLike,
    *others: PathLike,
    beam_size: int | None = None,
    length_penalty: float | None = None,
    num_best: int | None = None,
) -> Translator | ExportedTranslator | LiteRtTranslator:
    """Opens a saved translator, as `load` does; or several as an ensemble, which searches as the first one does.

    Args:
        path: a `.keras` file, a folder with a translator.keras, the folder of a SavedModel from strings to strings, a
            folder of versions of it, or a file of LiteRT.
        *others: of an ensemble: further `.keras` files, or folders with a translator.keras.
        beam_size: of a beam search; by default the search is as it was saved.
        length_penalty: of the beam search.
        num_best: how many translations of each text the beam search gives, 1 by default; the beam is at least as
            large.

    Returns:
        A `Translator`; for a SavedModel an `ExportedTranslator`, for a file of LiteRT a `LiteRtTranslator`.

    Raises:
        FileNotFoundError: if there is no model at a path.
        OSError: for a file that may not be read.
        ValueError: if a file is damaged, or holds something else; for exported ones among several, and a search for one
            of them, whose search is fixed; for an ensemble of translators with different vocabularies; for a
            length penalty of a search without a beam.
    """
    found = list(map(found_model, (path, *others), itertools.repeat(TRANSLATOR)))
    exported = [each for each in found if is_saved_model(each) or is_litert(each)]
    kind = "model of LiteRT" if exported and is_litert(exported[0]) else "SavedModel"
    if exported and others:
        raise ValueError(f"Expected .keras files for an ensemble. Received: {exported[0]}, a {kind}")
    wanted = {"beam_size": beam_size, "length_penalty": length_penalty, "num_best": num_best}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    if exported and wanted:
        raise ValueError(
            f"Expected a .keras file for {', '.join(wanted)}: the search of a {kind} is fixed. Received: {exported[0]}"
        )
    if exported:
        return LiteRtTranslator(exported[0]) if is_litert(exported[0]) else ExportedTranslator(exported[0])
    translators = [load_pipeline(each, Translator, TRANSLATOR) for each in found]
    translator = _ensemble(found, translators) if others else translators[0]
    if wanted:
        translator.search = _beam_search(translator.search, **wanted)
    return translator


def _ensemble(paths, translators):
    """The first translator, its model joined by those of the others."""
    first = translators[0]
    for path, other in zip(paths, translators):
        if _vocabularies(other) != _vocabularies(first):
            raise ValueError(f"Expected translators with the same vocabulary. Received: {paths[0]} and {path}")
    transformer = Ensemble([translator.transformer for translator in translators])
    settings = {"target_tokenizer": first.target_tokenizer, "search": first.search, "xla": first.xla}
    return Translator(transformer, first.tokenizer, **settings, **first.length_limits)


def _vocabularies(translator):
    """What each id of the source and of the target stands for; files may also tell how they were made."""
    sides = translator.tokenizer, translator.target_side
    return [side.ids_to_pieces(list(range(side.vocabulary_size))).numpy().tolist() for side in sides]


def _beam_search(current: Search, **wanted) -> BeamSearch:
    """A beam search with the settings that are wanted; the others are as in `current`, if that is a beam search."""
    if not isinstance(current, BeamSearch):
        if set(wanted) == {"length_penalty"}:
            raise ValueError(
                f"Expected a beam size with a length penalty. Received: a translator with {type(current).__name__}"
            )
        current = BeamSearch(min_length=current.min_length)
    settings = {**current.get_config(), "num_best": 1, **wanted}
    if "beam_size" not in wanted:
        settings["beam_size"] = max(settings["num_best"], settings["beam_size"])
    return BeamSearch(**settings)
