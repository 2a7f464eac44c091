"""The figures in a folder of results as Markdown: the aims, and a section for each question but `cost_per_token`.

`python -m benchmarks.markdown [FOLDER]`
"""

import argparse
import json
import pathlib
import statistics

from benchmarks.__main__ import QUESTIONS
from benchmarks.report import ratio


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path("benchmark-results"))
    folder = parser.parse_args().folder
    results = []
    for name in QUESTIONS:
        path = folder / f"{name}.json"
        written = json.loads(path.read_text()) if path.exists() else {}
        results += written["results"].values() if "results" in written else [written]
    results = [result for result in results if "entrants" in result]
    if not results:
        parser.error(f"expected a folder of results; received {folder}")
    print("\n".join([*aims_table(results), "", *(line for result in results for line in section(result))]))


def aims_table(results):
    """Lines: a row for each aim, bold where it was reached."""
    lines = ["| question | ours against | aim | result |", "|---|---|---|---|"]
    for result in results:
        for aim in result["aims"]:
            who = aim["entrant"].removeprefix("keras_transformer").strip()
            who = f"{who}, against {aim['peer']}" if who else aim["peer"]
            memory = " (memory)" if aim["of"] == "memory" else ""
            shown = ratio(aim)
            shown = f"**{shown}**" if aim["met"] else shown
            lines.append(f"| {result['title']} | {who}{memory} | {aim['ratio']:g} | {shown} |")
    return lines


def section(result):
    """Lines: every entrant's times, rate and memory, and every aim."""
    lines = [
        f"### {result['title']}",
        "",
        f"`make bench QUESTIONS={result['name']}`",
        "",
        f"| | milliseconds, median (smallest to largest) | {result['unit']} a second | peak memory |",
        "|---|---|---|---|",
    ]
    for name, entrant in result["entrants"].items():
        times = [1e3 * seconds for seconds in entrant["seconds"]]
        median, least, most = (_number(x) for x in (statistics.median(times), min(times), max(times)))
        rate = _number(1e3 * result["amount"] / statistics.median(times))
        lines.append(f"| {name} | {median} ({least} to {most}) | {rate} | {entrant['peak_bytes'] / 2**30:.2f} GiB |")
    lines += [f"| {name} | failed: {why.strip().splitlines()[-1]} | | |" for name, why in result["failures"].items()]
    lines.append("")
    for aim in result["aims"]:
        memory = " in memory" if aim["of"] == "memory" else ""
        lines.append(f"- {aim['entrant']} against {aim['peer']}{memory}: {ratio(aim)}, aim {aim['ratio']:g}")
    return [*lines, ""]


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
