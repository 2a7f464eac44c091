import json
import os

import numpy as np
import tensorflow as tf

from keras_transformer import arguments
from keras_transformer.export import litert
from keras_transformer.export.litert_metadata import associated_files
from keras_transformer.pipelines.embedding import EmbedsTexts, known_prompt
from keras_transformer.pipelines.litert_export import (
    INPUTS,
    OUTPUT,
    SETTINGS_FILE,
    TOKENIZER_FILE,
    longest_inputs,
    model_inputs,
    signature,
)
from keras_transformer.text.device_tokenizer import lower_ascii
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.tokenizer import as_strings
from keras_transformer.types import PathLike, Texts

_LENGTHS = (16, 32, 64, 128, 256)  # of inputs, where the file leaves them open: a text is padded to the next


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
        prompts: {role: text}, those of the embedder that was exported.

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
        self.prompts = settings.get("prompts", {})
        self._word_piece = settings["word_piece"]
        self._tokenizer = load_processor(files[TOKENIZER_FILE])
        pieces = map(self._tokenizer.id_to_piece, range(self._tokenizer.vocab_size()))
        self._pieces = [(piece.startswith(" "), len(piece.strip(" "))) for piece in pieces] if self._word_piece else []
        self._num_threads = arguments.positive_integer("num_threads", num_threads)
        self._lengths = settings.get("lengths") or self._own_lengths()
        # One for all lengths: its signatures have inputs of one length each.
        self._interpreter = self._new_interpreter() if settings.get("lengths") else None
        self._runners = {}  # {length: from inputs to a vector}
        self.output_dim = len(self._vector([]))

    def _own_lengths(self):
        """Of a file with inputs of any length."""
        longest = longest_inputs(self.max_length, self._word_piece is not None)
        return [*(length for length in _LENGTHS if length < longest), longest]

    def num_tokens(self, texts: Texts, prompt: str | None = None) -> tf.Tensor:
        """As `TextEmbedder.num_tokens`."""
        return tf.constant([self._num_tokens(self._ids(text, prompt)) for text in as_strings(texts).numpy()], tf.int64)

    def _ids(self, text, prompt):
        """UTF-8, behind the prompt of a role, as ids of the pieces of the file's tokenizer."""
        before = self.prompts[known_prompt(self.prompts, prompt)] if prompt is not None else ""
        return self._tokenizer.encode(lower_ascii(before + text.decode("utf-8", "replace")))

    def _num_tokens(self, ids):
        """How many tokens the graph makes of pieces."""
        if self._word_piece is None:
            return len(ids)
        unknown, space, longest = self._tokenizer.unk_id(), len(self._pieces) - 1, self._word_piece["max_word_length"]
        words = []  # (pieces, characters) of each; one that has an unknown part is too long
        for number in ids:
            begins, characters = self._pieces[number]
            is_bad = number in (unknown, space)
            if begins and number != unknown:
                words.append([0, 0])
            words[-1][0] += 1
            words[-1][1] += longest + 1 if is_bad else characters
        return 2 + sum(1 if characters > longest else pieces for pieces, characters in words)

    def _embed_batch(self, texts, prompt=None):
        vectors = np.empty([len(texts), self.output_dim], np.float32)
        lengths = np.empty([len(texts)], np.int64)
        for place, text in enumerate(texts):
            ids = self._ids(text, prompt)
            lengths[place] = self._num_tokens(ids)
            vectors[place] = self._vector(ids)
        return vectors, lengths

    def _vector(self, ids):
        length = next((length for length in self._lengths if len(ids) + 2 <= length), self._lengths[-1])
        if length not in self._runners:
            make = self._resized if self._interpreter is None else self._of_signature
            self._runners[length] = make(length)
        return self._runners[length](model_inputs(ids, length))

    def _resized(self, length):
        """Of an interpreter for inputs of a length. One that is resized again may give wrong values, by XNNPACK."""
        interpreter = self._new_interpreter()
        details = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
        places = {name: details[f"serving_default_{name}:0"] for name in INPUTS}
        for place in places.values():
            interpreter.resize_tensor_input(place, [1, length])
        interpreter.allocate_tensors()
        (output,) = interpreter.get_output_details()

        def run(inputs):
            for name, value in inputs.items():
                interpreter.set_tensor(places[name], value)
            interpreter.invoke()
            return interpreter.get_tensor(output["index"])[0]

        return run

    def _of_signature(self, length):
        runner = self._interpreter.get_signature_runner(signature(length))
        return lambda inputs: runner(**inputs)[OUTPUT][0]

    def _new_interpreter(self):
        return litert.interpreter(self.path, self._num_threads)
