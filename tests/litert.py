"""TensorFlow's own runtime of LiteRT's models, which needs no package beside."""

import warnings

import tensorflow as tf


def interpreter(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it tells of its successor
        return tf.lite.Interpreter(model_content=model)
