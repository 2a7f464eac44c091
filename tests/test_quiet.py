"""What is left out of standard error, and what never is."""

import logging
import os
import signal
import subprocess
import sys
import warnings

import pytest

from keras_transformer import quiet

NOISE = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
INFO: Created TensorFlow Lite XNNPACK delegate for CPU.
W0000 00:00:1796077522.010733   32398 tf_tfl_flatbuffer_helpers.cc:364] Ignored output_format.
I0000 00:00:1795799013.259664   14208 port.cc:153] oneDNN custom operations are on.
To enable the following instructions: AVX2, in other operations, rebuild TensorFlow.
E0000 00:00:1795798258.870321    7783 util.cc:131] oneDNN supports DT_INT32 only on platforms with AVX-512. Falling back
W0000 00:00:1795802343.558926    2614 local_rendezvous.cc:412] Local rendezvous is aborting with status: OUT_OF_RANGE
I0000 00:00:1795798310.657471    8272 service.cc:153] XLA service 0x7f9c initialized for platform Host. Devices:
"""
NO_GPU = b"E0000 00:00:1795798166.071465    7322 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error\n"
SAID = b"""\
E0000 00:00:1795798166.071465    7322 cuda_dnn.cc:52] Could not create cudnn handle
W0000 00:00:1795798166.071465    7322 gpu_device.cc:52] Cannot dlopen some GPU libraries.
F0000 00:00:1795798166.071465    7322 tensor.cc:52] Check failed: dtype() == expected_dtype (1 vs. 3)
Traceback (most recent call last):
IndexError: WARNING: a message of one's own
\r 1/20 loss: 1.5\r 2/20 loss: 1.4
Epoch 2"""

# The package is not run, and Keras not imported.
IN_A_PROCESS = """
import os, sys, keras_transformer_command
keras_transformer_command._make("keras_transformer")
from keras_transformer import quiet
quiet.filter_standard_error()
os.write(2, {first!r})
{then}
"""


@pytest.fixture
def passed_on():
    """A function that gives what comes of pieces written one after the other, and what has come before the end."""

    def pass_on(*pieces):
        read, written = os.pipe()
        with open(read, "rb", 0) as source, open(os.memfd_create("target"), "r+b") as target:
            for piece in pieces:
                os.write(written, piece)
            os.close(written)
            quiet.pass_on(source.fileno(), target.fileno())
            target.seek(0)
            return target.read()

    return pass_on


def test_only_noise_is_left_out(passed_on, monkeypatch):
    monkeypatch.setattr(quiet, "_NVIDIA", ())
    assert passed_on(NOISE + SAID + b"\n" + NO_GPU + NOISE) == SAID + b"\n"
    assert passed_on(NOISE, SAID) == SAID
    assert passed_on(*(bytes([byte]) for byte in NOISE + SAID)) == SAID  # in whatever pieces it comes
    assert passed_on(b"Epoch", b" 1 ") == b"Epoch 1 " and passed_on() == b""


def test_a_driver_that_fails_is_an_error(passed_on, monkeypatch, tmp_path):
    monkeypatch.setattr(quiet, "_NVIDIA", (f"{tmp_path}*",))
    assert passed_on(NO_GPU) == NO_GPU


@pytest.mark.parametrize(
    "then, status, last",
    [
        ("", 0, b""),
        ("1 / 0", 1, b"ZeroDivisionError: division by zero\n"),
        ("print('x' * 9, end='', file=sys.stderr); sys.exit(3)", 3, b"xxxxxxxxx"),
        ("os.abort()", -signal.SIGABRT, b""),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, b""),
        ("assert os.system('echo from another process >&2') == 0", 0, b"from another process\n"),
        ("quiet.restore_standard_error(); os.write(2, b'I0000 00:00:1 later')", 0, b"I0000 00:00:1 later"),
        ("os.fork = None; quiet.filter_standard_error()", 0, b""),  # there is one
        (
            "quiet.restore_standard_error(); sys.modules['tensorflow'] = os.fork = None; quiet.filter_standard_error()",
            0,
            b"",
        ),
        (
            "with quiet.without_banner(): os.write(2, b'F0000 00:00:1 in an import\\n'); os.abort()",
            -signal.SIGABRT,
            b"F0000 00:00:1 in an import\n",
        ),
    ],
)
def test_what_a_process_says_survives_it(then, status, last):
    said = SAID + b"\n"
    script = IN_A_PROCESS.format(first=NOISE + said, then=then)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=60)
    # The two ways do not wait for each other.
    assert done.returncode == status and said in done.stderr and last in done.stderr
    assert NOISE[:50] not in done.stderr and b"oneDNN" not in done.stderr


def test_all_is_shown_on_request():
    script = IN_A_PROCESS.format(first=NOISE, then="")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, env=environment)
    assert done.stderr == NOISE


def test_a_log_is_hidden_for_a_while(caplog):
    log = logging.getLogger("of_a_converter")
    with pytest.warns(UserWarning, match="^after$") as told:
        with quiet.without_log("of_a_converter"):
            log.error("inside")
            warnings.warn("inside", stacklevel=1)
        log.error("after")
        warnings.warn("after", stacklevel=1)
    assert caplog.messages == ["after"] and len(told) == 1
