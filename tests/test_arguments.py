import numpy as np
import pytest

from keras_transformer import arguments


@pytest.mark.parametrize(
    "check, good, bad",
    [
        (arguments.positive_integer, [1, np.int64(3)], [0, -1, 1.0, True, "1", None]),
        (arguments.optional_positive_integer, [None, 2], [0, 2.5]),
        (arguments.non_negative_integer, [0, 5], [-1, 0.5, False]),
        (arguments.rate, [0, 0.5, 0.999], [1, -0.1, float("nan"), "0.1", True]),
        (arguments.fraction, [0.1, 1], [0, 1.5, float("nan")]),
        (arguments.positive_number, [0.5, 3], [0, -1, float("inf"), float("nan"), "1"]),
        (arguments.non_negative_number, [0, 2.5], [-0.1, float("inf"), float("nan"), True]),
        (arguments.seed, [0, 2**31 - 1], [-1, 2**31, 1.0, True]),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_numbers(check, good, bad):
    for value in good:
        assert check("given", value) == value
    for value in bad:
        with pytest.raises(ValueError, match=r"^Expected .* Received: given="):
            check("given", value)


def test_one_of_and_token_ids():
    assert arguments.one_of("mode", "sum", ("sum", "max")) == "sum"
    with pytest.raises(ValueError, match=r"Expected one of \['sum', 'max'\]. Received: mode='min'"):
        arguments.one_of("mode", "min", ("sum", "max"))
    assert arguments.token_id("padding_id", 6, 7) == 6
    with pytest.raises(ValueError, match=r"token id in \[0, 7\). Received: padding_id=7"):
        arguments.token_id("padding_id", 7, 7)


def test_shapes():
    layer = object()
    assert arguments.known_width(layer, (None, 3, 5), rank=3) == 5
    with pytest.raises(ValueError, match=r"object expected inputs of rank 2 or 3 .* shape=\(5,\)"):
        arguments.known_width(layer, (5,), rank=(2, 3))
    with pytest.raises(ValueError, match=r"known last dimension. Received: shape=\(3, None\)"):
        arguments.known_width(layer, (3, None))
    arguments.same_batch(layer, one=np.ones((2, 3)), other=np.ones((2, 5)))
    with pytest.raises(ValueError, match="equal batch sizes. Received: one: 2, other: 3"):
        arguments.same_batch(layer, one=np.ones((2, 3)), other=np.ones((3, 3)))
    arguments.same_shape(layer, one=(2, None), other=(2, 5))
    with pytest.raises(ValueError, match=r"equal shapes. Received: one: \(2, 3\), other: \(2, 5\)"):
        arguments.same_shape(layer, one=(2, 3), other=(2, 5))
