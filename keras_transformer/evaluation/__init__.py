"""How good a model is, in numbers and pictures."""

from keras_transformer.evaluation.attention_plot import plot_attention

__all__ = ["plot_attention"]
