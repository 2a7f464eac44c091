"""What every layer of this library keeps, as checks of values that also fit the layers of others.

case = LayerCase(EncoderBlock, {"num_heads": 2, "intermediate_dim": 19}, {"inputs": x})
check_layer(case, folder)
"""

import dataclasses
import inspect
import os
import tempfile

import keras
import numpy as np

from keras_transformer.ops import masks
from keras_transformer.testing import backends

_PADDING_VALUE = 9.0  # marks padding in the inputs; a `Masking` layer makes Keras' implicit mask of it


@dataclasses.dataclass(frozen=True)
class LayerCase:
    """A layer and what to call it with.

    Args:
        layer_class: the class.
        config: constructor arguments.
        inputs: {call argument: array (B, length, ...)}, the first named "inputs"; B is at least 2 and lengths
            are at least 4. Floating ones are checked in lower precisions.
        padding: {name in `inputs`: call argument of its explicit padding mask}.
        causal: whether position t of the outputs may depend on positions up to t of `inputs` only.
        options: further call arguments, not tensors.
        pooled: whether the length is gone from the outputs.
        output_dtype: of the outputs under every policy; by default the compute dtype.
    """

    layer_class: type
    config: dict
    inputs: dict
    padding: dict = dataclasses.field(default_factory=dict)
    causal: bool = False
    options: dict = dataclasses.field(default_factory=dict)
    pooled: bool = False
    output_dtype: str | None = None

    def layer(self, **kwargs):
        """A built layer whose weights are all random, so that none hides behind zeros or ones."""
        layer = self.layer_class(**self.config, **kwargs)
        self.call(layer, self.inputs)
        generator = np.random.default_rng(7)
        for weight in layer.weights:
            if weight.dtype.startswith(("float", "bfloat")):
                scale = 0.3 / np.sqrt(max(1, weight.shape[0])) if len(weight.shape) > 1 else 0.3
                noise = generator.normal(size=weight.shape) * scale
                weight.assign(weight + keras.ops.cast(noise, weight.dtype))
        return layer

    def call(self, layer, inputs, **kwargs):
        """The outputs as float32, with Keras' mask lost."""
        return to_numpy(layer(**inputs, **self.options, **kwargs))


def check_layer(case):
    """Runs every check.

    Raises:
        AssertionError: naming what the layer does not keep.
    """
    with tempfile.TemporaryDirectory() as folder:
        check_saving(case, folder)
    for check in CHECKS:
        check(case)


def check_config(case):
    """`get_config` has every constructor argument, and a layer made from it has the same config."""
    layer = case.layer()
    config = layer.get_config()
    parameters = inspect.signature(case.layer_class.__init__).parameters.values()
    named = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD} - {"self"}
    expected = named | {"name", "trainable", "dtype"}
    assert set(config) == expected, f"config keys {sorted(config)}, expected {sorted(expected)}"
    revived = case.layer_class.from_config(config)
    assert revived.get_config() == config, "from_config(get_config()) has another config"
    assert keras.saving.get_registered_name(case.layer_class) != case.layer_class.__name__, (
        "not registered as serializable"
    )


def check_saving(case, folder):
    """A model with the layer reloads from `.keras` with equal outputs."""
    layer = case.layer()
    symbols = {
        name: keras.Input((None,) + array.shape[2:], dtype=array.dtype.name, name=name)
        for name, array in case.inputs.items()
    }
    model = keras.Model(symbols, layer(**symbols, **case.options))
    path = os.path.join(folder, "layer.keras")
    model.save(path)
    reloaded = keras.models.load_model(path)
    np.testing.assert_allclose(to_numpy(reloaded(case.inputs)), to_numpy(model(case.inputs)), atol=1e-6)


def check_padding(case):
    """Padding changes nothing, whatever it holds, by an implicit mask, an explicit one or both; it is passed on."""
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
            explicit = {**case.inputs, name: _padded(array, mask, garbage), argument: mask}
            _assert_rows(case.call(layer, explicit), expected, f"{argument}, {garbage} as padding")
        # Near the end of float16's range, so that sums and products are beyond it.
        half = _with_weights_of(layer, case.layer(dtype="mixed_float16"))
        large = case.call(half, {**case.inputs, name: _padded(array, mask, 6e4), argument: mask})
        _assert_rows(large, expected, f"mixed_float16, {argument}, 6e4 as padding", _tolerance("mixed_float16"))
        implicit = {**case.inputs, name: _with_implicit_mask(array, mask)}
        _assert_rows(case.call(layer, implicit), expected, f"implicit mask of {name}")
        weaker = np.arange(length) < lengths[:, None] + 1
        both = {**case.inputs, name: _with_implicit_mask(array, weaker), argument: mask}
        _assert_rows(case.call(layer, both), expected, f"implicit mask and {argument}")
        if name == "inputs" and not case.pooled:
            passed_on = masks.implicit_mask(layer(**both, **case.options))
            np.testing.assert_array_equal(passed_on, mask, err_msg="the mask passed on")


def check_mask_passes(case):
    """The implicit mask of `inputs` stands on the outputs, unless the length is gone from them."""
    array = case.inputs["inputs"]
    if "float" not in array.dtype.name:
        return
    mask = np.arange(array.shape[1]) < np.arange(1, len(array) + 1)[:, None]
    outputs = case.layer()(**{**case.inputs, "inputs": _with_implicit_mask(array, mask)}, **case.options)
    if case.pooled:
        assert masks.implicit_mask(outputs) is None, "a mask of positions that are gone"
    else:
        np.testing.assert_array_equal(masks.implicit_mask(outputs), mask)


def check_fully_masked(case):
    """A sequence of padding only gives finite numbers, in each dtype those of float32, in eager and compiled calls."""
    reference = case.layer()
    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        layer = _with_weights_of(reference, case.layer(dtype=policy))
        for name, argument in case.padding.items():
            mask = np.ones(case.inputs[name].shape[:2], dtype=bool)
            mask[0] = False
            inputs = {**case.inputs, argument: mask}
            expected = case.call(reference, inputs)
            # Compiled calls round less often: each is held against float32, not against another rounding.
            calls = {"eager": case.call(layer, inputs)}
            for jit_compile in (False, True):
                outputs = backends.compiled_call(layer, inputs, case.options, jit_compile)
                calls[f"jit_compile={jit_compile}"] = to_numpy(outputs)
            for how, outputs in calls.items():
                where = f"{policy}, {argument} without any True, {how}"
                assert np.isfinite(outputs).all(), f"{where}: {outputs}"
                np.testing.assert_allclose(outputs, expected, atol=_tolerance(policy), err_msg=where)


def check_future(case):
    """Under a causal mask, positions after t do not change position t."""
    if not case.causal:
        return
    layer = case.layer()
    array = case.inputs["inputs"]
    whole = case.call(layer, case.inputs)
    for t in range(1, array.shape[1]):
        changed = array.copy()
        changed[:, t:] = 7.0
        outputs = case.call(layer, {**case.inputs, "inputs": changed})
        np.testing.assert_allclose(
            outputs[:, :t], whole[:, :t], atol=1e-5, err_msg=f"positions before {t} see later ones"
        )


def check_precision(case):
    """Lower precisions give what float32 gives, within their own rounding."""
    reference = case.layer()
    expected = case.call(reference, case.inputs)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = _with_weights_of(reference, case.layer(dtype=policy))
        outputs = layer(**case.inputs, **case.options)
        dtype = keras.backend.standardize_dtype(outputs.dtype)
        assert dtype == (case.output_dtype or policy.removeprefix("mixed_")), f"{policy} gives {dtype}"
        np.testing.assert_allclose(to_numpy(outputs), expected, atol=_tolerance(policy), err_msg=policy)


def check_compiled(case):
    """One graph, with and without XLA, gives what the eager call gives."""
    layer = case.layer()
    expected = case.call(layer, case.inputs)
    for jit_compile in (False, True):
        outputs = backends.compiled_call(layer, case.inputs, case.options, jit_compile)
        np.testing.assert_allclose(to_numpy(outputs), expected, atol=1e-5, err_msg=f"jit_compile={jit_compile}")


def check_dynamic_shapes(case):
    """A graph that knows neither batch size nor length gives the same values (TensorFlow only)."""
    if keras.backend.backend() != "tensorflow":
        return
    layer = case.layer()
    expected = case.call(layer, case.inputs)
    np.testing.assert_allclose(to_numpy(backends.dynamic_call(layer, case.inputs, case.options)), expected, atol=1e-5)


def check_output_shape(case):
    """`compute_output_shape` tells the shape of the outputs."""
    layer = case.layer()
    shapes = {f"{name}_shape": array.shape for name, array in case.inputs.items()}
    # As Keras does: by name where there are several.
    told = layer.compute_output_shape(**shapes) if len(shapes) > 1 else layer.compute_output_shape(*shapes.values())
    shape = case.call(layer, case.inputs).shape
    assert tuple(told) == shape, f"compute_output_shape tells {told}, the outputs have {shape}"


def check_gradients(case):
    """A gradient reaches every trainable weight, and nothing that padding holds reaches a gradient."""
    layer = case.layer()
    if not layer.trainable_weights:
        return
    shape = case.call(layer, case.inputs).shape
    direction = np.random.default_rng(5).normal(size=shape).astype("float32")
    found = backends.gradients(layer, case.inputs, case.options, lambda outputs: keras.ops.sum(outputs * direction))
    for path, gradient in found.items():
        assert np.isfinite(gradient).all(), f"gradient of {path} is not finite"
        assert np.abs(gradient).max() > 0, f"no gradient reaches {path}"
    for name, argument in case.padding.items():
        array = case.inputs[name]
        mask = np.arange(array.shape[1]) < np.arange(1, len(array) + 1)[:, None]
        is_real = mask[..., None] if name == "inputs" and not case.pooled else True
        inputs = {**case.inputs, name: _padded(array, mask, np.nan), argument: mask}
        found = backends.gradients(
            layer,
            inputs,
            case.options,
            lambda outputs, is_real=is_real: keras.ops.sum(keras.ops.where(is_real, outputs, 0) * direction),
        )
        for path, gradient in found.items():
            assert np.isfinite(gradient).all(), f"gradient of {path} is not finite, {argument}, NaN as padding"


CHECKS = (
    check_config,
    check_padding,
    check_mask_passes,
    check_fully_masked,
    check_future,
    check_precision,
    check_compiled,
    check_dynamic_shapes,
    check_output_shape,
    check_gradients,
)


def to_numpy(outputs):
    """A tensor of any dtype as a float32 array."""
    return keras.ops.convert_to_numpy(keras.ops.cast(outputs, "float32"))


def _with_weights_of(reference, layer):
    for weight, other in zip(layer.weights, reference.weights):
        weight.assign(other)
    return layer


def _tolerance(policy):
    return {"float32": 1e-5, "mixed_bfloat16": 0.12, "mixed_float16": 0.02}[policy]


def _with_implicit_mask(array, mask):
    return keras.layers.Masking(_PADDING_VALUE)(_padded(array, mask, _PADDING_VALUE))


def _padded(array, mask, value):
    return np.where(mask[..., None], array, np.float32(value))


def _trimmed(case, layer, name, lengths):
    """The outputs of each row alone, its padding cut off: what padding must not change."""
    rows = []
    for row, length in enumerate(lengths):
        inputs = {key: array[row : row + 1] for key, array in case.inputs.items()}
        inputs[name] = inputs[name][:, :length]
        rows.append(case.call(layer, inputs)[0])
    return rows


def _assert_rows(outputs, expected, message, tolerance=1e-5):
    """Compares each row of `outputs` with the expected one, as far as that goes."""
    for row, wanted in zip(outputs, expected):
        np.testing.assert_allclose(row[: len(wanted)], wanted, atol=tolerance, err_msg=message)
