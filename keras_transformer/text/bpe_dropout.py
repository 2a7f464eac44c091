import itertools
import zlib
from collections.abc import Sequence

import numpy as np

from keras_transformer import arguments

_MARK = "\u2581"  # SentencePiece's, for the space before a word
_CACHE_SIZE = 1_000_000  # segmentations; a full cache is emptied, since they can be drawn again
_LONGEST_WORD = 200  # characters; merging is quadratic in them, so longer words are segmented in parts
_DRAWS = 64  # random segmentations of a word


class BpeDropout:
    """Random segmentations of texts into the subwords of a "bpe" SentencePiece model (BPE-dropout).

    SentencePiece has BPE-dropout too, but its random numbers differ between processes whatever the seed, so that a
    training run could not be reproduced or resumed. Here they are a function of the seed. Each word has 64 random
    segmentations, drawn on first use; each occurrence gets one of them.

    Args:
        model: a serialized SentencePiece model of type "bpe".
        dropout: the probability of skipping a merge, drawn anew each time the merge is possible. The paper uses 0.1.

    Call arguments:
        texts: a list of `str`.
        seed: an integer.

    Returns:
        The ids of each text, a list of lists.

    Raises:
        ValueError: if the model is not of type "bpe", has byte fallback, or does not mark the start of words as
            SentencePiece does by default; or if `dropout` is outside [0, 1).

    Example:
        >>> from keras_transformer.text import SubwordTokenizer
        >>> from keras_transformer.text.bpe_dropout import BpeDropout
        >>> tokenizer = SubwordTokenizer.from_texts(["low lower lowest"] * 9, 30, model_type="bpe")
        >>> ids = BpeDropout(tokenizer.model, dropout=0.5)(["lowest"] * 20, seed=1)
        >>> len(set(map(tuple, ids))) > 1
        True
        >>> {tokenizer.sentencepiece.detokenize(row).numpy() for row in ids}
        {b'lowest'}

    References:
        Provilkov et al., 2020, "BPE-Dropout: Simple and Effective Subword Regularization".
    """

    def __init__(self, model: bytes, dropout: float) -> None:
        import sentencepiece
        from sentencepiece import sentencepiece_model_pb2

        proto = sentencepiece_model_pb2.ModelProto.FromString(model)
        trainer = proto.trainer_spec
        if trainer.model_type != trainer.BPE:
            received = trainer.ModelType.Name(trainer.model_type).lower()
            raise ValueError(f"Expected a vocabulary of type bpe for BPE-dropout. Received: type {received}")
        for spec, option, default in (
            (trainer, "byte_fallback", False),
            (trainer, "treat_whitespace_as_suffix", False),
            (proto.normalizer_spec, "add_dummy_prefix", True),
        ):
            if getattr(spec, option) != default:
                raise ValueError(
                    f"Expected a vocabulary with {option}={default} for BPE-dropout. Received: {option}={not default}"
                )
        self.dropout = arguments.rate("dropout", dropout)
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        normal = proto.SentencePiece.NORMAL
        self._pieces = {p.piece: (-p.score, i) for i, p in enumerate(proto.pieces) if p.type == normal}
        self._unknown_id = self._processor.unk_id()
        self._drawn = {}

    def __call__(self, texts: Sequence[str], seed: int) -> list[list[int]]:
        random = np.random.default_rng(int(seed))
        rows = []
        for text in self._processor.normalize(texts):
            words = text.replace(" ", _MARK).split(_MARK)[1:]
            draws = random.integers(_DRAWS, size=len(words)).tolist()
            ids = []
            for word, draw in zip(words, draws):
                key = word, draw
                if key not in self._drawn:
                    if len(self._drawn) == _CACHE_SIZE:
                        self._drawn.clear()
                    self._drawn[key] = self._draw(_MARK + word, draw)
                ids.extend(self._drawn[key])
            rows.append(ids)
        return rows

    def _draw(self, word, draw):
        """The ids of one random segmentation of a word."""
        random = np.random.default_rng([zlib.crc32(word.encode("utf-8")), draw])
        parts = (word[start : start + _LONGEST_WORD] for start in range(0, len(word), _LONGEST_WORD))
        ids = []
        for symbol in itertools.chain.from_iterable(self._merged(list(part), random) for part in parts):
            piece = self._pieces.get(symbol, (0, self._unknown_id))[1]
            if piece != self._unknown_id or ids[-1:] != [piece]:  # adjacent unknown characters are one token
                ids.append(piece)
        return ids

    def _merged(self, symbols, random):
        """Merges a list of characters into subwords, skipping merges at random."""
        while len(symbols) > 1:
            merges = [
                (self._pieces[a + b][0], place)
                for place, (a, b) in enumerate(itertools.pairwise(symbols))
                if a + b in self._pieces
            ]
            if self.dropout:
                merges = [merge for merge, chance in zip(merges, random.random(len(merges))) if chance >= self.dropout]
            if not merges:
                break
            _, place = min(merges)
            symbols[place : place + 2] = [symbols[place] + symbols[place + 1]]
        return symbols
