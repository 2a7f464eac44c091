"""What every layer of this library keeps, as checks of values. They fit layers of your own too.

case = LayerCase(EncoderBlock, {"num_heads": 2, "intermediate_dim": 19}, {"inputs": x})
check_layer(case)
"""

import inspect
import os
import tempfile

import keras
import numpy as np

from keras_transformer.testing import backends
from keras_transformer.testing.layer_case import LayerCase, copy_weights, to_numpy, tolerance
from keras_transformer.testing.padding_checks import check_fully_masked, check_mask_passes, check_padding, padded
from keras_transformer.types import PathLike


def check_layer(case: LayerCase) -> None:
    """Runs every check of the contract.

    Raises:
        AssertionError: if the layer fails one. The message says which.
    """
    with tempfile.TemporaryDirectory() as folder:
        check_saving(case, folder)
    for check in CHECKS:
        check(case)


def check_config(case: LayerCase) -> None:
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


def check_saving(case: LayerCase, folder: PathLike) -> None:
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


def check_future(case: LayerCase) -> None:
    """Under a causal mask, the output at position t does not depend on positions after t."""
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


def check_precision(case: LayerCase) -> None:
    """Lower precisions agree with float32 within their own rounding."""
    reference = case.layer()
    expected = case.call(reference, case.inputs)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = copy_weights(reference, case.layer(dtype=policy))
        outputs = layer(**case.inputs, **case.options)
        dtype = keras.backend.standardize_dtype(outputs.dtype)
        assert dtype == (case.output_dtype or policy.removeprefix("mixed_")), f"{policy} gives {dtype}"
        np.testing.assert_allclose(to_numpy(outputs), expected, atol=tolerance(policy), err_msg=policy)


def check_compiled(case: LayerCase) -> None:
    """A graph, with and without XLA, agrees with the eager call."""
    layer = case.layer()
    expected = case.call(layer, case.inputs)
    for jit_compile in (False, True):
        outputs = backends.compiled(layer, case.options, jit_compile)(case.inputs)
        np.testing.assert_allclose(to_numpy(outputs), expected, atol=1e-5, err_msg=f"jit_compile={jit_compile}")


def check_dynamic_shapes(case: LayerCase) -> None:
    """A graph with unknown batch size and length agrees with the eager call (TensorFlow only)."""
    if keras.backend.backend() != "tensorflow":
        return
    layer = case.layer()
    expected = case.call(layer, case.inputs)
    np.testing.assert_allclose(to_numpy(backends.dynamic_call(layer, case.inputs, case.options)), expected, atol=1e-5)


def check_output_shape(case: LayerCase) -> None:
    """`compute_output_shape` returns the outputs' shape."""
    layer = case.layer()
    shapes = {f"{name}_shape": array.shape for name, array in case.inputs.items()}
    # Keras passes several shapes by name, a single one by position.
    told = layer.compute_output_shape(**shapes) if len(shapes) > 1 else layer.compute_output_shape(*shapes.values())
    shape = case.call(layer, case.inputs).shape
    assert tuple(told) == shape, f"compute_output_shape tells {told}, the outputs have {shape}"


def check_gradients(case: LayerCase) -> None:
    """Every trainable weight has a gradient, and NaN in padding reaches none."""
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
        inputs = {**case.inputs, name: padded(array, mask, np.nan), argument: mask}
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
