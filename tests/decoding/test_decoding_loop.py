from typing import Any, NamedTuple

import numpy as np
import pytest
from keras import ops

from keras_transformer.decoding.batch_decoder import BatchDecoder
from keras_transformer.decoding.decoding_loop import decode_one_by_one, decoding_loop
from tests.decoding.models import BEGIN, END, PADDING, FixedModel, ScriptModel


class Doubling(NamedTuple):
    step: Any
    cache: dict


def test_the_loop_carries_a_named_structure():
    start = Doubling(ops.zeros((), "int32"), {"x": ops.ones((2,))})
    end = decoding_loop(
        start, lambda state: state.step < 5, lambda state: Doubling(state.step + 1, {"x": state.cache["x"] * 2})
    )
    assert isinstance(end, Doubling) and int(end.step) == 5
    np.testing.assert_array_equal(end.cache["x"], [32.0, 32.0])


def decoder(model, limits, **options):
    settings = {"prefix_ids": None, "min_length": 0, "return_scores": True, "static_shapes": True, **options}
    source_ids, limits = ops.ones((len(limits), 1), "int32"), ops.convert_to_tensor(limits, "int32")
    return BatchDecoder(
        model, source_ids, limits, BEGIN, END, PADDING, max_length=max(1, int(max(limits))), beam_size=1, num_best=1,
        **settings,
    )  # fmt: skip


def test_one_by_one_ends_at_the_end_or_the_limit():
    batch = decoder(ScriptModel([5, 6, END], [7, 8, 9]), [3, 2])
    found = decode_one_by_one(batch, batch.likeliest)
    np.testing.assert_array_equal(found.ids, [[[5, 6, END]], [[7, 8, PADDING]]])


@pytest.mark.parametrize("return_scores", [False, True])
def test_scores_are_sums_of_log_probabilities_or_zeros(return_scores):
    probabilities = np.array([0.1, 0.1, 0.1, 0.2, 0.5])
    batch = decoder(FixedModel(np.log(probabilities)), [2, 1], return_scores=return_scores)
    found = decode_one_by_one(batch, lambda logits, step: ops.full((2, 1), 4))
    wanted = np.log(0.5) * np.array([[2], [1]]) if return_scores else np.zeros((2, 1))
    np.testing.assert_allclose(found.scores, wanted, atol=1e-5)
