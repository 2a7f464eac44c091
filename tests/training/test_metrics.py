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


@pytest.mark.parametrize("metric", [TokenAccuracy(3, name="a"), Perplexity(3, name="p")])
def test_round_trip(metric):
    revived = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(revived) is type(metric) and revived.get_config() == metric.get_config()
