import numpy as np
import pytest

from keras_transformer.layers import DecoderBlock, EncoderBlock


@pytest.mark.parametrize("block_class", [EncoderBlock, DecoderBlock])
@pytest.mark.parametrize(
    "config, message",
    [
        ({"num_heads": 0}, "positive integer. Received: num_heads=0"),
        ({"intermediate_dim": -4}, "positive integer. Received: intermediate_dim=-4"),
        ({"dropout": 1.0}, r"number in \[0, 1\). Received: dropout=1.0"),
        ({"activation_dropout": -0.1}, r"number in \[0, 1\). Received: activation_dropout=-0.1"),
        ({"layer_norm_epsilon": 0}, "above 0. Received: layer_norm_epsilon=0"),
    ],
)
def test_bad_arguments(block_class, config, message):
    with pytest.raises(ValueError, match=message):
        block_class(**{"num_heads": 2, "intermediate_dim": 8, **config})


def test_arguments_reach_the_sublayers():
    block = EncoderBlock(
        2, 12, key_dim=3, dropout=0.2, attention_dropout=0.3, activation_dropout=0.4, activation="gelu", use_bias=False
    )
    block(np.zeros((1, 2, 8), "float32"))
    assert block.self_attention.head_dim == 3 and block.self_attention.attention_dropout.rate == 0.3
    assert block.feed_forward.activation_dropout.rate == 0.4
    assert block.feed_forward.intermediate_dense.activation.__name__ == "gelu"
    assert block.self_attention_add_norm.output_dropout.rate == block.feed_forward_add_norm.output_dropout.rate == 0.2
    assert not any("bias" in weight.path for weight in block.weights)
