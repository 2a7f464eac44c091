import numpy as np
import pytest

from keras_transformer.cli.embedders import open_embedder

TEXTS = ["red dog", "", "a blue house runs", "개", "cat"] * 3


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_a_keras_file_and_its_export_agree(embedder, embedder_dir, exported_embedder, batch_size):
    for path in (embedder_dir, embedder_dir / "embedder.keras", exported_embedder):
        vectors = open_embedder(path).embed(TEXTS, batch_size=batch_size)
        assert vectors.dtype == "float32"
        np.testing.assert_allclose(vectors, embedder(TEXTS), atol=1e-5)
        assert open_embedder(path).embed([]).shape == (0, 6)


def test_bad_paths(model_dir, tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a .keras file with an embedder. Received: .*nowhere"):
        open_embedder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="Received: .*embedder.keras"):
        open_embedder(model_dir)
    with pytest.raises(ValueError, match="Expected a TextEmbedder in .* Received: Translator"):
        open_embedder(model_dir / "translator.keras")
    (tmp_path / "embedder.keras").write_text("PK")
    with pytest.raises(ValueError, match="truncated, or something else"):
        open_embedder(tmp_path)
