"""Keeps TensorFlow's start-up banner off the terminal."""

import contextlib
import os
import sys
import tempfile

# What TensorFlow 2.21 writes while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says.
_BANNER = ("I0000 ", "WARNING: All log messages before absl", "To enable the following instr")


@contextlib.contextmanager
def without_banner():
    """Holds back standard error during an import and passes on all of it but informational start-up lines.

    The lines come from C++, before Python could turn them off. With TF_CPP_MIN_LOG_LEVEL=0 nothing is held back.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0" or "tensorflow" in sys.modules:
        yield
        return
    try:
        original = os.dup(2)
    except OSError:  # no standard error at all
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr and sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            kept = [line for line in held if not line.startswith(tuple(map(str.encode, _BANNER)))]
            if kept:
                os.write(2, b"".join(kept))
