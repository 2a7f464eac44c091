"""The contract catches what it is there for."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_transformer.layers.composite import CompositeLayer
from keras_transformer.ops import masks
from keras_transformer.testing import LayerCase, check_layer
from keras_transformer.testing import layer_contract as contract

X = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
class Mean(CompositeLayer):
    """Adds the mean over real positions to each."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, inputs_shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, inputs, padding_mask=None, mask=None):
        layout = self.layout_of(inputs, None, mask, padding_mask)
        inputs, weights = self.zero_padding(inputs, layout), ops.ones_like(inputs[..., :1])
        if layout.mask is not None:
            weights = ops.cast(layout.mask, inputs.dtype)[..., None]
        mean = ops.sum(inputs * weights, axis=1, keepdims=True)
        mean = mean / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1)
        return inputs + self.factor * self.scale * mean

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def case(layer_class, **kwargs):
    return LayerCase(layer_class, {}, {"inputs": X}, {"inputs": "padding_mask"}, **kwargs)


def test_a_good_layer_of_somebody_else_passes():
    check_layer(case(Mean))


class ForgetsItsConfig(Mean):
    def get_config(self):
        config = super().get_config()
        del config["factor"]
        return config


class IgnoresPadding(Mean):
    def call(self, inputs, padding_mask=None, mask=None):
        return super().call(inputs)


class MultipliesByTheMask(Mean):
    def zero_padding(self, inputs, layout):
        return inputs if layout.mask is None else inputs * ops.cast(layout.mask, inputs.dtype)[..., None]


class HasGradientsOfPadding(Mean):
    def call(self, inputs, padding_mask=None, mask=None):
        outputs = super().call(inputs, padding_mask, mask)
        return (
            outputs if padding_mask is None else outputs + ops.where(padding_mask[..., None], 0.0, inputs) * self.scale
        )


class TellsAnotherShape(Mean):
    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], 7)


class NanWhenAllIsPadding(Mean):
    def call(self, inputs, padding_mask=None, mask=None):
        outputs = super().call(inputs, padding_mask, mask)
        mask = masks.combine(padding_mask, mask)
        if mask is None:
            return outputs
        return ops.where(ops.any(mask, axis=1)[:, None, None], outputs, float("nan"))


class HasAnIdleWeight(Mean):
    def build(self, inputs_shape):
        super().build(inputs_shape)
        self.idle = self.add_weight(name="idle", shape=(2,), initializer="ones")


class LosesPrecision(Mean):
    def call(self, inputs, padding_mask=None, mask=None):
        outputs = super().call(inputs, padding_mask, mask)
        return outputs + (0.5 if self.compute_dtype == "bfloat16" else 0.0)


@pytest.mark.parametrize(
    "layer_class, check, message",
    [
        (ForgetsItsConfig, contract.check_config, "config keys"),
        (IgnoresPadding, contract.check_padding, "as padding"),
        (MultipliesByTheMask, contract.check_padding, "nan as padding"),
        (HasGradientsOfPadding, contract.check_gradients, "gradient of .*scale is not finite, padding_mask, NaN"),
        (TellsAnotherShape, contract.check_output_shape, r"tells \(3, 5, 7\), the outputs have \(3, 5, 4\)"),
        (NanWhenAllIsPadding, contract.check_fully_masked, "without any True"),
        (HasAnIdleWeight, contract.check_gradients, "no gradient reaches .*idle"),
        (LosesPrecision, contract.check_precision, "mixed_bfloat16"),
    ],
)
def test_a_bad_layer_is_caught(layer_class, check, message):
    with pytest.raises(AssertionError, match=message):
        check(case(layer_class))


def test_a_look_into_the_future_is_caught():
    with pytest.raises(AssertionError, match="see later ones"):
        contract.check_future(case(Mean, causal=True))
