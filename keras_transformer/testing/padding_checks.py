"""The layer contract about padding: masks are read, combined and passed on, and padding changes no output."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from keras_transformer.ops import masks
from keras_transformer.testing import backends
from keras_transformer.testing.layer_case import LayerCase, copy_weights, to_numpy, tolerance
from keras_transformer.types import Tensor

_PADDING_VALUE = 9.0  # marks padding in the inputs; a `Masking` layer turns it into Keras' implicit mask


def check_padding(case: LayerCase) -> None:
    """Outputs do not depend on padding, whether the mask is implicit, explicit or both; the mask is passed on."""
    layer = case.layer()
    for name, argument in case.padding.items():
        array = case.inputs[name]
        length = array.shape[1]
        lengths = np.full(len(array), length)
        lengths[0] = length - 2
        lengths[-1] = 1
        mask = np.arange(length) < lengths[:, None]
        expected = _trimmed(case, layer, name, lengths)
        for garbage in (50.0, np.nan, np.inf):
            explicit = {**case.inputs, name: padded(array, mask, garbage), argument: mask}
            _assert_rows(case.call(layer, explicit), expected, f"{argument}, {garbage} as padding")
        # Close to the largest float16, so that sums and products overflow.
        half = copy_weights(layer, case.layer(dtype="mixed_float16"))
        large = case.call(half, {**case.inputs, name: padded(array, mask, 6e4), argument: mask})
        _assert_rows(large, expected, f"mixed_float16, {argument}, 6e4 as padding", tolerance("mixed_float16"))
        implicit = {**case.inputs, name: _with_implicit_mask(array, mask)}
        _assert_rows(case.call(layer, implicit), expected, f"implicit mask of {name}")
        weaker = np.arange(length) < lengths[:, None] + 1
        both = {**case.inputs, name: _with_implicit_mask(array, weaker), argument: mask}
        _assert_rows(case.call(layer, both), expected, f"implicit mask and {argument}")
        if name == "inputs" and not case.pooled:
            passed_on = masks.implicit_mask(layer(**both, **case.options))
            np.testing.assert_array_equal(passed_on, mask, err_msg="the mask passed on")


def check_mask_passes(case: LayerCase) -> None:
    """The outputs carry the implicit mask of `inputs`, unless they have no length axis."""
    array = case.inputs["inputs"]
    if "float" not in array.dtype.name:
        return
    mask = np.arange(array.shape[1]) < np.arange(1, len(array) + 1)[:, None]
    outputs = case.layer()(**{**case.inputs, "inputs": _with_implicit_mask(array, mask)}, **case.options)
    if case.pooled:
        assert masks.implicit_mask(outputs) is None, "outputs without a length axis carry a mask"
    else:
        np.testing.assert_array_equal(masks.implicit_mask(outputs), mask)


def check_fully_masked(case: LayerCase) -> None:
    """A sequence of padding only gives finite numbers: those of eager float32 in lower precisions, graphs and XLA."""
    reference = case.layer()
    # XLA compiles once per layer: all masks are always passed, and all but one are all true.
    all_true = {argument: np.ones(case.inputs[name].shape[:2], bool) for name, argument in case.padding.items()}
    calls = {
        f"float32, jit_compile={jit_compile}": ("float32", backends.compiled(reference, case.options, jit_compile))
        for jit_compile in (False, True)
    }
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = copy_weights(reference, case.layer(dtype=policy))
        calls[f"{policy}, eager"] = policy, lambda inputs, layer=layer: layer(**inputs, **case.options)
    for argument, mask in all_true.items():
        mask = mask.copy()
        mask[0] = False
        expected = case.call(reference, {**case.inputs, argument: mask})
        assert np.isfinite(expected).all(), f"float32, eager, {argument} without any True: {expected}"
        inputs = {**case.inputs, **all_true, argument: mask}
        for how, (policy, call) in calls.items():
            outputs, where = to_numpy(call(inputs)), f"{how}, {argument} without any True"
            assert np.isfinite(outputs).all(), f"{where}: {outputs}"
            np.testing.assert_allclose(outputs, expected, atol=tolerance(policy), err_msg=where)


def padded(array: np.ndarray, mask: np.ndarray, value: float) -> np.ndarray:
    """Returns `array` (B, S, ...) with `value` where `mask` (B, S) is false."""
    return np.where(mask[..., None], array, np.float32(value))


def _with_implicit_mask(array: np.ndarray, mask: np.ndarray) -> Tensor:
    return keras.layers.Masking(_PADDING_VALUE)(padded(array, mask, _PADDING_VALUE))


def _trimmed(case: LayerCase, layer: keras.layers.Layer, name: str, lengths: Sequence[int]) -> list[np.ndarray]:
    """The outputs of each row by itself and without its padding, which padding must not change."""
    rows = []
    for row, length in enumerate(lengths):
        inputs: Mapping[str, np.ndarray] = {key: array[row : row + 1] for key, array in case.inputs.items()}
        rows.append(case.call(layer, {**inputs, name: inputs[name][:, :length]})[0])
    return rows


def _assert_rows(outputs: np.ndarray, expected: list[np.ndarray], message: str, atol: float = 1e-5) -> None:
    """Compares each row of `outputs` with the expected one, over the expected one's length."""
    for row, wanted in zip(outputs, expected):
        np.testing.assert_allclose(row[: len(wanted)], wanted, atol=atol, err_msg=message)
