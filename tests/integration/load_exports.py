"""Loads exports in every way that loads SavedModels: python load_exports.py EXPORTS TEXTS OUT CONVERTED BERT MARIAN

EXPORTS and CONVERTED are folders that `write_exports.py` wrote, OUT is for the files of `saved_model_cli`, BERT and
MARIAN are texts for the converted models. Prints JSON: what each way gives. This package is not imported.
"""

import ctypes
import importlib.metadata
import json
import os
import sys

import keras
import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tensorflow_text  # noqa: F401 - registers the tokenizers' operations
import tf_keras

folder, texts, out, converted = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
texts_of_converted = {"bert": json.loads(sys.argv[5]), "marian": json.loads(sys.argv[6])}
v1 = tf.compat.v1
found = {}
# As TensorFlow Serving does when it starts, unless it is told otherwise.
library = ctypes.CDLL(os.path.join(os.path.dirname(tf.__file__), "libtensorflow_cc.so.2"))
library._ZN10tensorflow21DisableXlaCompilationEv()
try:
    tf.function(lambda x: x + 1, jit_compile=True)(1)
except tf.errors.OpError as error:
    found["XLA"] = str(error)


def plain(value):
    value = np.asarray(value)
    return [x.decode("utf-8", "replace") for x in value.ravel()] if value.dtype == object else value.tolist()


def inputs_of(names):
    """Texts for each input; numbers as a server gets them, one for each text."""
    values = {
        **dict.fromkeys(("seed", "temperature", "top_p", "length_penalty"), np.full(len(texts), 1)),
        "prefixes": np.array([""] * len(texts)),
    }
    return {name: values.get(name, np.array(texts)) for name in names}


for name in sorted(os.listdir(folder)):
    for version in sorted(os.listdir(os.path.join(folder, name))):
        path = os.path.join(folder, name, version)
        ways = found[name + version] = {}
        with tf.Graph().as_default() as graph, v1.Session() as session:
            signatures = v1.saved_model.load(session, ["serve"], path).signature_def
            for signature, definition in signatures.items():
                if signature == "__saved_model_init_op":
                    continue
                ids = {"inputs": np.full([len(texts), 3], [5, 6, 3])}
                inputs = ids if signature == "ids" else inputs_of(definition.inputs)
                outputs = session.run(
                    {key: value.name for key, value in definition.outputs.items()},
                    {definition.inputs[key].name: value for key, value in inputs.items()},
                )
                assert all(len(value) == len(texts) for value in outputs.values()), (path, signature)
                ways[signature] = {key: plain(value) for key, value in outputs.items()}
            ways["variable operations"] = sum(
                "Variable" in op.type or "VarHandle" in op.type for op in graph.get_operations()
            )
        if name == "classifier":  # whose root Keras does not make callable
            continue
        main = "question_encoder" if name == "question_answer" else "serving_default"
        model = hub.load(path)
        ways["hub.load"] = plain(model(texts))
        ways["empty"] = model(tf.constant([], tf.string)).shape.as_list()
        ways["signatures"] = sorted(model.signatures)
        ways["variables"] = [len(model.variables), len(model.trainable_variables)]
        if name + version not in ("embedder1", "embedder4", "translator1", "question_answer1"):
            continue
        ways["TFSMLayer"] = plain(keras.layers.TFSMLayer(path, call_endpoint=main)(tf.constant(texts))["outputs"])
        # The command of the tensorflow package, in this process, where the tokenizer's operations are registered.
        (command,) = importlib.metadata.entry_points(group="console_scripts", name="saved_model_cli")
        argument = "input" if name == "question_answer" else "inputs"
        written = os.path.join(out, name + version)
        sys.argv = [
            "saved_model_cli",
            "run",
            "--dir",
            path,
            "--tag_set",
            "serve",
            "--signature_def",
            main,
            "--input_exprs",
            argument + "=" + repr(texts),
            "--outdir",
            written,
        ]
        try:
            command.load()()
        except SystemExit as done:
            assert not done.code, done
        ways["saved_model_cli"] = plain(np.load(os.path.join(written, "outputs.npy"), allow_pickle=True))

layer = hub.KerasLayer(os.path.join(folder, "embedder", "1"), trainable=True)
model = tf_keras.Sequential([tf_keras.layers.InputLayer((), dtype=tf.string), layer, tf_keras.layers.Dense(1)])
found["KerasLayer"] = {"before": plain(model.layers[0](tf.constant(texts)))}
model.compile(tf_keras.optimizers.Adam(0.01), "mse")
wanted = tf.constant([[float(len(text) > 5)] for text in texts])
found["KerasLayer"]["losses"] = model.fit(tf.constant(texts), wanted, epochs=4, verbose=0).history["loss"]
found["KerasLayer"]["trained"] = plain(model.layers[0](tf.constant(texts)))
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(layer(tf.constant(texts), training=False) ** 3)
found["KerasLayer"]["gradients"] = [g is not None for g in tape.gradient(loss, layer.trainable_variables)]
frozen = hub.KerasLayer(os.path.join(folder, "embedder", "2"))
found["KerasLayer"]["frozen"] = plain(frozen(tf.constant(texts)))
for name, its_texts in texts_of_converted.items():
    found[name] = plain(hub.load(os.path.join(converted, name))(its_texts))
found["imported"] = "keras_transformer" in sys.modules
print(json.dumps(found))
