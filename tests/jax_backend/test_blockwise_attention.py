"""Attention in blocks on JAX."""

from tests.ops.test_blockwise_attention import *  # noqa: F403
