"""SentencePiece in Python and on devices, without TensorFlow's graph: what a file of LiteRT carries of a tokenizer."""

import json
import re
from collections.abc import Mapping, Sequence

from keras_transformer.text.marian_tokenizer import MarianTokenizer
from keras_transformer.text.sentencepiece_model import load_processor
from keras_transformer.text.subword_tokenizer import SubwordTokenizer
from keras_transformer.text.tokenizer import Tokenizer

_ID_NAMES = ("padding_id", "unknown_id", "begin_id", "end_id")
_LANGUAGE = re.compile("(>>.*?<<)(.*)", re.DOTALL)


class PieceTokenizer:
    """A SentencePiece model and, of Marian's, the vocabulary that its pieces have ids in.

    Args:
        model: a serialized SentencePiece model.
        ids: {"padding_id": number, "unknown_id": ..., "begin_id": ..., "end_id": ...}.
        vocabulary: the pieces in the order of their ids; `None` where the model has them.

    Attributes:
        padding_id: as in `ids`.
        unknown_id: as in `ids`.
        begin_id: as in `ids`.
        end_id: as in `ids`.

    Raises:
        ValueError: if `model` is not a SentencePiece model.

    Example:
        >>> from keras_transformer.text.piece_tokenizer import PieceTokenizer
        >>> from keras_transformer.text import SubwordTokenizer
        >>> subwords = SubwordTokenizer.from_texts(["a red dog runs", "a dog"] * 9, vocabulary_size=20)
        >>> tokenizer = PieceTokenizer.of(subwords)
        >>> ids = tokenizer.encode("a red dog")
        >>> ids == subwords.tokenize(["a red dog"]).to_list()[0], tokenizer.decode([*ids, 3, 5])
        (True, 'a red dog')
    """

    def __init__(self, model: bytes, ids: Mapping[str, int], vocabulary: Sequence[str] | None = None) -> None:
        self.model, self.vocabulary = model, vocabulary
        self.padding_id, self.unknown_id, self.begin_id, self.end_id = (ids[name] for name in _ID_NAMES)
        self._processor = load_processor(model)
        self._size = self._processor.vocab_size() if vocabulary is None else len(vocabulary)
        self._places = None if vocabulary is None else {piece: place for place, piece in enumerate(vocabulary)}

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "PieceTokenizer":
        """That of a tokenizer in TensorFlow's graph; special tokens that a text spells are text as any other.

        Raises:
            ValueError: for one that is not made of SentencePiece's pieces.
        """
        if not isinstance(tokenizer, SubwordTokenizer | MarianTokenizer):
            raise ValueError(
                "Expected a SubwordTokenizer or a MarianTokenizer for this format. Received: "
                f"{type(tokenizer).__name__}"
            )
        ids = {name: getattr(tokenizer, name) for name in _ID_NAMES}
        return cls(tokenizer.model, ids, getattr(tokenizer, "vocabulary", None))

    def files(self, name: str) -> dict[str, bytes]:
        """What a file carries: NAME.model, that of SentencePiece, and NAME.json with the ids and the vocabulary."""
        settings = {key: getattr(self, key) for key in _ID_NAMES}
        settings["vocabulary"] = None if self.vocabulary is None else list(self.vocabulary)
        return {f"{name}.model": self.model, f"{name}.json": json.dumps(settings, ensure_ascii=False).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], name: str) -> "PieceTokenizer":
        """What `files` gave.

        Raises:
            KeyError: if one of them is not there.
        """
        settings = json.loads(files[f"{name}.json"])
        return cls(files[f"{name}.model"], settings, settings["vocabulary"])

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without begin and end ids."""
        if self._places is None:
            return self._processor.encode(text)
        found = _LANGUAGE.match(text)
        language, text = found.groups() if found else (None, text)
        pieces = self._processor.encode(text, out_type=str)
        if language is not None:
            pieces.insert(0, language)
        return [self._places.get(piece, self.unknown_id) for piece in pieces]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the first end id; padding and begin ids are skipped."""
        ids = list(ids)
        if self.end_id in ids:
            ids = ids[: ids.index(self.end_id)]
        ids = [number for number in ids if number not in (self.padding_id, self.begin_id)]
        ids = [number if 0 <= number < self._size else self.unknown_id for number in ids]
        if self._places is None:
            return self._processor.decode(ids)
        pieces = [self.vocabulary[number] for number in ids if number != self.unknown_id]
        # This model does not know the pieces of the other language's, and copies them with their marks.
        return self._processor.decode_pieces(pieces).replace("▁", " ").strip(" \t\n\v\f\r")
