"""SavedModels as other people write them, without this package."""

import os

import keras
import numpy as np
import tensorflow as tf


def write_module(path):
    """A plain `tf.Module`, x @ weight + offset, whose root lists no variables; the offset is not trainable."""

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.weight = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="weight")
            self.offset = tf.Variable(5.0, trainable=False, name="offset")

        @tf.function(input_signature=[tf.TensorSpec([None, 2])])
        def __call__(self, x):
            return x @ self.weight + self.offset

    tf.saved_model.save(Module(), path)


def write_scaler(path):
    """The reusable interface: x times a trained scale, an offset in training mode only, one regularization loss."""
    root = tf.train.Checkpoint()
    scale, offset = tf.Variable([1.0, 2.0], name="scale"), tf.Variable(10.0, trainable=False, name="offset")
    root.variables, root.trainable_variables = [scale, offset], [scale]
    root.regularization_losses = [tf.function(lambda: 0.5 * tf.reduce_sum(scale**2), input_signature=[])]
    root.__call__ = tf.function(lambda x, training=False: x * scale + (offset if training else 0.0))
    for training in (False, True):
        root.__call__.get_concrete_function(tf.TensorSpec([None, 2]), training=training)
    tf.saved_model.save(root, path)


def write_embedding(path):
    """The reusable interface: strings, a vocabulary in an asset, a trained vector for each word and for the others.

    Keyword argument `repeated`: how often the vector is repeated, 1 or 2.
    """
    vocabulary = f"{path}-words.txt"
    with open(vocabulary, "w") as file:
        file.write("dog\ncat\n")
    root = tf.train.Checkpoint()
    initializer = tf.lookup.TextFileInitializer(
        vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    root.table = tf.lookup.StaticVocabularyTable(initializer, num_oov_buckets=1)
    vectors = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], name="vectors")
    root.variables = root.trainable_variables = [vectors]
    root.regularization_losses = [tf.function(lambda: 0.01 * tf.reduce_sum(vectors**2), input_signature=[])]
    root.__call__ = tf.function(
        lambda texts, repeated=1: tf.concat([tf.gather(vectors, root.table.lookup(texts))] * repeated, axis=-1)
    )
    for repeated in (1, 2):
        root.__call__.get_concrete_function(tf.TensorSpec([None], tf.string), repeated=repeated)
    tf.saved_model.save(root, path)
    os.remove(vocabulary)  # the SavedModel has its own copy


def write_tf_keras(path):
    """A model of Keras 2: dense with a penalty, batch normalization. Returns it."""
    import tf_keras

    inputs = tf_keras.Input((3,))
    dense = tf_keras.layers.Dense(2, kernel_regularizer=tf_keras.regularizers.L2(0.1))
    model = tf_keras.Model(inputs, tf_keras.layers.BatchNormalization(momentum=0.5)(dense(inputs)))
    model.compile(tf_keras.optimizers.SGD(0.1), "mse")
    model.save(path, save_format="tf")
    return model


def write_keras_export(path):
    """What Keras 3 exports: dictionaries of inputs and outputs, no reusable interface. Returns the model."""
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    outputs = keras.layers.Dense(2)(keras.layers.Concatenate()([a, b]))
    model = keras.Model({"a": a, "b": b}, {"once": outputs, "twice": 2.0 * outputs})
    model.export(path, verbose=False)
    return model


def write_tf1(path, hub_format=False, with_training_graph=False, resource_variables=True):
    """A graph of TF1 with a table: strings "text" to the word's number times 2, "default", and to twice that."""
    vocabulary = f"{path}-words.txt"
    with open(vocabulary, "w") as file:
        file.write("dog\ncat\n")
    v1 = tf.compat.v1
    tags = [] if hub_format else ["serve"]
    with tf.Graph().as_default() as graph, v1.Session() as session:
        text = v1.placeholder(tf.string, [None])
        factor = v1.get_variable("factor", initializer=[2.0], use_resource=resource_variables)
        initializer = tf.lookup.TextFileInitializer(
            vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        )
        number = tf.cast(tf.lookup.StaticVocabularyTable(initializer, 1).lookup(text), tf.float32) * factor
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        signature = v1.saved_model.predict_signature_def({"text": text}, {"default": number, "twice": 2 * number})
        builder = v1.saved_model.Builder(path)
        builder.add_meta_graph_and_variables(
            session, tags, {"default": signature},
            assets_collection=graph.get_collection(v1.GraphKeys.ASSET_FILEPATHS), main_op=v1.tables_initializer(),
        )  # fmt: skip
        if with_training_graph:
            builder.add_meta_graph(["train", *tags], {"default": signature})
        builder.save()
    os.remove(vocabulary)
    if hub_format:
        with open(os.path.join(path, "tfhub_module.pb"), "wb") as file:
            file.write(b"\x08\x03")  # the message's field `format`: 3


def save_root(path, call, *specs):
    """Writes a SavedModel whose root is `call`, traced for each of `specs`; gives its path."""
    root = tf.train.Checkpoint()
    root.__call__ = tf.function(call)
    for spec in specs:
        root.__call__.get_concrete_function(spec)
    tf.saved_model.save(root, str(path))
    return path


# Inputs: of the module and the scaler; of Keras' export; of what takes strings.
X = np.array([[1.0, 1.0], [3.0, 4.0]], "float32")
A, B = np.array([[1.0, 2.0, 3.0]], "float32"), np.array([[4.0, 5.0]], "float32")
WORDS = ["cat", "dog", "cow"]

# What Git leaves in the place of a file that Git LFS has not fetched.
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
