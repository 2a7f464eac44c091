import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.hub.adopted_variables import adopt_variables
from keras_transformer.hub.saved_model_function import choose_function


def test_values_are_shared(scaler):
    saved_model = tf.saved_model.load(scaler)
    (scale,), (offset,) = adopt_variables(choose_function(saved_model, scaler), trainable=True, handle=scaler)
    assert (scale.trainable, offset.trainable, scale.name) == (True, False, "scale")
    scale.assign([3.0, 4.0])
    np.testing.assert_array_equal(saved_model.variables[0], [3, 4])
    assert float(scale.regularizer(scale)) == 0.5 * (9 + 16)


def test_nothing_to_train(keras_export):
    path = keras_export[0]
    saved_model = tf.saved_model.load(path)
    function = choose_function(saved_model, path, for_inference=True)
    with pytest.raises(ValueError, match="Expected trainable=False: .* has no trainable weights. Received: "):
        adopt_variables(function, trainable=True, handle=path)
    assert [len(variables) for variables in adopt_variables(function, trainable=False, handle=path)] == [0, 2]
