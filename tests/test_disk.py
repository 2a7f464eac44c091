import errno
import os

import pytest

from keras_transformer.disk import error_of_text, naming


def test_errors_of_a_full_disk_get_a_name(tmp_path):
    message = r"\[Errno 28\] No space left on device: '.*model'"
    with pytest.raises(OSError, match=message) as caught, naming(tmp_path / "model"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "model") and caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "another"),  # has a name
        BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)),  # is of no disk
        ValueError("one"),
    ],
)
def test_other_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as caught, naming("model"):
        raise error
    assert caught.value is error


def test_errors_of_which_there_is_a_text_alone():
    error = error_of_text("/models/1/variables/variables.index; Permission denied", "model")
    assert isinstance(error, PermissionError) and str(error) == "[Errno 13] Permission denied: 'model'"
    error = error_of_text("disk on fire", "model")
    assert str(error) == "Expected to write model. Received: disk on fire" and error.errno is None
