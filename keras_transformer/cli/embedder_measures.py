"""What `evaluate embedder` can measure: how each task's files are read, and which figures come of them."""

import argparse
import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_transformer.data.beir import beir_files
from keras_transformer.data.lines import as_paths
from keras_transformer.data.scored_pairs import scored_pair_files

if TYPE_CHECKING:  # the parser of the command line is made without NumPy
    from keras_transformer.evaluation.inputs import Embed
    from keras_transformer.evaluation.report import MeasuredTask


class Measure(NamedTuple):
    """A kind of task.

    Attributes:
        help: of its option.
        read: from the paths of a task, and the command's options, to what `measure` takes.
        measure: from these and `embed`, which takes roles of texts too, to the scores, a dictionary for JSON, and a
            `MeasuredTask` but for its files.
        metavar: of the paths of one task; `None` where each file is a task by itself.
        files: from the paths of a task to those of the files that are read.
    """

    help: str
    read: Callable[[list[str], argparse.Namespace], Any]
    measure: Callable[[Any, "Embed"], tuple[dict[str, Any], "MeasuredTask"]]
    metavar: str | None = None
    files: Callable[[list[str]], list[str]] = as_paths

    @property
    def one_file(self) -> bool:
        return self.metavar is None


def _read(path, *columns):
    """The columns of a file, a tuple each."""
    from keras_transformer.data import read_rows

    return list(zip(*read_rows(path, columns)))


def _scored(paths, args):
    from keras_transformer.data import read_scored_pairs

    return read_scored_pairs(*paths)


def _labelled(paths, args):
    return [_read(path, "label", "text") for path in paths]


def _beir(paths, args):
    from keras_transformer.data import read_beir

    return read_beir(*beir_files(paths)), args.ignore_identical_ids


def _by_role(embed):
    """`embed` of queries and of what they search: an embedder may have a prompt for each."""
    from keras_transformer.pipelines.embedding import DOCUMENT, QUERY

    return [functools.partial(embed, roles=roles) for roles in (QUERY, DOCUMENT)]


def _similarity(columns, embed):
    from keras_transformer.evaluation import Measured, MeasuredTask, score_similarity

    gold, first, second = columns
    scores = score_similarity(first, second, gold, embed)
    estimates = scores.cosine_pearson, scores.angular_pearson, scores.spearman
    task = MeasuredTask("Similarity", f"{scores.num_pairs:,} pairs", [Measured.of(estimate) for estimate in estimates])
    return dataclasses.asdict(scores), task


def _classification(files, embed):
    from keras_transformer.evaluation import Measured, MeasuredTask, cross_validate, train_and_test

    (labels, texts), *test = files
    notes = []
    if test:
        scores = train_and_test(texts, labels, test[0][1], test[0][0], embed)
        how = f"trained on {len(texts):,} others"
    else:
        scores = cross_validate(texts, labels, embed)
        how = f"{len(scores.fold_accuracies)} folds"
        notes.append(("of each fold", " ".join(f"{accuracy:.3f}" for accuracy in scores.fold_accuracies)))
    counts = f"{scores.num_texts:,} texts, {scores.num_labels} labels, {how}"
    return dataclasses.asdict(scores), MeasuredTask("Classification", counts, [Measured.of(scores.accuracy)], notes)


def _retrieval(columns, embed):
    from keras_transformer.evaluation import score_retrieval
    from keras_transformer.evaluation.report import retrieval_task

    of_queries, of_answers = _by_role(embed)
    scores = score_retrieval(*columns, of_queries, embed_answers=of_answers)
    return dataclasses.asdict(scores), retrieval_task(scores)


def _beir_retrieval(task_and_option, embed):
    from keras_transformer.evaluation import Measured, MeasuredTask, score_information_retrieval

    task, ignore_identical_ids = task_and_option
    scores = score_information_retrieval(*task, *_by_role(embed), ignore_identical_ids=ignore_identical_ids)
    counts = (
        f"{scores.num_queries:,} queries, {scores.num_documents:,} documents, {scores.num_relevant:,} relevant ones"
    )
    named = {"nDCG": scores.ndcg, "MRR": scores.mean_reciprocal_rank, "MAP": scores.mean_average_precision}
    named |= {"recall": scores.recall, "precision": scores.precision}
    figures = [Measured(f"{name}@{k}", value) for name, of in named.items() for k, value in of.items()]
    return dataclasses.asdict(scores), MeasuredTask("Retrieval", counts, figures)


def _clustering(files, embed):
    from keras_transformer.evaluation import Measured, MeasuredTask, score_clustering

    ((labels, texts),) = files
    scores = score_clustering(texts, labels, embed)
    figures = [Measured("V-measure", scores.v_measure), Measured("homogeneity", scores.homogeneity)]
    figures.append(Measured("completeness", scores.completeness))
    notes = [("V of each run", " ".join(f"{value:.3f}" for value in scores.run_v_measures))]
    counts = f"{scores.num_texts:,} texts, {scores.num_labels} labels, {len(scores.run_v_measures)} runs"
    return dataclasses.asdict(scores), MeasuredTask("Clustering", counts, figures, notes)


def _bitext(columns, embed):
    from keras_transformer.evaluation import Measured, MeasuredTask, score_bitext

    scores = score_bitext(*columns, embed)
    named = {"accuracy forward": scores.forward_accuracy, "accuracy back": scores.backward_accuracy}
    named |= {"margin forward": scores.margin_forward_accuracy, "margin back": scores.margin_backward_accuracy}
    named |= {"F1, mined": scores.f1, "precision": scores.precision, "recall": scores.recall}
    counts = f"{scores.num_pairs:,} pairs, {scores.num_sources:,} and {scores.num_targets:,} sentences"
    notes = [("margin above", f"{scores.threshold:.4f}")]
    return dataclasses.asdict(scores), MeasuredTask(
        "Bitext", counts, [Measured(*item) for item in named.items()], notes
    )


_POSITIVE = 4  # scores above are of sentences that say the same, as SimCSE has it


def _alignment(columns, embed):
    import numpy as np

    from keras_transformer.evaluation import Measured, MeasuredTask, score_alignment_uniformity

    gold, first, second = columns
    scores = score_alignment_uniformity(first, second, embed, np.array(gold) > _POSITIVE)
    figures = [Measured("alignment", scores.alignment), Measured("uniformity", scores.uniformity)]
    counts = f"{scores.num_pairs:,} pairs above {_POSITIVE}, {scores.num_texts:,} sentences"
    return dataclasses.asdict(scores), MeasuredTask("Alignment", counts, figures)


MEASURES = {
    "similarity": Measure(
        "semantic textual similarity; columns: score (0 to 5), sentence, sentence. Also the files of SICK, of the STS "
        "benchmark, and STS.input.NAME.txt with STS.gs.NAME.txt beside it, or a folder of these (STS12 to STS17)",
        _scored,
        _similarity,
        files=scored_pair_files,
    ),
    "classification": Measure(
        "logistic regression on the vectors; columns: label, text. One file for 10-fold cross-validation, or two, to "
        "train and to test; may be given again for other files",
        _labelled,
        _classification,
        metavar="FILE",
    ),
    "retrieval": Measure(
        "each query's right answers among the different answers of the file, by inner product; columns: query, answer; "
        "a query in several lines has several right answers",
        lambda paths, args: _read(*paths, "query", "answer"),
        _retrieval,
    ),
    "beir": Measure(
        "retrieval from a corpus by cosine, with graded judgements, as BEIR and MTEB measure it: a folder with "
        "queries.jsonl, corpus.jsonl and qrels/test.tsv, or these three files; may be given again for other tasks",
        _beir,
        _beir_retrieval,
        metavar="PATH",
        files=beir_files,
    ),
    "clustering": Measure(
        "V-measure of k-means with as many clusters as labels, as MTEB has it; columns: label, text",
        _labelled,
        _clustering,
    ),
    "bitext": Measure(
        "each sentence's translation among all sentences of the other language, by cosine and by margin; columns: "
        "sentence, translation; where one is empty, the other has none and may be mistaken for one",
        lambda paths, args: _read(*paths, "source", "target"),
        _bitext,
    ),
    "alignment": Measure(
        "alignment of the pairs with a score above 4, and uniformity of all sentences; files as for --similarity",
        _scored,
        _alignment,
        files=scored_pair_files,
    ),
}
