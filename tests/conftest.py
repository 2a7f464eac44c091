import keras
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """The same random weights in each run, and no policy left over from another test."""
    keras.utils.set_random_seed(11)
    yield
    keras.config.set_dtype_policy("float32")
