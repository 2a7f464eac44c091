import keras
import numpy as np
import pytest

from keras_transformer.models import DeepAveragingNetwork, SentenceEncoder

SIZES = {"vocabulary_size": 19, "num_layers": 1, "hidden_dim": 6, "output_dim": 5}
IDS = np.array([[4, 5, 6], [7, 0, 0]])


def test_arguments_are_recorded_with_their_defaults():
    model = DeepAveragingNetwork(num_bigram_buckets=0, name="mine", dtype="mixed_bfloat16", **SIZES)
    config = model.get_config()
    assert (config["vocabulary_size"], config["pooling"], config["activation"]) == (19, "mean", "relu")
    assert config["name"] == "mine" and config["dtype"]["config"]["name"] == "mixed_bfloat16"
    again = DeepAveragingNetwork.from_config(config)
    assert again.get_config() == config


@keras.saving.register_keras_serializable("tests")
class Halved(SentenceEncoder):
    """A user's model on one of ours."""

    def __init__(self, half_dim, **kwargs):
        super().__init__(hidden_dim=2 * half_dim, intermediate_dim=8, num_heads=2, **kwargs)


def test_a_subclass_with_arguments_of_its_own(tmp_path):
    model = Halved(half_dim=3, vocabulary_size=19, num_layers=1, output_dim=5, dropout=0.2)
    assert model.get_config()["half_dim"] == 3 and model.get_config()["dropout"] == 0.2
    model.save(tmp_path / "halved.keras")
    reloaded = keras.models.load_model(tmp_path / "halved.keras")
    np.testing.assert_allclose(reloaded(IDS), model(IDS), atol=1e-6)


def test_lora_trains_little_and_once():
    model = SentenceEncoder(intermediate_dim=8, num_heads=2, **SIZES)
    whole = model.count_params()
    model.enable_lora(2)
    assert 0 < sum(int(np.prod(v.shape)) for v in model.trainable_variables) < whole
    assert all("lora" in variable.name for variable in model.trainable_variables)
    with pytest.raises(ValueError, match="Expected a model without LoRA"):
        model.enable_lora(2)
    with pytest.raises(ValueError, match="positive integer. Received: rank=0"):
        SentenceEncoder(intermediate_dim=8, num_heads=2, **SIZES).enable_lora(0)


def test_cloned():
    model = DeepAveragingNetwork(num_bigram_buckets=0, **SIZES)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_allclose(clone(IDS), model(IDS), atol=1e-6)
