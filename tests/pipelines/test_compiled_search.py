import tensorflow as tf

from keras_transformer.pipelines.compiled_search import compiled_search


def test_batches_of_few_shapes_reach_xla():
    """Rows are rounded up to powers of two, lengths to multiples of 16."""
    shapes = []

    def search(source_ids, length_limits, prefix_ids, max_length):
        shapes.append((source_ids.shape, length_limits.shape, prefix_ids.shape))
        return tf.zeros([source_ids.shape[0], 1, 40], tf.int32), tf.zeros([source_ids.shape[0], 1])

    for rows, columns in ((3, 5), (4, 16), (5, 17)):
        found = compiled_search(
            search,
            tf.ones([rows, columns], tf.int32),
            tf.range(rows),
            6,
            source_padding_id=0,
            prefix_padding_id=0,
            prefix_ids=tf.ones([rows, 1], tf.int32),
        )
        assert found.ids.shape == (rows, 1, rows - 1) and found.scores.shape == (rows, 1)
    assert shapes == [((4, 16), (4,), (4, 16)), ((4, 16), (4,), (4, 16)), ((8, 32), (8,), (8, 16))]
