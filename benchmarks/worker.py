"""The process of one entrant: `python -m benchmarks.worker MODULE ENTRANT FOLDER WARM_UPS`.

Reads "run" and "finish" from standard input, a line each, and answers with a line of JSON.
"""

import importlib
import json
import os
import pathlib
import resource
import sys
import time


def main(module, name, folder, warm_ups):
    # TensorFlow multiplies matrices by oneDNN, faster everywhere, but turns it on by itself only where there is VNNI.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    folder = pathlib.Path(folder)

    def answer(**message):
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    begin = time.perf_counter()
    run = importlib.import_module(module).contest.entrants[name](folder)
    set_up = time.perf_counter() - begin
    first, output = _timed(run)
    for _ in range(int(warm_ups) - 1):
        run()
    answer(set_up_seconds=set_up, first_run_seconds=first)
    for line in sys.stdin:
        if line.strip() == "finish":
            break
        seconds, output = _timed(run)
        answer(seconds=seconds)
    device, peak_bytes = _accelerator() or ("cpu", _peak())
    answer(outputs=_save(output, folder / f"{name}.npy"), peak_bytes=peak_bytes, device=device)


def _timed(run):
    begin = time.perf_counter()
    output = run()
    return time.perf_counter() - begin, output


def _accelerator():
    """Where JAX or torch computed on one: its name, and the most of its memory that was in use at a time, in bytes."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch and torch.cuda.is_initialized():
        return torch.cuda.get_device_name(), torch.cuda.max_memory_allocated()
    if jax and os.environ.get("KERAS_BACKEND") == "jax" and jax.default_backend() != "cpu":
        device = jax.local_devices()[0]
        return device.device_kind, (device.memory_stats() or {}).get("peak_bytes_in_use", 0)
    return None


def _peak():
    """The most memory that this process had at a time, in bytes."""
    try:  # Linux; what getrusage says is never below the memory of the process that started this one.
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _save(output, path):
    import numpy as np

    if output is None:
        return None
    np.save(path, np.asarray(output, "float32"))
    return path.name


if __name__ == "__main__":
    main(*sys.argv[1:])
