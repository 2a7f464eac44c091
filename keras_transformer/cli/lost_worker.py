"""What a worker does when another one of its training is lost."""

import os
import sys

from keras_transformer import quiet

# How often it begins again without a new checkpoint, and when the last one was written.
_RESTARTS = "KERAS_TRANSFORMER_RESTARTS"
_MOST_RESTARTS = 5


def begin_again(error: Exception, path: str) -> None:
    """Starts this process anew, to resume at the checkpoint in `path` when all workers are back."""
    written = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
    restarts, before = map(int, os.environ.get(_RESTARTS, "0 0").split())
    restarts = restarts + 1 if written == before else 1
    if restarts > _MOST_RESTARTS:
        raise OSError(f"Another worker was lost {restarts} times since the last checkpoint: {error}") from error
    print(f"Another worker was lost ({type(error).__name__}); resuming at the last checkpoint", file=sys.stderr)
    sys.stdout.flush()
    quiet.restore_standard_error()
    os.environ[_RESTARTS] = f"{restarts} {written}"
    os.execv(sys.executable, [sys.executable, "-m", "keras_transformer", *sys.argv[1:]])
