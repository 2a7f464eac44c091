"""SentencePiece models inside the graph, by tensorflow_text."""

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


class _SharedModel(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model in memory, under a name made of its content, for as long as the process lives.

    The resource that tensorflow_text makes belongs to the kernel that made it, and goes when TensorFlow clears its
    kernel cache: after `tf.random.set_seed` every tokenizer made before fails with "Resource does not exist".
    """

    def __init__(self, model):
        super().__init__()
        self._model = model
        self.resource_handle  # noqa: B018 - makes the resource, now and in this scope

    def _create_resource(self):
        # No public function takes the name.
        from tensorflow_text.python.ops.sentencepiece_tokenizer import gen_sentencepiece_tokenizer

        name = "sentencepiece-" + hashlib.sha256(self._model).hexdigest()
        return gen_sentencepiece_tokenizer.sentencepiece_op(model=self._model, shared_name=name)
