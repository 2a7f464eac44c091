import numpy as np
import pytest

from keras_transformer.layers import SegmentEmbedding


def test_adds_the_vector_of_the_segment():
    layer = SegmentEmbedding()
    x, segment_ids = np.arange(12.0).reshape(1, 4, 3), np.array([[0, 1, 5, -2]])
    np.testing.assert_array_equal(layer(x, segment_ids), x)  # at first
    table = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    layer.embeddings.assign(table)
    np.testing.assert_array_equal(layer(x, segment_ids), x + table[[0, 1, 1, 0]])


def test_needs_a_segment():
    with pytest.raises(ValueError, match="num_segments=0"):
        SegmentEmbedding(num_segments=0)
