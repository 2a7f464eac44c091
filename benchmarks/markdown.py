"""Writes a folder of results as Markdown: the targets, and a section for each benchmark except `cost_per_token`.

`python -m benchmarks.markdown [FOLDER]`
"""

import argparse
import json
import pathlib
import statistics
from collections.abc import Sequence

from benchmarks.__main__ import BENCHMARKS
from benchmarks.report import Result, ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    folder = parser.parse_args().folder
    results = []
    for name in BENCHMARKS:
        path = folder / f"{name}.json"
        written = json.loads(path.read_text()) if path.exists() else {}
        results += written["results"].values() if "results" in written else [written]
    results = [result for result in results if "subjects" in result]
    if not results:
        parser.error(f"expected a folder of results; received {folder}")
    print("\n".join([*targets_table(results), "", *(line for result in results for line in section(result))]))


def targets_table(results: Sequence[Result]) -> list[str]:
    """Returns lines: a row for each target, bold where it was met."""
    lines = ["| benchmark | ours against | target | result |", "|---|---|---|---|"]
    for result in results:
        for target in result["targets"]:
            who = target["subject"].removeprefix("keras_transformer").strip()
            who = f"{who}, against {target['peer']}" if who else target["peer"]
            memory = " (memory)" if target["of"] == "memory" else ""
            shown = ratio(target)
            shown = f"**{shown}**" if target["met"] else shown
            lines.append(f"| {result['title']} | {who}{memory} | {target['ratio']:g} | {shown} |")
    return lines


def section(result: Result) -> list[str]:
    """Returns lines: every subject's times, rate and memory, and every target."""
    lines = [
        f"### {result['title']}",
        "",
        f"`make bench QUESTIONS={result['name']}`",
        "",
        f"| | milliseconds, median (smallest to largest) | {result['unit']} a second | peak memory |",
        "|---|---|---|---|",
    ]
    for name, subject in result["subjects"].items():
        times = [1e3 * seconds for seconds in subject["seconds"]]
        median, least, most = (_number(x) for x in (statistics.median(times), min(times), max(times)))
        rate = _number(1e3 * result["amount"] / statistics.median(times))
        lines.append(f"| {name} | {median} ({least} to {most}) | {rate} | {subject['peak_bytes'] / 2**30:.2f} GiB |")
    lines += [f"| {name} | failed: {why.strip().splitlines()[-1]} | | |" for name, why in result["failures"].items()]
    lines.append("")
    for target in result["targets"]:
        memory = " in memory" if target["of"] == "memory" else ""
        lines.append(
            f"- {target['subject']} against {target['peer']}{memory}: {ratio(target)}, target {target['ratio']:g}"
        )
    return [*lines, ""]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
