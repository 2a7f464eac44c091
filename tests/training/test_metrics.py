import keras
import numpy as np
import pytest

from keras_transformer.training import Perplexity, TokenAccuracy

# Two ids besides padding; probabilities 1/4 and 3/4 for ids 1 and 2.
LOGITS = np.tile(np.array([-1e9, 0.0, np.log(3)], "float32"), (2, 2, 1))
LABELS = np.array([[2, 1], [2, 0]])


def test_accuracy_by_hand():
    metric = TokenAccuracy()
    metric.update_state(LABELS, LOGITS)
    assert float(metric.result()) == pytest.approx(2 / 3)
    metric.update_state(np.array([[1, 0]]), LOGITS[:1])
    assert float(metric.result()) == pytest.approx(2 / 4)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_perplexity_by_hand():
    metric = Perplexity()
    metric.update_state(LABELS, LOGITS)
    assert float(metric.result()) == pytest.approx((4 / 3 * 4 / 1 * 4 / 3) ** (1 / 3), rel=1e-5)


def test_sample_weights():
    metric = TokenAccuracy()
    metric.update_state(LABELS, LOGITS, sample_weight=np.array([0.0, 1.0]))
    assert float(metric.result()) == 1


@pytest.mark.parametrize("metric_class", [TokenAccuracy, Perplexity])
def test_logits_of_what_does_not_count_may_be_anything(metric_class):
    logits, weights = LOGITS.copy(), np.array([[1.0, 0.0], [1.0, 1.0]])
    logits[0, 1], logits[1, 1] = np.nan, np.inf  # without weight, and of padding
    clean, spoiled = metric_class(), metric_class()
    clean.update_state(LABELS, LOGITS, weights)
    spoiled.update_state(LABELS, logits, weights)
    assert float(spoiled.result()) == float(clean.result())


@pytest.mark.parametrize("metric_class", [TokenAccuracy, Perplexity])
def test_labels_of_another_length(metric_class):
    with pytest.raises(ValueError, match=r"y_true of shape \(2, 1\), y_pred of \(2, 2, 3\)"):
        metric_class().update_state(LABELS[:, :1], LOGITS)


@pytest.mark.parametrize("metric", [TokenAccuracy(3, name="a"), Perplexity(3, name="p")])
def test_round_trip(metric):
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(revived) is type(metric) and revived.get_config() == metric.get_config()
