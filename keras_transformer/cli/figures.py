"""What commands that measure print and write."""

import json
import math
from typing import TYPE_CHECKING, Any

from keras_transformer.atomic import replacing

if TYPE_CHECKING:
    from keras_transformer.evaluation import Estimate, RetrievalScores


def print_retrieval(path: str, scores: "RetrievalScores") -> None:
    """Prints how well the answers in a file were found."""
    counts = f"{scores.num_pairs:,} pairs, {scores.num_queries:,} queries, {scores.num_answers:,} answers"
    print(f"Retrieval, {path}: {counts}")
    named = {"P@1": scores.precision_at_1, "MRR": scores.mean_reciprocal_rank}
    named.update({"MAP": scores.mean_average_precision, "nDCG@10": scores.ndcg_at_10})
    named.update((f"recall@{k}", value) for k, value in scores.recall.items())
    for name, value in named.items():
        print(f"  {name:<17}{value:8.4f}", flush=True)


def print_estimate(estimate: "Estimate") -> None:
    """Prints a figure and its confidence interval."""
    from keras_transformer.evaluation.rounding import rounded

    value, low, high = (rounded(number, 4) for number in (estimate.value, *estimate.interval))
    print(f"  {estimate.name:<17}{value:8.4f}   95% interval {low:.4f} to {high:.4f}", flush=True)


def write_json(path: str, figures: dict[str, Any]) -> None:
    """Writes figures as JSON, whole or not at all; NaN, which JSON has not, as null."""
    # Names of files that are not UTF-8 are escaped, as JSON has it.
    options = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
    with replacing(path) as unfinished, open(unfinished, "w", **options) as file:
        file.write(json.dumps(_without_nan(figures), indent=2, ensure_ascii=False) + "\n")


def _without_nan(figures):
    if isinstance(figures, dict):
        return {name: _without_nan(value) for name, value in figures.items()}
    if isinstance(figures, (list, tuple)):
        return [_without_nan(value) for value in figures]
    return None if isinstance(figures, float) and math.isnan(figures) else figures
