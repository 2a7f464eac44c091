import keras
import pytest

from keras_transformer.layers.renamed import RENAMED


@pytest.mark.parametrize("old", RENAMED)
def test_a_file_with_an_old_name_is_refused_by_its_format(old):
    config = {"name": "old", "trainable": True, "dtype": "float32"}
    serialized = {"class_name": old, "registered_name": f"keras_transformer>{old}", "config": config, "module": None}
    with pytest.raises(Exception, match="format 2. Received: format 1"):
        keras.saving.deserialize_keras_object(serialized)
