import numpy as np
import scipy.stats

from keras_transformer.evaluation.estimate import bootstrap_interval


def test_the_interval_is_that_of_scipy():
    """Up to the noise of 4,000 resamples."""
    values = np.random.default_rng(1).exponential(size=200)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=2)
    ours = bootstrap_interval(lambda drawn: values[drawn].mean(), len(values), 4000)
    np.testing.assert_allclose(ours, theirs.confidence_interval, atol=0.02)
    assert ours == bootstrap_interval(lambda drawn: values[drawn].mean(), len(values), 4000)


def test_undefined_resamples_are_left_out():
    low, high = bootstrap_interval(lambda drawn: np.nan if drawn[0] else 2.0, 2, 50)
    assert (low, high) == (2, 2)
    assert np.isnan(bootstrap_interval(lambda drawn: np.nan, 2, 50)).all()
