"""Attention in blocks on JAX."""

from tests.layers.test_blockwise_attention import *  # noqa: F403
