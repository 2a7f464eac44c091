# ruff: noqa: E402
"""Beam's own transforms of TF-Hub's models, over an export of ours."""

import numpy as np
import pytest

beam = pytest.importorskip("apache_beam")

import tensorflow_text  # noqa: F401
from apache_beam.ml.transforms.base import MLTransform
from apache_beam.ml.transforms.embeddings.tensorflow_hub import TensorflowHubTextEmbeddings
from apache_beam.testing.util import assert_that, equal_to

TEXTS = ["a dog", "개", "", "x" * 40]


def test_text_embeddings(exported_embedder, embedder, tmp_path):
    wanted = [np.round(vector, 4).tolist() for vector in embedder.embed(TEXTS).astype("float64")]
    embeddings = TensorflowHubTextEmbeddings(columns=["text"], hub_url=str(exported_embedder))
    with beam.Pipeline("FnApiRunner") as pipeline:
        rows = pipeline | beam.Create([{"text": text, "id": number} for number, text in enumerate(TEXTS)])
        embedded = rows | MLTransform(write_artifact_location=str(tmp_path)).with_transform(embeddings)
        found = embedded | beam.Map(lambda row: (row["id"], np.round(row["text"], 4).tolist()))
        assert_that(found, equal_to(list(enumerate(wanted))))
