import numpy as np
import pytest

from keras_transformer import Translator
from keras_transformer.data import ParallelText
from keras_transformer.models import Transformer
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import fit_translator
from tests import made_data


def test_an_earlier_file_is_no_success(write_lines, tmp_path):
    """Without a finite validation loss nothing is saved, and that is said even where a file stood before."""
    sources, targets = made_data.pairs(40)
    pairs = ParallelText(write_lines("s", sources), write_lines("t", targets), ByteTokenizer(), max_length=64)
    translator = Translator(Transformer(260, 1, 12, 19, 3), ByteTokenizer())
    table = translator.transformer.source_embedding.embedding.embeddings
    table.assign(np.full(table.shape, np.nan))
    path = tmp_path / "translator.keras"
    path.write_bytes(b"earlier")
    with pytest.raises(ValueError, match="Expected a finite loss. Received: val_loss="):
        fit_translator(translator, pairs, pairs, path=path, epochs=1)
    assert path.read_bytes() == b"earlier"
