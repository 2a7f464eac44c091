import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.pipelines.signatures import STRINGS, check_rows, known_ids, lengths_signature, pieces, traced
from keras_transformer.text import ByteTokenizer

V = ByteTokenizer().vocabulary_size


def test_ids_of_clients_end_as_texts_do():
    ids = tf.constant([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0], [2, 7, 8, 3, 0], [-4, V, 3, 0, 0]])
    for has_end, fourth in ((True, 3), (False, 9)):
        wanted = [[2, 7, 8, fourth], [2, 7, 3, 0], [2, 7, 8, 3], [1, 1, 3, 0]]
        np.testing.assert_array_equal(known_ids(ids, ByteTokenizer(), 4, has_end), wanted)


def test_a_row_of_a_client_that_is_cut_at_the_padding_id_ends_too():
    """Between other ids it is a token, which a text may spell."""
    ids = tf.constant([[5, 6, 0, 7, 3], [5, 6, 0, 0, 0]])
    wanted = [[5, 6, 3], [5, 6, 0]]
    np.testing.assert_array_equal(known_ids(ids, ByteTokenizer(), 3, has_end=True), wanted)


def test_traced_functions_keep_their_names_and_refuse_other_shapes():
    @traced(tf.TensorSpec([2, None], name="x"))
    def doubled(x):
        return {"y": 2 * x}

    assert b"doubled" in doubled.name
    np.testing.assert_array_equal(doubled(tf.ones([2, 3]))["y"], np.full((2, 3), 2))
    (placeholder,) = doubled.graph.inputs
    assert placeholder.shape.as_list() == [2, None]
    assert "EnsureShape" in {operation.type for operation in doubled.graph.get_operations()}


def test_rows_are_counted():
    x, inputs = tf.constant([1, 2]), tf.constant(["a", "b"])
    np.testing.assert_array_equal(check_rows("seed", x, inputs), [1, 2])
    np.testing.assert_array_equal(check_rows("seed", x[:1], inputs, or_one=True), [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected as many seed as inputs. Received: seed and"):
        check_rows("seed", x[:1], inputs)


def test_lengths():
    lengths = lengths_signature(lambda texts: tf.cast(tf.strings.length(texts), tf.int64), 7)
    found = lengths(**{STRINGS.name: tf.constant(["abc", ""])})
    assert found["outputs"].numpy().tolist() == [3, 0] and found["longest"].numpy().tolist() == [7, 7]


def test_pieces_end_with_the_last_token():
    tokenizer = ByteTokenizer()
    ids = tokenizer(["ab", "a"]).numpy()
    found = pieces(tokenizer, tf.constant(np.concatenate([ids, [[V + 5, 0], [0, 0]]]))).numpy()
    unknown = pieces(tokenizer, tf.constant([[tokenizer.unknown_id]])).numpy()[0, 0]
    assert found.tolist() == [[b"a", b"b"], [b"a", b""], [unknown, b""], [b"", b""]]
