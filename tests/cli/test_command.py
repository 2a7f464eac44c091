"""The command in a fresh process, as far as it goes without Keras."""

import os
import subprocess
import sys
import zipfile

import pytest

import keras_transformer

# What the installed command runs, and what Keras and TensorFlow it has imported at the end.
SCRIPT = """
import sys, keras_transformer_command
try:
    status = keras_transformer_command.main()
except SystemExit as exit_:
    status = exit_.code
heavy = {"keras", "tensorflow", "numpy"} & set(sys.modules)
assert not heavy, heavy
sys.exit(status)
"""
# The same with a translator that needs no model.
TALKATIVE = """
import sys, keras_transformer_command as command
command._run = lambda packages: None
for name in command._PACKAGES:
    command._make(name)
from keras_transformer.cli import translate
translate.run = lambda args: [print("translation") for _ in range(100_000)]
sys.exit(command.main())
"""
# `python -m keras_transformer`, as far as it goes before Keras.
FILTERED = """
import os, sys, keras_transformer_command as command
def run(packages):
    from keras_transformer import quiet
    assert quiet._is_filtered
    os.fork = None
    quiet.filter_standard_error()  # as `main` does later
    os.write(2, b"I0000 00:00:1 port.cc: said in the import\\n")
    sys.stderr.write("kept\\n")
command._run = run
command.check_arguments()
"""
FULL = "keras-transformer: [Errno 28] No space left on device: 'standard output'\n"
COMMANDS = {
    "installed": ["-c", SCRIPT],
    "module": ["-m", "keras_transformer"],
    "with options": ["-u", "-X", "utf8", "-m", "keras_transformer"],
}


def run(*arguments, command="installed", **kwargs):
    whole = [sys.executable, *COMMANDS[command], *map(str, arguments)]
    return subprocess.run(whole, capture_output=True, text=True, check=False, **kwargs)


def run_in_shell(line, cwd):
    """Runs a line of a shell, whose $K is the command, and $T the one that talks without a model."""
    environment = {**os.environ, "SCRIPT": SCRIPT, "TALKATIVE": TALKATIVE, "PYTHON": sys.executable}
    line = line.replace("$K", '"$PYTHON" -c "$SCRIPT"').replace("$T", '"$PYTHON" -c "$TALKATIVE"')
    return subprocess.run(line, shell=True, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path):
    """The folder of what looks like a SavedModel from outside."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"")
    return tmp_path / "model"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "arguments, status, shown",
    [
        (["--version"], 0, f"keras-transformer {keras_transformer.__version__}\n"),
        (["--help"], 0, "usage: keras-transformer [-h] [--version] COMMAND"),
        (["train", "translator", "--help"], 0, "(default recipe: 8000)"),
        (["evaluate", "embedder", "--help"], 0, "Intervals are 95% bootstrap"),
        (["transalte", "x"], 2, "invalid choice: 'transalte'"),
        (["embed", "nowhere"], 1, "keras-transformer: Expected a text file. Received: nowhere, which does not exist\n"),
    ],
)
def test_answers_without_keras(command, arguments, status, shown):
    done = run(*arguments, command=command)
    assert done.returncode == status and shown in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            "translate --model nowhere x",
            "Expected a translator: a .keras file or a SavedModel. Received: nowhere",
        ),
        ("translate --model model --beam 2 x", "for --beam: the search of a SavedModel is fixed. Received: model"),
        ("translate --model model --batch-size 0 x", "Received: --batch-size=0"),
        ("embed --model model --output v.txt in.txt", "ends in .npy or .jsonl. Received: v.txt"),
        ("embed --model model --output model/saved_model.pb in.txt", "ends in .npy or .jsonl"),
        ("evaluate embedder --model model", "Expected at least one of --similarity"),
        ("evaluate translator --hypotheses in.txt --reference in.txt --json in.txt", "Received: in.txt"),
        ("train translator --source in.txt --target in.txt --out o --epochs 0", "Received: epochs=0"),
        ("train embedder --ranking nowhere --out o", "Expected a text file. Received: nowhere"),
        ("train question-answerer --answers nowhere --out o", "Expected a text file. Received: nowhere"),
        (
            "evaluate question-answerer --model nowhere --answers in.txt",
            "Expected a question answerer: a .keras file or a SavedModel. Received: nowhere",
        ),
        ("convert model --out o.keras --export=", "Expected the name of a folder for --export. Received: ''"),
        ("convert nowhere --out o.keras", "Expected the folder of a checkpoint. Received: nowhere"),
        ("convert model --out o.keras --export o.keras", "Expected different paths for --out and --export"),
        ("export --model nowhere --out o", "Expected a .keras file with a translator, an embedder, a question"),
        ("export --model m --out o --dtype int8", "Expected --frozen with --dtype int8. Received no --frozen"),
        ("export --model m --out o --dtype bfloat16", "Expected --frozen with --dtype bfloat16. Received no --frozen"),
        (
            "export --model m --out o --frozen --dtype bfloat16 --calibrate in.txt",
            "Expected --dtype int8 with --calibrate. Received: bfloat16",
        ),
        ("export --model m --out o --calibrate in.txt", "Expected --dtype int8 with --calibrate. Received: no --dtype"),
        ("export --model whole.keras --out in.txt", "Expected --out not to exist. Received: in.txt"),
        ("export --model whole.keras --out=", "Expected the name of a folder for --out. Received: ''"),
        ("export --model whole.keras --out in.txt --next-version", "Expected a folder for --out. Received: in.txt"),
        ("export --model in.txt --out o", "Received in.txt: it is truncated, or something else"),
        (
            "evaluate translator --model model --source in.txt --reference in.txt --output o --json o",
            "Expected different paths for --output and --json. Received: o",
        ),
        ("attention --model model --output a.gif x", "ends in .png, .svg or .pdf. Received: a.gif"),
        ("attention --model model --output in.png x", "Expected --output not to exist, or --overwrite. Received: in.p"),
        (
            "attention --model model --head 1 --layer all x",
            "Expected a .keras file for --layer and --head: a SavedModel has the mean of the last layer's heads. Rec",
        ),
        ("demo --pairs 0", "Received: --pairs=0"),
        ("demo --out in.txt", "Expected a folder for --out. Received: in.txt"),
    ],
)
def test_wrong_arguments_are_refused_without_keras(arguments, message, model, tmp_path):
    for name in ("in.txt", "in.png"):
        (tmp_path / name).write_text("dog\n")
    zipfile.ZipFile(tmp_path / "whole.keras", "w").close()
    before = sorted(tmp_path.rglob("*"))
    done = run(*arguments.split(), cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("keras-transformer: ") and message in done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "line, message",
    [
        ("$K translate --model model <&-", "Expected TEXTs, --input or standard input. Received: standard input is cl"),
        ("$K embed --model model <&-", "Expected FILEs or standard input. Received: standard input is closed"),
        ("$K translate --model model x >&-", "Expected --output or standard output. Received: standard output is cl"),
        ("$K embed --model model in.txt >&-", "Expected --output or standard output"),
        ("$K translate --model model --input in.txt >> in.txt", "standard output, which is in.txt"),
        ("$K embed --model model --output in.npy --overwrite < in.npy", "in.npy, which is standard input"),
        (
            "$K translate --model model $(printf 'caf\\351')",
            "TEXT 1: expected UTF-8. Received: byte 0xe9 at character 4",
        ),
        ("$K translate --model model --input $(printf 'caf\\351')", "Expected a text file. Received: caf\\udce9"),
        ("$K translate --model nowhere x 2>&-", ""),
    ],
)
def test_standard_streams_that_are_closed_or_mixed_up(line, message, model, tmp_path):
    for name in ("in.txt", "in.npy"):
        (tmp_path / name).write_text("dog\n")
    done = run_in_shell(line, tmp_path)
    assert done.returncode != 0 and message in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "" and (tmp_path / "in.txt").read_text() == (tmp_path / "in.npy").read_text() == "dog\n"


@pytest.mark.parametrize(
    "line, status, message",
    [
        ("($T translate --model model x; echo $? >&2) | head -n 1", "0", ""),
        ("($T translate --model model x; echo $? >&2) > /dev/full", "1", FULL),
    ],
)
def test_standard_output_that_takes_no_more(line, status, message, model, tmp_path):
    done = run_in_shell(line, tmp_path)
    assert done.stderr == f"{message}{status}\n" and done.stdout in ("", "translation\n")


def test_standard_error_is_filtered_before_keras(model, tmp_path):
    whole = [sys.executable, "-c", FILTERED, "translate", "--model", "model", "x"]
    done = subprocess.run(whole, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == b"kept\n"


def test_unbuffered_output_comes_line_by_line():
    script = """
import os, keras_transformer_command as command
command._make("keras_transformer")
from keras_transformer.cli import standard_streams
standard_streams.prepare()
standard_streams.prepare()  # as `python -m` does
print("said")
os._exit(0)
"""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, env=environment)
    assert done.stdout == b"said\n"
