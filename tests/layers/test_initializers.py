import keras
import numpy as np
import pytest

from keras_transformer.layers import EncoderBlock, FusedInitializer


def test_each_part_is_initialised_alone():
    fused = FusedInitializer(keras.initializers.GlorotUniform(seed=1), 3)((40, 90))
    alone = keras.initializers.GlorotUniform(seed=1)((40, 30))
    parts = np.split(np.asarray(fused), 3, axis=-1)
    np.testing.assert_array_equal(parts[0], alone)
    assert not np.allclose(parts[0], parts[1]) and not np.allclose(parts[1], parts[2])


def test_round_trip():
    fused = FusedInitializer(keras.initializers.HeNormal(seed=5), 2)
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(fused))
    np.testing.assert_array_equal(fused((3, 4)), revived((3, 4)))


@pytest.mark.parametrize(
    "initializer",
    [
        keras.initializers.GlorotUniform(),
        keras.initializers.GlorotUniform(seed=1),
        keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(1)),
        lambda shape, dtype: keras.random.normal(shape, dtype=dtype),
    ],
    ids=["unseeded", "seed", "generator", "function"],
)
def test_no_two_matrices_of_a_block_are_alike(initializer):
    block = EncoderBlock(2, 12, kernel_initializer=initializer)
    block.build((None, None, 12))
    parts = np.split(np.asarray(block.self_attention.query_key_value.kernel), 3, axis=-1)
    matrices = [
        *parts,
        np.asarray(block.self_attention.output_projection.kernel),
        np.asarray(block.feed_forward.intermediate_dense.kernel),
        np.asarray(block.feed_forward.output_dense.kernel),
    ]
    for i, one in enumerate(matrices[:4]):
        for other in matrices[i + 1 : 4]:
            assert not np.allclose(one, other)
    assert not np.allclose(matrices[4], matrices[5])
