"""Hides TensorFlow's informational messages on standard error; errors and warnings pass.

The messages come from C++, where Python cannot turn them off. With TF_CPP_MIN_LOG_LEVEL=0 all of them are shown.
"""

import contextlib
import glob
import logging
import os
import re
import signal
import sys
import tempfile
import warnings
from collections.abc import Iterator

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Lines of TensorFlow 2.21 that are no use to a user: information, which it writes during its import at any level, false
# errors, and errors that Python raises too.
_NOISE = re.compile(
    rb"""I\d{4}\ \d\d:\d\d:
    |INFO:\ Created\ TensorFlow\ Lite\ XNNPACK\ delegate
    |W\d{4}\ .*tf_tfl_flatbuffer_helpers
    |WARNING:\ All\ log\ messages\ before\ absl
    |To\ enable\ the\ following\ instr
    |E\d{4}\ .*oneDNN\ supports\ DT_\w+\ only\ on\ platforms\ with
    |E\d{4}\ .*Unable\ to\ register\ cu\w+\ factory
    |W\d{4}\ .*computation\ placer\ already\ registered
    |[IW]\d{4}\ .*(OP_REQUIRES\ failed|Local\ rendezvous\ is\ aborting)""",
    re.VERBOSE,
)
_NO_DRIVER = re.compile(rb"E\d{4} .*failed call to cuInit")
_FIRST_BYTES = b"IWET"  # of these lines
_is_filtered = False  # by another process
_NVIDIA = ("/dev/nvidia*", "/dev/nvhost*", "/dev/nvmap", "/dev/dxg", "/proc/driver/nvidia")


@contextlib.contextmanager
def without_log(name: str) -> Iterator[None]:
    """Hides warnings, and what is not critical of Python's logger `name`: what a converter tells of its own work."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def without_banner() -> Iterator[None]:
    """Imports TensorFlow without its banner: standard error is held back meanwhile, and then passed on without noise.

    From then on, information is not logged. On a machine without any trace of a GPU TensorFlow looks for one here, so
    that it does not log an error later. If the import kills the process, its messages are lost, unless standard error
    is filtered by another process or TF_CPP_MIN_LOG_LEVEL=0 is set.
    """
    if _shows_all() or "tensorflow" in sys.modules:
        yield
        return
    with contextlib.nullcontext() if _is_filtered else _held_back(), _level("1"):
        yield
        _look_for_devices()


def filter_standard_error() -> None:
    """Sends what C++ code writes to standard error through another process, which leaves out the noise.

    It is another process so that the last words of a process that dies are shown too. Python's `sys.stderr` stays as it
    was: a terminal stays a terminal. For programs of our own. A second call does nothing, nor does one after the import
    of TensorFlow, whose threads no fork may follow.
    """
    global _is_filtered
    if _is_filtered or _shows_all() or not hasattr(os, "fork") or "tensorflow" in sys.modules:
        return
    original = os.dup(2)
    source, pipe = os.pipe()
    if not os.fork():
        _be_the_filter(source, original)
    os.close(source)
    os.dup2(pipe, 2)
    os.close(pipe)
    sys.stderr = os.fdopen(original, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    _is_filtered = True


def restore_standard_error() -> None:
    """Undoes `filter_standard_error`, for a program that starts again in this process."""
    global _is_filtered
    if not _is_filtered:
        return
    os.dup2(sys.stderr.fileno(), 2)
    _is_filtered = False


def _shows_all():
    return os.environ.get(_LEVEL) == "0"


def _is_noise(line):
    return bool(_NOISE.match(line)) or (bool(_NO_DRIVER.match(line)) and not _has_nvidia_driver())


def _has_nvidia_driver():
    return any(glob.glob(pattern) for pattern in _NVIDIA)


def _look_for_devices():
    """Makes TensorFlow look for a GPU where there is none. Where there may be one, the process may still fork first."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow and tensorflow.test.is_built_with_cuda() and not _has_nvidia_driver():
        tensorflow.config.list_physical_devices()


@contextlib.contextmanager
def _level(level):
    """Sets the log level, which TensorFlow reads once, unless the user has set it."""
    is_set = _LEVEL in os.environ
    os.environ.setdefault(_LEVEL, level)
    try:
        yield
    finally:
        if not is_set:
            del os.environ[_LEVEL]


@contextlib.contextmanager
def _held_back():
    """Holds back standard error, and writes it without noise at the end."""
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
            if kept := b"".join(line for line in held if not _is_noise(line)):
                os.write(2, kept)


def _be_the_filter(source, target):
    """What the other process does, until no process writes any more."""
    try:
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):  # they are meant for the other process
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        os.dup2(target, 2)
        os.dup2(source, 0)
        os.dup2(2, 1)  # a reader of standard output does not wait for this process
        os.closerange(3, 256)
        pass_on(0, 2)
    finally:
        os._exit(0)


def pass_on(source: int, target: int) -> None:
    """Copies lines from one file descriptor to another without noise; other lines appear as they are written."""
    held, is_passing = b"", False
    while data := os.read(source, 1 << 16):
        passed = b""
        for piece in re.findall(rb"[^\n]*\n|[^\n]+", data):
            held += piece
            is_whole = piece.endswith(b"\n")
            if is_passing or held[0] not in _FIRST_BYTES or (is_whole and not _is_noise(held)):
                passed += held
                held, is_passing = b"", True
            if is_whole:
                held, is_passing = b"", False
        _write(target, passed)
    _write(target, held)


def _write(target, data):
    """Writes all of it, or nothing if nobody reads."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(target, data) :]
