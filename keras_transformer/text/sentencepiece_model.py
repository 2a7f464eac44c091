"""SentencePiece models inside the graph, by tensorflow_text."""

import functools
import hashlib
from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    import sentencepiece
    import tensorflow_text


def sentencepiece_tokenizer(model: bytes, out_type: tf.DType) -> "tensorflow_text.SentencepieceTokenizer":
    """A tokenizer of tensorflow_text whose model survives `tf.random.set_seed`.

    Args:
        model: a serialized SentencePiece model.
        out_type: `tf.int32` for ids, `tf.string` for pieces.
    """
    import tensorflow_text

    tokenizer = tensorflow_text.SentencepieceTokenizer(model, out_type=out_type)
    tokenizer._model_resource = _SharedModel(model)  # no public way; the reason is in `_SharedModel`
    return tokenizer


def load_processor(model: bytes) -> "sentencepiece.SentencePieceProcessor":
    """A processor of the sentencepiece library.

    Raises:
        ValueError: if `model` is not a serialized SentencePiece model.
    """
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(model)
        processor.vocab_size()
    except RuntimeError as error:
        raise ValueError(f"Expected a serialized SentencePiece model. Received: {error}") from error
    return processor


def without_paths(model: bytes) -> bytes:
    """Removes the names of the files that training read and wrote, which are private and never used again."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    file_fields = (
        (proto.trainer_spec, ("input", "model_prefix", "seed_sentencepieces_file")),
        (proto.normalizer_spec, ("normalization_rule_tsv",)),
        (proto.denormalizer_spec, ("normalization_rule_tsv",)),
    )
    found = [(spec, field) for spec, fields in file_fields for field in fields if getattr(spec, field)]
    for spec, field in found:
        spec.ClearField(field)
    return proto.SerializeToString(deterministic=True) if found else model


class _SharedModel(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model under a name made of its content, kept in memory until the process ends.

    The resource that tensorflow_text makes belongs to the kernel that made it, and vanishes when TensorFlow clears its
    kernel cache: after `tf.random.set_seed`, every earlier tokenizer fails with "Resource does not exist".
    """

    def __init__(self, model):
        super().__init__()
        # A SavedModel creates the resource in two places. In a function of its own the model is stored once.
        self._create = tf.function(functools.partial(_create, model), autograph=False).get_concrete_function()
        self.resource_handle  # noqa: B018 - creates the resource, now and in this scope

    def _create_resource(self):
        return self._create()


def _create(model):
    # No public function takes the name.
    from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

    name = "sentencepiece-" + hashlib.sha256(model).hexdigest()
    return gen_sentencepiece_tokenizer.sentencepiece_op(model=model, shared_name=name)
