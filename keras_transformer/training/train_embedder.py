"""From tasks to a trained embedder in a folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_embedder import fit_embedder
from keras_transformer.training.guided_ranking import GuidedRanking
from keras_transformer.training.names import EMBEDDER, GUIDED, KINDS, RANKING, WITH_ROLES
from keras_transformer.training.saved_training import say_nothing, saying_what_was_written
from keras_transformer.training.sentence_tasks import SentenceTask
from keras_transformer.types import DType, PathLike

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf


def train_embedder(
    folder: PathLike,
    tasks: Sequence[SentenceTask],
    validation: PathLike | list[PathLike] | None = None,
    *,
    recipe: EmbeddingRecipe | None = None,
    prompts: Mapping[str, str] | None = None,
    dtype: DType = "float32",
    strategy: "tf.distribute.Strategy | None" = None,
    say: Callable[..., None] = print,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a vocabulary and a sentence encoder on tasks by a recipe, and writes an embedder to a folder.

    What `keras-transformer train embedder` does. Beside `folder`/embedder.keras stand history.csv and a checkpoint:
    called again with the same arguments after a kill, the training resumes.

    Args:
        folder: for all files; made if it is missing.
        tasks: a list of `SentenceTask`, as `read_tasks` gives.
        validation: tab-separated files of score (0 to 5), sentence, sentence, or `None`.
        recipe: an `EmbeddingRecipe`.
        prompts: of the `TextEmbedder`; the tasks have them already, as those of `read_tasks`.
        dtype: dtype policy of the encoder.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        say: prints what is going on; by default `print`, on the first worker.
        **options: `minutes`, `seed`, `checkpoint_minutes` and `tensorboard` of `fit_embedder`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        ValueError: for bad files, with file and line; for arguments in `recipe.model` that the encoder has not; and
            what `fit_embedder` raises.
    """
    import tensorflow as tf

    from keras_transformer.pipelines import TextEmbedder

    recipe = recipe or EmbeddingRecipe()
    strategy = strategy or tf.distribute.get_strategy()
    say = say if strategy.extended.should_checkpoint else say_nothing
    pairs = None if validation is None else _scored_pairs(validation)
    for task in tasks:
        say(f"{task.name}: {task.num_rows:,} rows, {len(task.texts):,} different texts")
    # A sentence that several tasks have counts in each.
    tokenizer = recipe.make_tokenizer(text for task in tasks for text in task.texts)
    with strategy.scope():
        encoder = recipe.make_encoder(tokenizer.vocabulary_size, dtype)
        embedder = TextEmbedder(encoder, tokenizer, max_length=recipe.max_length, prompts=prompts)
    say(f"{tokenizer.vocabulary_size:,} token ids, an encoder of {encoder.count_params():,} parameters", flush=True)
    path = os.path.join(folder, EMBEDDER)
    with saying_what_was_written(path, say):
        return fit_embedder(embedder, tasks, pairs, path=path, recipe=recipe, strategy=strategy, **options)


def read_tasks(
    files: Mapping[str, Sequence[PathLike]],
    objectives: "Mapping[str, keras.layers.Layer] | None" = None,
    weights: Mapping[str, float] | None = None,
    batch_size: int = 128,
    ranking_batch_size: int | None = None,
    no_duplicates: bool = False,
    guide: Callable[[list[str]], "np.ndarray"] | None = None,
    prompts: Mapping[str, str] | None = None,
) -> list[SentenceTask]:
    """A `SentenceTask` of each kind of files.

    Args:
        files: {kind: paths}; the kinds are the class methods of `SentenceTask` except for "answers". Of "teacher" two
            paths, of the texts and of the vectors, and of "teacher2", "teacher3" and so on likewise.
        objectives: {kind: layer of `keras_transformer.training.objectives`}, instead of the default ones.
        weights: {kind: how often its batches come}; 1 where there is none.
        batch_size: rows of a batch.
        ranking_batch_size: the same of the kinds in `RANKING`; by default `batch_size`.
        no_duplicates: of the kinds in `RANKING`: no text stands in two rows of a batch.
        guide: a function from texts to vectors, which goes to the kinds in `GUIDED`; their objective is by default a
            `GuidedRanking` then.
        prompts: {role: text}: in the kinds in `WITH_ROLES` the first text of a row has that of "query" in front, the
            others that of "document", "passage" or "corpus".

    Raises:
        ValueError: for an unknown kind, for objectives and weights of others than `files`; with file and line, for bad
            rows.
    """
    from keras_transformer.pipelines.embedding import DOCUMENT, QUERY, first_of

    objectives, weights = objectives or {}, weights or {}
    for argument, given in (("objectives", objectives), ("weights", weights)):
        if unknown := sorted(set(given) - set(files)):
            raise ValueError(f"Expected {argument} of {', '.join(files)}. Received: {', '.join(unknown)}")
    tasks = []
    for name, paths in files.items():
        kind = name.rstrip("0123456789")
        if kind not in KINDS:
            raise ValueError(f"Expected tasks of {', '.join(KINDS)}. Received: {name!r}")
        rows = (ranking_batch_size or batch_size) if kind in RANKING else batch_size
        options = {"objective": objectives.get(name), "weight": weights.get(name, 1.0), "batch_size": rows}
        if kind in RANKING:
            options["no_duplicates"] = no_duplicates
        if prompts and kind in WITH_ROLES:
            options["prompts"] = [prompts.get(first_of(prompts, roles), "") for roles in (QUERY, DOCUMENT)]
        if guide is not None and kind in GUIDED:
            options.update(guide=guide, objective=objectives.get(name) or GuidedRanking())
        tasks.append(getattr(SentenceTask, kind)(*(paths if kind == "teacher" else [paths]), **options))
        tasks[-1].name = name
    return tasks


def _scored_pairs(paths):
    """(scores, sentences, sentences)."""
    from keras_transformer.data.lines import as_paths
    from keras_transformer.data.tab_separated import read_rows

    columns = ("score", "sentence1", "sentence2")
    return tuple(zip(*(row for path in as_paths(paths) for row in read_rows(path, columns, numbers={"score": (0, 5)}))))
