"""The report of a benchmark: the machine, a table, the targets in words, JSON and a plot."""

import json
import os
import pathlib
import platform
import statistics
from collections.abc import Iterator
from typing import Any, TypeAlias

Result: TypeAlias = dict[str, Any]  # what JSON can hold


def machine() -> Result:
    """Returns what the figures depend on: processor, cores, instructions and versions."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    flags = next((line for line in _lines("/proc/cpuinfo") if line.startswith("flags")), "").split()
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "instructions": [
            flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16") if flag in flags
        ],
        "python": platform.python_version(),
        "versions": {name: version for name, version in _versions() if version},
    }


def table(result: Result) -> str:
    """Returns the result as lines of text."""
    machine = result["machine"]
    lines = [
        result["title"],
        f"  {machine['processor']}, {machine['cores']} cores, {' '.join(machine['instructions'])}",
    ]
    width = max(map(len, [*result["subjects"], *result["failures"], ""]))
    for name, subject in result["subjects"].items():
        times = subject["seconds"]
        median = statistics.median(times)
        shown = f"{_milliseconds(median)} ms ({_milliseconds(min(times))} to {_milliseconds(max(times))})"
        rate = f"{result['amount'] / median:,.4g} {result['unit']}/s"
        lines.append(f"  {name:<{width}}  {shown:<34} {rate:<26} {subject['peak_bytes'] / 2**30:.2f} GiB")
    for name, why in result["failures"].items():
        lines.append(f"  {name:<{width}}  failed: {why.strip().splitlines()[-1]}")
    for name, difference in result["disagreements"].items():
        lines.append(f"  {name}: OUTPUTS DIFFER by {difference:.2g}")
    for target in result["targets"]:
        lines.append("  " + sentence(target))
    return "\n".join(lines)


def sentence(target: Result) -> str:
    """Returns a target and whether it was met, in words."""
    of = " in peak memory" if target["of"] == "memory" else ""
    goal = f"{target['subject']} against {target['peer']}{of}, target {target['ratio']:g}x"
    return f"{goal}: {ratio(target)}" + (
        "" if target["median"] is None else f", {'met' if target['met'] else 'NOT MET'}"
    )


def ratio(target: Result) -> str:
    """Returns the ratio that was measured: the median, with the smallest and the largest."""
    if target["median"] is None:
        return "not run"
    spread = "" if target["min"] == target["max"] else f" ({target['min']:.2f} to {target['max']:.2f})"
    return f"{target['median']:.2f}{spread}"


def write(result: Result, folder: pathlib.Path) -> None:
    """Writes FOLDER/NAME.json and FOLDER/NAME.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['name']}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(path)
    _plot(result, folder / f"{result['name']}.svg")


def _plot(result: Result, path: pathlib.Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    names = list(result["subjects"])[::-1]
    if not names:
        return
    times = [result["subjects"][name]["seconds"] for name in names]
    medians = [statistics.median(t) * 1e3 for t in times]
    errors = [[m - min(t) * 1e3 for m, t in zip(medians, times)], [max(t) * 1e3 - m for m, t in zip(medians, times)]]
    figure, axes = plt.subplots(figsize=(7, 1 + 0.4 * len(names)), layout="constrained")
    axes.barh(
        names,
        medians,
        xerr=errors,
        color=["tab:orange" if "keras_transformer" in name else "tab:gray" for name in names],
    )
    axes.set_xlabel("milliseconds, median with smallest and largest")
    axes.set_title(result["title"], fontsize=9)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


def _lines(path: str) -> list[str]:
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []


def _versions() -> Iterator[tuple[str, str | None]]:
    from importlib import metadata

    packages = "tensorflow keras keras-hub torch sentence-transformers transformers onnxruntime ctranslate2 jax"
    for name in packages.split():
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, None
