import json
import os

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.export import litert
from keras_transformer.export.litert_metadata import associated_files
from keras_transformer.pipelines.embedding import EmbedsTexts
from keras_transformer.pipelines.litert_export import SETTINGS_FILE, TOKENIZER_FILE, inputs_length, model_inputs
from keras_transformer.text.device_tokenizer import lower_ascii
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Texts

_LENGTHS = (16, 32, 64, 128, 256)  # of inputs: a text is padded to the next


class LiteRtEmbedder(EmbedsTexts):
    """A file of LiteRT from strings to vectors, called as a `TextEmbedder` is.

    It runs what `TextEmbedder.export(path, format="litert")` wrote, with the tokenizer in the file, in LiteRT's own
    runtime (`ai-edge-litert`, the extra "litert") or, without that, in the older one of TensorFlow.

    Args:
        path: of the file.
        num_threads: of the runtime.

    Attributes:
        path: of the file.
        output_dim: the width D of the vectors.
        max_length: longer texts are truncated to so many tokens.

    Raises:
        FileNotFoundError: if there is no file.
        ValueError: if it is no model of LiteRT, or another's.

    Example:
        >>> from keras_transformer.models import DeepAveragingNetwork
        >>> from keras_transformer.text import SubwordTokenizer
        >>> tokenizer = SubwordTokenizer.from_texts(["a red dog", "a cat"] * 9, vocabulary_size=20, lower_case=True)
        >>> encoder = DeepAveragingNetwork(tokenizer.vocabulary_size, 9, hidden_dim=8, output_dim=6, num_layers=1)
        >>> embedder = keras_transformer.TextEmbedder(encoder, tokenizer)
        >>> embedder.export(tmp_path / "encoder.tflite", format="litert")
        >>> on_device = keras_transformer.pipelines.LiteRtEmbedder(tmp_path / "encoder.tflite")
        >>> texts = ["a red dog", "a Cat", ""]
        >>> np.allclose(on_device.embed(texts), embedder.embed(texts), atol=1e-5)
        True
    """

    def __init__(self, path: PathLike, num_threads: int = 1) -> None:
        self.path = os.fspath(path)
        files = associated_files(self.path)
        if missing := {TOKENIZER_FILE, SETTINGS_FILE} - set(files):
            raise ValueError(f"Expected a file that TextEmbedder.export wrote. Received {self.path}: no {min(missing)}")
        settings = json.loads(files[SETTINGS_FILE])
        self.max_length = settings["max_length"]
        self._word_piece = settings["word_piece"]
        self._tokenizer = load_processor(files[TOKENIZER_FILE])
        self._num_threads = arguments.positive_integer("num_threads", num_threads)
        longest = inputs_length(self.max_length, self._word_piece is not None)
        if self._word_piece is not None:
            longest *= 4  # unknown words have many pieces
        self._lengths = [*(length for length in _LENGTHS if length < longest), longest]
        self._runners = {}  # {length: (interpreter, {input: its place}, the place of the output)}
        interpreter, *_ = self._runner(self._lengths[0])
        self.output_dim = int(interpreter.get_output_details()[0]["shape_signature"][-1])

    def num_tokens(self, texts: Texts) -> tf.Tensor:
        """As `TextEmbedder.num_tokens`."""
        return tf.constant([self._num_tokens(self._ids(text)) for text in as_strings(texts).numpy()], tf.int64)

    def _ids(self, text):
        """UTF-8 as ids of the pieces of the file's tokenizer."""
        return self._tokenizer.encode(lower_ascii(text.decode("utf-8", "replace")))

    def _num_tokens(self, ids):
        """How many tokens the graph makes of pieces."""
        if self._word_piece is None:
            return len(ids)
        pieces = [self._tokenizer.id_to_piece(number) for number in ids]
        unknown, space = self._tokenizer.unk_id(), self._tokenizer.vocab_size() - 1
        words = []
        for number, piece in zip(ids, pieces):
            if piece.startswith(" ") and number != unknown:
                words.append([])
            words[-1].append((number, len(piece.strip(" "))))
        longest = self._word_piece["max_word_length"]
        return 2 + sum(
            1 if {unknown, space} & {number for number, _ in word} or sum(n for _, n in word) > longest else len(word)
            for word in words
        )

    def _embed_batch(self, texts):
        vectors = np.empty([len(texts), self.output_dim], np.float32)
        lengths = np.empty([len(texts)], np.int64)
        for place, text in enumerate(texts):
            ids = self._ids(text)
            lengths[place] = self._num_tokens(ids)
            vectors[place] = self._vector(ids)
        return vectors, lengths

    def _vector(self, ids):
        length = next((length for length in self._lengths if len(ids) + 2 <= length), self._lengths[-1])
        interpreter, places, output = self._runner(length)
        for name, value in model_inputs(ids, length).items():
            interpreter.set_tensor(places[name], value)
        interpreter.invoke()
        return interpreter.get_tensor(output)[0]

    def _runner(self, length):
        """The interpreter for inputs of a length. One that is resized again may give wrong values, by XNNPACK."""
        if length not in self._runners:
            interpreter = litert.interpreter(self.path, self._num_threads)
            details = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
            places = {name: details[f"serving_default_{name}:0"] for name in ("ids", "segment_ids", "mask")}
            for place in places.values():
                interpreter.resize_tensor_input(place, [1, length])
            interpreter.allocate_tensors()
            (output,) = interpreter.get_output_details()
            self._runners[length] = interpreter, places, output["index"]
        return self._runners[length]
