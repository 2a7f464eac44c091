import keras

# These tests are for `make test-jax`, where Keras runs on JAX and TensorFlow is not installed.
collect_ignore_glob = [] if keras.backend.backend() == "jax" else ["test_*.py"]
