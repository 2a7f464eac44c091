import keras

from keras_transformer.training import TranslationRecipe


def test_muon_without_weight_decay():
    optimizer = TranslationRecipe(optimizer="muon", ema=0.5).make_optimizer(128)
    assert isinstance(optimizer, keras.optimizers.Muon)
    assert (optimizer.adam_beta_2, optimizer.epsilon, optimizer.ema_momentum) == (0.98, 1e-9, 0.5)
    assert optimizer.weight_decay is None and optimizer.adam_weight_decay is None
