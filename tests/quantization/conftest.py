from keras_transformer.quantization import int8_matmul

# The operation is in TensorFlow for x86 processors.
collect_ignore_glob = [] if int8_matmul.is_available() else ["test_*.py"]
