"""What came out of a contest: the machine, the table, the aims in words, JSON and a plot."""

import json
import os
import pathlib
import platform
import statistics


def machine():
    """What the figures depend on."""
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


def table(result):
    """The result as lines of text."""
    machine = result["machine"]
    lines = [
        result["title"],
        f"  {machine['processor']}, {machine['cores']} cores, {' '.join(machine['instructions'])}",
    ]
    width = max(map(len, [*result["entrants"], *result["failures"], ""]))
    for name, entrant in result["entrants"].items():
        times = entrant["seconds"]
        median = statistics.median(times)
        shown = f"{_milliseconds(median)} ms ({_milliseconds(min(times))} to {_milliseconds(max(times))})"
        rate = f"{result['amount'] / median:,.4g} {result['unit']}/s"
        lines.append(f"  {name:<{width}}  {shown:<34} {rate:<26} {entrant['peak_bytes'] / 2**30:.2f} GiB")
    for name, why in result["failures"].items():
        lines.append(f"  {name:<{width}}  failed: {why.strip().splitlines()[-1]}")
    for name, difference in result["disagreements"].items():
        lines.append(f"  {name}: OUTPUTS DIFFER by {difference:.2g}")
    for aim in result["aims"]:
        lines.append("  " + sentence(aim))
    return "\n".join(lines)


def sentence(aim):
    """An aim with its verdict, in words."""
    of = " in peak memory" if aim["of"] == "memory" else ""
    goal = f"{aim['entrant']} against {aim['peer']}{of}, aim {aim['ratio']:g}x"
    return f"{goal}: {ratio(aim)}" + ("" if aim["median"] is None else f", {'met' if aim['met'] else 'NOT MET'}")


def ratio(aim):
    """What an aim came to: the median, with the smallest and the largest."""
    if aim["median"] is None:
        return "not run"
    spread = "" if aim["min"] == aim["max"] else f" ({aim['min']:.2f} to {aim['max']:.2f})"
    return f"{aim['median']:.2f}{spread}"


def write(result, folder):
    """Writes FOLDER/NAME.json and FOLDER/NAME.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result['name']}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(path)
    _plot(result, folder / f"{result['name']}.svg")


def _plot(result, path):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    names = list(result["entrants"])[::-1]
    if not names:
        return
    times = [result["entrants"][name]["seconds"] for name in names]
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


def _milliseconds(seconds):
    return f"{1e3 * seconds:.3g}" if seconds < 1 else f"{1e3 * seconds:,.0f}"


def _lines(path):
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []


def _versions():
    from importlib import metadata

    packages = "tensorflow keras keras-hub torch sentence-transformers transformers onnxruntime ctranslate2 jax"
    for name in packages.split():
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            yield name, None
