"""The process of one subject: `python -m benchmarks.worker MODULE SUBJECT FOLDER WARM_UPS`.

Reads lines "run" and "finish" from standard input; replies to each with a line of JSON.
"""

import importlib
import json
import os
import pathlib
import resource
import sys
import time
from collections.abc import Callable
from typing import Any


def main(module: str, name: str, folder: str, warm_ups: str) -> None:
    # oneDNN is faster on every x86 processor; by default TensorFlow uses it only on those with VNNI.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Whatever libraries print goes to standard error, so that standard output has replies only.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    inputs = pathlib.Path(folder)

    def reply(**message: object) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    begin = time.perf_counter()
    run = importlib.import_module(module).benchmark.subjects[name](inputs)
    set_up = time.perf_counter() - begin
    first, output = _timed(run)
    for _ in range(int(warm_ups) - 1):
        run()
    reply(set_up_seconds=set_up, first_run_seconds=first)
    for line in sys.stdin:
        if line.strip() == "finish":
            break
        seconds, output = _timed(run)
        reply(seconds=seconds)
    device, peak_bytes = _accelerator() or ("cpu", _peak())
    reply(outputs=_save(output, inputs / f"{name}.npy"), peak_bytes=peak_bytes, device=device)


def _timed(run: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    output = run()
    return time.perf_counter() - begin, output


def _accelerator() -> tuple[str, int] | None:
    """Returns the name and peak memory in bytes of the accelerator that JAX or torch used, or `None`."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch and torch.cuda.is_initialized():
        return torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()
    if jax and os.environ.get("KERAS_BACKEND") == "jax" and jax.default_backend() != "cpu":
        device = jax.local_devices()[0]
        return device.device_kind, (device.memory_stats() or {}).get("peak_bytes_in_use", 0)
    return None


def _peak() -> int:
    """Returns the peak memory of this process in bytes."""
    try:  # Linux, where getrusage counts the memory of the parent process too
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _save(output: Any, path: pathlib.Path) -> str | None:
    import numpy as np

    if output is None:
        return None
    np.save(path, np.asarray(output, "float32"))
    return path.name


if __name__ == "__main__":
    main(*sys.argv[1:])
