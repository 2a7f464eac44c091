"""Runs a model of strings in a process of its own: onnxruntime-extensions crash beside TensorFlow."""

import json
import sys

import numpy as np
import onnxruntime
import onnxruntime_extensions

model, texts, found = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
session = onnxruntime.InferenceSession(model, options)
with open(texts, encoding="utf-8") as file:
    lines = json.load(file)
batches = [np.array(lines[start : start + 32], object) for start in range(0, len(lines), 32)]
np.save(found, np.concatenate([session.run(["sentence_embedding"], {"text": batch})[0] for batch in batches]))
