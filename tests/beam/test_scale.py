# ruff: noqa: E402
"""100,000 lines by two worker processes, of which one is killed."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

beam = pytest.importorskip("apache_beam")

import pyarrow.parquet
from apache_beam.runners.portability import fn_api_runner
from apache_beam.testing.util import assert_that, equal_to

from keras_transformer import TextEmbedder
from keras_transformer.beam import EmbedText
from keras_transformer.models import DeepAveragingNetwork
from keras_transformer.text import ByteTokenizer

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "beam" / "embed_texts.py"
TWO_WORKERS = ["--runner", "FnApiRunner", "--direct_running_mode", "multi_processing", "--direct_num_workers", "2"]
COUNT = 100_000


@pytest.fixture(scope="module")
def small_embedder():
    tokenizer = ByteTokenizer()
    encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, hidden_dim=8, output_dim=6, num_layers=1)
    return TextEmbedder(encoder, tokenizer)


@pytest.fixture(scope="module")
def model(small_embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "1"
    small_embedder.export(path, warmup_texts=())
    return path


def text_of(number):
    return f"line {number} of them all, {'x' * (number % 40)}"


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "texts.jsonl"
    path.write_text("".join(json.dumps({"id": number, "text": text_of(number)}) + "\n" for number in range(COUNT)))
    return path


def start(model, lines, output):
    command = [sys.executable, EXAMPLE, "--model", model, "--input", lines, "--id-field", "id", "--output", output]
    environment = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1"}
    # In a session of its own, with its workers.
    return subprocess.Popen(
        [*map(str, command), *TWO_WORKERS], env=environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )


def workers(session):
    """The ids of a job's worker processes."""
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            is_worker = b"sdk_worker_main" in (folder / "cmdline").read_bytes() and not (
                folder / "comm"
            ).read_text().startswith("sh")
            if is_worker and os.getsid(int(folder.name)) == session:
                yield int(folder.name)
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            continue


def until(is_so, process):
    while not (found := is_so()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    return found


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_where_a_worker_is_killed(model, lines, small_embedder, tmp_path):
    """The local runner does not try again: the job ends and leaves no file of results; the next one writes all."""
    output = tmp_path / "vectors"
    job = start(model, lines, output)
    until(lambda: list(tmp_path.glob("beam-temp-*/*")), job)  # the first vectors are being written
    both = list(workers(job.pid))
    assert len(both) == 2
    os.kill(both[0], signal.SIGKILL)
    _, told = job.communicate()
    assert job.returncode != 0, told
    assert not list(tmp_path.glob("vectors*"))

    again = start(model, lines, output)
    _, told = again.communicate()
    assert again.returncode == 0, told
    rows = [row for path in tmp_path.glob("vectors-*.parquet") for row in pyarrow.parquet.read_table(path).to_pylist()]
    assert len(rows) == COUNT and {int(row["id"]) for row in rows} == set(range(COUNT))
    assert all(row["text"] == text_of(int(row["id"])) for row in rows)
    vectors = np.array([row["embedding"] for row in rows])
    np.testing.assert_allclose(vectors, small_embedder.embed([row["text"] for row in rows], 1024), atol=1e-4)


def test_a_bundle_that_is_done_again(model, small_embedder):
    """As a runner does with what a lost worker had: what the last try gives counts."""
    texts = [(number, text_of(number)) for number in range(300)]
    wanted = small_embedder.embed([text for _, text in texts])
    with beam.Pipeline(fn_api_runner.FnApiRunner(bundle_repeat=2)) as pipeline:
        results, dead_letters = pipeline | beam.Create([*texts, (300, 3)]) | EmbedText(model)
        rounded = results | beam.MapTuple(lambda key, result: (key, np.round(result.inference, 3).tolist()))
        assert_that(rounded, equal_to(list(enumerate(np.round(wanted, 3).tolist()))), "results")
        assert_that(dead_letters | beam.Map(lambda letter: letter.element), equal_to([(300, 3)]), "dead letters")
