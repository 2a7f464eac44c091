"""Marian's own format against NumPy, and its settings."""

import numpy as np
import pytest

from keras_transformer.convert import convert
from keras_transformer.convert.marian_npz import read_npz
from keras_transformer.decoding import GreedySearch
from tests.convert.marian_files import ORIGINAL, PADDING, logits_of, marian_logits, npz_arrays


def test_marians_own_format(marian_folder, translator):
    found = convert(marian_folder)
    texts = [text for text in ORIGINAL["texts"] if "</s>" not in text and "<pad>" not in text and "<unk>" not in text]
    assert found.tokenizer.tokenize(texts).to_list() == translator.tokenizer.tokenize(texts).to_list()
    ((*pieces,),) = found.tokenizer.tokenize(["</s><pad>"]).to_list()
    assert not {found.tokenizer.end_id, PADDING} & set(pieces)  # Marian knows no special tokens in texts
    for source_ids in ORIGINAL["sources"]:
        wanted = marian_logits(npz_arrays(), source_ids, ORIGINAL["targets"])
        logits = logits_of(found, source_ids)
        np.testing.assert_allclose(logits[:, :-1], wanted, atol=1e-4)
        np.testing.assert_array_equal(logits[:, -1], np.zeros(5))  # the padding id, which is never chosen


def test_the_search_of_decoder_yml(marian_folder):
    assert read_npz(marian_folder).search.beam_size == 6
    (marian_folder / "decoder.yml").write_text("models:\n  - opus.npz\nbeam-size: 3\nnormalize: 0.5\n")
    search = read_npz(marian_folder).search
    assert (search.beam_size, search.length_penalty, search.length_normalization) == (3, 0.5, "power")
    (marian_folder / "decoder.yml").write_text("beam-size: 1\n")
    assert type(read_npz(marian_folder).search) is GreedySearch


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("type: transformer", "type: s2s", "Received: type='s2s'"),
        ("postprocess: dan", "postprocess: da", "Received: transformer-postprocess='da'"),
        ("swish", "gelu", "Received: transformer-ffn-activation='gelu'"),
        ("tied-embeddings-all: true", "tied-embeddings-all: false", "Received: tied-embeddings=None"),
        ("enc-depth: 2", "enc-depth: two", "Expected numbers .* Received: enc-depth='two'"),
        ("enc-depth: 2", "enc-depth: 1", r"unexpected: encoder_l2_self_Wq of shape \(16, 16\)"),
        ("enc-depth: 2", "enc-depth: 3", r"missing: encoder_l3_self_Wq of shape \(16, 16\)"),
        ("dim-ffn: 23", "dim-ffn: 24", r"wrong shape: encoder_l1_ffn_W1, expected \(16, 24\), received \(16, 23\)"),
    ],
)
def test_another_configuration(marian_folder, old, new, message):
    arrays = npz_arrays()
    text = arrays["special:model.yml"].tobytes().replace(old.encode(), new.encode())
    arrays["special:model.yml"] = np.frombuffer(text, np.int8)
    np.savez(marian_folder / "opus.npz.best-perplexity.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        convert(marian_folder)


def test_ignored_settings_of_decoder_yml_are_reported(marian_folder):
    (marian_folder / "decoder.yml").write_text("beam-size: 3\nword-penalty: 0.4\nallow-unk: false\nsurprise: 1\n")
    with pytest.warns(UserWarning) as warned:
        read_npz(marian_folder)
    dropped, unknown = (str(warning.message) for warning in warned)
    assert dropped.endswith("decoder.yml are ignored: word-penalty='0.4'")
    assert unknown.endswith("decoder.yml are ignored: surprise")


def test_npz_files_that_are_none(marian_folder):
    path = marian_folder / "opus.npz.best-perplexity.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="Expected an .npz file of numbers. Received: .*best-perplexity"):
        convert(marian_folder)
    np.savez(path, x=np.array([{}], dtype=object))  # a pickle inside
    with pytest.raises(ValueError, match="Expected an .npz file of numbers"):
        convert(marian_folder)
    np.savez(path, x=np.ones(3))
    with pytest.raises(ValueError, match="Expected a Marian model with special:model.yml .* Received: x"):
        convert(marian_folder)
    np.savez(marian_folder / "other.npz", x=np.ones(3))
    with pytest.raises(ValueError, match="Expected one .npz file .* Received: opus.npz.best-perplexity.npz, other.npz"):
        convert(marian_folder)


def test_a_missing_vocabulary(marian_folder):
    (marian_folder / "opus.vocab.yml").unlink()
    with pytest.raises(FileNotFoundError, match=r"Expected one file \*vocab.yml, .* Received in .*npz: none"):
        read_npz(marian_folder)
