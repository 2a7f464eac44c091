"""Models split over two parts of a batch times four parts of a model give the values of one device."""

import json
import pathlib
import subprocess
import sys

import pytest

COLUMNS, ROWS = [1, 4], [4, 1]
ATTENTION = {"self_attention/query_key_value/kernel": COLUMNS, "self_attention/output/kernel": ROWS}
FEED_FORWARD = {"feed_forward/intermediate_dense/kernel": COLUMNS, "feed_forward/output_dense/kernel": ROWS}
IN_BLOCK = {
    **ATTENTION,
    **FEED_FORWARD,
    "self_attention/query_key_value/bias": [4],
    "self_attention/output/bias": [1],
    "feed_forward/intermediate_dense/bias": [4],
    "feed_forward_add_norm/norm/gamma": [1],
}
CROSS = {"query/kernel": COLUMNS, "query/bias": [4], "key_value/kernel": COLUMNS, "output/kernel": ROWS}
TRANSFORMER = {
    "embedding/embedding/embeddings": ROWS,
    **{f"{side}_block_0/{name}": parts for side in ("encoder", "decoder") for name, parts in IN_BLOCK.items()},
    **{f"decoder_block_0/cross_attention/{name}": parts for name, parts in CROSS.items()},
}
# Of 23 embeddings, and of 13 + 1 for pairs, four parts are made by width.
SENTENCE_ENCODER = {
    "embedding/embedding/embeddings": COLUMNS,
    "projection/kernel": [1, 1],
    **{f"encoder_block_0/{name}": parts for name, parts in IN_BLOCK.items()},
}
AVERAGING_NETWORK = {
    "embedding/embedding/embeddings": ROWS,
    "bigram_embedding/embedding/embeddings": COLUMNS,
    "hidden_0/kernel": [1, 1],
}
LORA = {
    "embedding/embedding/lora_embeddings_a": [1, 1],
    "embedding/embedding/lora_embeddings_b": COLUMNS,
    "encoder_block_0/feed_forward/intermediate_dense/lora_kernel_a": [1, 1],
    "encoder_block_0/feed_forward/intermediate_dense/lora_kernel_b": COLUMNS,
    "encoder_block_0/feed_forward/output_dense/lora_kernel_a": ROWS,
    "encoder_block_0/feed_forward/output_dense/lora_kernel_b": [1, 1],
}


@pytest.fixture(scope="module")
def found():
    """{case: what was found}: of all cases in one process, since starting it takes longest."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.jax_backend.on_eight_devices"],
        cwd=pathlib.Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


CASES = {
    "transformer": TRANSFORMER,
    "sentence_encoder_with_lora": {**SENTENCE_ENCODER, **LORA},
    "averaging_network": AVERAGING_NETWORK,
}


@pytest.mark.parametrize("case", CASES)
def test_values_are_those_of_one_device(found, case):
    assert found[case]["forward"] < 1e-5 and found[case]["step"] < 1e-5
    assert found[case]["moved"] > 1e-3


@pytest.mark.parametrize("case", CASES)
def test_weights_are_split(found, case):
    assert {path: found[case]["parts"][path] for path in CASES[case]} == CASES[case]
    assert found[case]["momenta"] == found[case]["trained"]  # what the optimizer keeps follows
