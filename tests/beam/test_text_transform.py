"""Thousands of lines, worker processes of their own."""
# ruff: noqa: E402

import json

import numpy as np
import pytest

beam = pytest.importorskip("apache_beam")

from apache_beam.options.pipeline_options import PipelineOptions

from keras_transformer.beam import EmbedText

TWO_WORKERS = ["--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]


def parsed(line):
    number, text = line.split("\t")
    return int(number), (None if text == "bad" else text)


def test_two_worker_processes_lose_and_double_nothing(exported_embedder, embedder, write_lines, tmp_path):
    texts = [f"{'a dog ' * (n % 7)}{n % 500}" for n in range(3000)]
    bad = {17, 2500}
    lines = [f"{n}\t{'bad' if n in bad else text}" for n, text in enumerate(texts)]
    with beam.Pipeline(options=PipelineOptions(TWO_WORKERS)) as pipeline:
        read = pipeline | beam.io.ReadFromText(write_lines("texts.tsv", lines)) | beam.Reshuffle()
        embedded = read | beam.Map(parsed) | EmbedText(exported_embedder, batch_size=8)
        rows = embedded.results | beam.MapTuple(
            lambda key, result: json.dumps([key, result.example, result.inference.tolist()])
        )
        rows | "Rows" >> beam.io.WriteToText(str(tmp_path / "rows"))
        letters = embedded.dead_letters | beam.Map(json.dumps)
        letters | "Letters" >> beam.io.WriteToText(str(tmp_path / "letters"))

    def written(name):
        return [json.loads(line) for path in sorted(tmp_path.glob(f"{name}-*")) for line in open(path)]

    rows = sorted(written("rows"))
    assert [row[0] for row in rows] == [n for n in range(3000) if n not in bad]
    assert [row[1] for row in rows] == [text for n, text in enumerate(texts) if n not in bad]
    np.testing.assert_allclose([row[2] for row in rows], embedder.embed([row[1] for row in rows]), atol=1e-5)
    reason = "Expected a string. Received: None"
    assert sorted(written("letters")) == [[[17, None], reason], [[2500, None], reason]]
    distributions = pipeline.result.metrics().query()["distributions"]
    (loads,) = [x.committed.count for x in distributions if x.key.metric.name == "load_model_latency_milli_secs"]
    assert loads == 2  # one a process
