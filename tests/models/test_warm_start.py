import numpy as np
import pytest

from keras_transformer.models import SentenceEncoder, Transformer, warm_start

NARROW = {"num_layers": 1, "hidden_dim": 8, "intermediate_dim": 6, "num_heads": 2, "dropout": 0.0}
BATCH = {"source_ids": np.array([[4, 5, 3, 0]]), "target_ids": np.array([[2, 6, 7]])}


def build(**changes):
    return Transformer(11, **{**NARROW, **changes})


@pytest.mark.parametrize("options", [{}, {"norm_first": True, "activation": "gelu"}])
def test_a_wider_model_begins_by_computing_the_same_and_learns_with_all_it_has(options):
    narrow, wide = build(**options), build(**options, intermediate_dim=10)
    narrow.set_weights([np.random.default_rng(i).normal(size=w.shape) for i, w in enumerate(narrow.weights)])
    warm_start(wide, narrow)
    np.testing.assert_allclose(wide(BATCH), narrow(BATCH), atol=1e-5)
    wide.compile("sgd", "mse")
    feed_forward = wide.encoder_blocks[0].feed_forward
    before = feed_forward.output_dense.kernel.numpy()
    assert not before[6:].any() and feed_forward.intermediate_dense.kernel.numpy()[:, 6:].any()
    wide.fit(BATCH, np.ones((1, 3, 11)), verbose=0)
    assert (feed_forward.output_dense.kernel.numpy()[6:] != 0).any(axis=1).sum() > 0


def test_an_equally_wide_one_gets_the_weights():
    model, other = build(), build()
    warm_start(other, model)
    for weight, expected in zip(other.weights, model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_encoders_are_widened_too():
    narrow, wide = (SentenceEncoder(11, **{**NARROW, "intermediate_dim": width}) for width in (6, 7))
    warm_start(wide, narrow)
    np.testing.assert_allclose(wide(BATCH["source_ids"]), narrow(BATCH["source_ids"]), atol=1e-6)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"intermediate_dim": 5}, "with more hidden units. Received: .*5"),
        ({"hidden_dim": 12}, "Expected .*embeddings of shape"),
        ({"num_layers": 2}, "as many weights"),
    ],
)
def test_refuses_others(changes, message):
    wide = build(**changes)
    before = wide.get_weights()
    with pytest.raises(ValueError, match=message):
        warm_start(wide, build())
    for weight, expected in zip(wide.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, expected)
