import keras
import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock
from keras_transformer.layers.base_layer import BaseLayer


class Scaled(BaseLayer):
    def __init__(self, factor, activation="relu", bias_initializer="ones", **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.activation = keras.activations.get(activation)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def call(self, inputs):
        return self.activation(inputs) * self.factor


class ScaledTwice(Scaled):
    def __init__(self, second, **kwargs):
        super().__init__(**kwargs)
        self.second = second


def test_arguments_are_recorded_once():
    config = Scaled(3.0).get_config()
    assert config["factor"] == 3.0 and config["activation"] == "relu"
    assert config["bias_initializer"]["class_name"] == "Ones"
    again = Scaled.from_config(config)
    assert again.get_config() == config
    np.testing.assert_array_equal(again(np.array([-1.0, 2.0])), [0.0, 6.0])


def test_those_of_a_base_class_too():
    config = ScaledTwice(second=5, factor=2.0).get_config()
    assert (config["second"], config["factor"]) == (5, 2.0)


def test_outputs_have_the_shape_of_the_inputs_and_their_own_dtype():
    assert Scaled(1.0).compute_output_shape([None, 3]) == (None, 3)
    outputs = Scaled(1.0, dtype="mixed_bfloat16")(keras.Input((3,), batch_size=2))
    assert (outputs.shape, outputs.dtype) == ((2, 3), "bfloat16")


def test_a_subclass_that_settles_an_argument_of_a_block():
    class Wide(EncoderBlock):
        def __init__(self, **kwargs):
            super().__init__(**{"num_heads": 2, "intermediate_dim": 32, **kwargs})

    config = Wide(dropout=0.3).get_config()
    assert (config["num_heads"], config["intermediate_dim"], config["dropout"]) == (2, 32, 0.3)
    assert Wide.from_config(config).get_config() == config


def test_an_argument_that_is_kept_nowhere():
    class Forgetful(BaseLayer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self._factor = factor

    class Recording(Forgetful):
        def get_config(self):
            return {**keras.layers.Layer.get_config(self), "factor": self._factor}

    with pytest.raises(ValueError, match="attribute for each constructor .* Received: Forgetful without factor"):
        Forgetful(2.0).get_config()
    assert Recording(2.0).get_config()["factor"] == 2.0
