"""Names of options, for the command line too, which imports no NumPy before its arguments are right."""

PRECISIONS = ("float32", "int8", "binary")
# How the vectors of candidates are kept for rescoring.
RESCORING = ("int8", "float32")
EXTRA = "pip install 'keras-transformer-layers[search]'"
