import keras
import numpy as np
import pytest

from keras_transformer.cli.main import main
from keras_transformer.training import distill_to_static


def test_writes_the_static_embedder(embedder_dir, embedder, tmp_path, capsys):
    out = tmp_path / "static.keras"
    arguments = ["distill", "--model", str(embedder_dir), "--out", str(out), "--output-dim", "3"]
    assert main(arguments) == 0
    assert f"Wrote {out}: " in capsys.readouterr().out
    texts = ["red dog", "a cat"]
    found = keras.models.load_model(out).embed(texts)
    np.testing.assert_allclose(found, distill_to_static(embedder, 3).embed(texts), atol=1e-5)
    assert main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, message",
    [
        (["--output-dim", "0"], "--output-dim=0"),
        (["--smoothing", "0"], "--smoothing=0"),
        (["--output-dim", "4000"], "Expected an output_dim of at most"),
    ],
)
def test_what_cannot_work_leaves_nothing(options, message, embedder_dir, tmp_path, capsys):
    assert main(["distill", "--model", str(embedder_dir), "--out", str(tmp_path / "s.keras"), *options]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    assert main(["distill", "--model", str(embedder_dir), "--out", str(tmp_path / "s")]) == 1
    assert "ends in .keras" in capsys.readouterr().err
