import numpy as np

from keras_transformer.training import consistency_losses


def test_by_hand():
    # p = (1/4, 3/4), q = (1/2, 1/2): (KL(p||q) + KL(q||p)) / 2 = (p - q) (ln p - ln q) / 2 summed.
    p, q = np.log([[[0.25, 0.75]]]), np.log([[[0.5, 0.5]]])
    wanted = 0.5 * (-0.25 * np.log(0.5) + 0.25 * np.log(1.5))
    np.testing.assert_allclose(consistency_losses(p + 3.0, q), [[wanted]], rtol=1e-6)
    np.testing.assert_allclose(consistency_losses(q, p), [[wanted]], rtol=1e-6)


def test_equal_predictions_have_none_and_low_precision_is_summed_in_float32():
    logits = np.random.default_rng(3).normal(size=(2, 3, 500)).astype("float16") * 5
    losses = np.asarray(consistency_losses(logits, logits))
    assert losses.dtype == np.float32 and losses.shape == (2, 3)
    np.testing.assert_array_equal(losses, 0)
    other = logits[..., ::-1]
    p, q = (np.exp(x.astype("float64")) / np.exp(x.astype("float64")).sum(-1, keepdims=True) for x in (logits, other))
    wanted = 0.5 * (p * np.log(p / q) + q * np.log(q / p)).sum(-1)
    np.testing.assert_allclose(consistency_losses(logits, other), wanted, rtol=1e-5)
