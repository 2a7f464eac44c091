"""SentencePiece models inside the graph, by tensorflow_text."""

import functools
import hashlib

import tensorflow as tf


def sentencepiece_tokenizer(model, out_type):
    """A `tensorflow_text.SentencepieceTokenizer`.

    Args:
        model: a serialised SentencePiece model, `bytes`.
        out_type: `tf.int32` for ids, `tf.string` for pieces.
    """
    import tensorflow_text

    tokenizer = tensorflow_text.SentencepieceTokenizer(model, out_type=out_type)
    tokenizer._model_resource = _SharedModel(model)
    return tokenizer


def load_processor(model):
    """A processor of the sentencepiece library.

    Raises:
        ValueError: if `model` is no serialised SentencePiece model.
    """
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(model)
        processor.vocab_size()
    except RuntimeError as error:
        raise ValueError(f"Expected a serialised SentencePiece model. Received: {error}") from error
    return processor


def without_paths(model):
    """`model` without the names of files that its training read and wrote, which segmentation does not need."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    of_files = (
        (proto.trainer_spec, ("input", "model_prefix", "seed_sentencepieces_file")),
        (proto.normalizer_spec, ("normalization_rule_tsv",)),
        (proto.denormalizer_spec, ("normalization_rule_tsv",)),
    )
    found = [(spec, field) for spec, fields in of_files for field in fields if getattr(spec, field)]
    for spec, field in found:
        spec.ClearField(field)
    return proto.SerializeToString(deterministic=True) if found else model


class _SharedModel(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model in memory, under a name made of its content, for as long as the process lives.

    The resource that tensorflow_text makes belongs to the kernel that made it, and goes when TensorFlow clears its
    kernel cache: after `tf.random.set_seed` every tokenizer made before fails with "Resource does not exist".
    """

    def __init__(self, model):
        super().__init__()
        # A SavedModel makes the resource in two places. In a function of its own the model is stored once.
        self._create = tf.function(functools.partial(_create, model)).get_concrete_function()
        self.resource_handle  # noqa: B018 - makes the resource, now and in this scope

    def _create_resource(self):
        return self._create()


def _create(model):
    # No public function takes the name.
    from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

    name = "sentencepiece-" + hashlib.sha256(model).hexdigest()
    return gen_sentencepiece_tokenizer.sentencepiece_op(model=model, shared_name=name)
