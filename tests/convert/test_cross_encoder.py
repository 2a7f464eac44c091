"""Against what sentence-transformers' `CrossEncoder` gave; golden/ is made by make_golden.py."""

import json
import pathlib
import shutil

import numpy as np
import pytest

from keras_transformer import TextPairScorer
from keras_transformer.convert import convert

GOLDEN = pathlib.Path(__file__).parent / "golden"


@pytest.mark.parametrize("kind", ["cross_encoder", "cross_encoder_of_classes"])
@pytest.mark.filterwarnings("ignore:.*max_length=")
def test_scores_are_the_originals(kind):
    wanted, scorer = json.loads((GOLDEN / f"{kind}.json").read_text()), convert(GOLDEN / kind)
    assert type(scorer) is TextPairScorer and scorer.max_length == wanted["max_length"]
    np.testing.assert_allclose(scorer.score(wanted["pairs"]), wanted["scores"], atol=1e-5)
    if kind == "cross_encoder":
        assert (scorer.activation, scorer.labels) == ("sigmoid", None)
        assert np.ptp(wanted["scores"]) > 0.05
    else:
        assert (scorer.activation, scorer.labels) == ("linear", ["class 0", "class 1", "class 2"])


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(GOLDEN / "cross_encoder", tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def change(folder, name, **changes):
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**config, **changes}))


def test_the_activation_that_older_versions_name(folder):
    (folder / "config_sentence_transformers.json").unlink()
    change(folder, "config.json", sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity"})
    assert convert(folder).activation == "linear"
    change(folder, "config.json", sentence_transformers=None)
    assert convert(folder).activation == "sigmoid"


@pytest.mark.parametrize(
    "name, changes, message",
    [
        ("config.json", {"architectures": ["RobertaForSequenceClassification"]}, "Expected architectures"),
        ("config_sentence_transformers.json", {"activation_fn": "my.Gate"}, "Expected an activation of Sigmoid, "),
        (
            "config_sentence_transformers.json",
            {"prompts": {"query": "q: "}, "default_prompt_name": "query"},
            "without a default prompt",
        ),
        ("tokenizer_config.json", {"model_max_length": 2}, "model_max_length of at least 3"),
        ("config.json", {"id2label": {"0": "a", "1": "b"}}, r"wrong shape: classifier.weight, expected \(2, 12\)"),
    ],
)
def test_what_is_refused(folder, name, changes, message):
    change(folder, name, **changes)
    with pytest.raises(ValueError, match=message):
        convert(folder)
