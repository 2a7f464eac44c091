import itertools
import zlib

import numpy as np

from keras_transformer import arguments

_MARK = "\u2581"  # stands for the blank before a word
_MOST_KEPT = 1_000_000  # segmentations in memory; they can be drawn again
_LONGEST_WORD = 200  # characters that are merged together, in time quadratic in their number
_DRAWS = 64  # segmentations of one word, drawn once and then chosen from


class BpeDropout:
    """Random segmentations of texts into the subwords of a "bpe" SentencePiece model (BPE-dropout).

    The library has this too, but its random numbers differ from process to process whatever the seed, so that a
    training could not be repeated or taken up again. Here they are a function of the seed. Each word has 64
    segmentations, drawn when they are first needed, among which its occurrences choose.

    Args:
        model: a serialised SentencePiece model of type "bpe".
        dropout: the probability with which a merge is left out, each time it is considered; the paper's 0.1.

    Raises:
        ValueError: for another type of model, one with byte fallback or other marks of words than SentencePiece's
            default, and a dropout outside [0, 1).

    References:
        Provilkov et al., 2020, "BPE-Dropout: Simple and Effective Subword Regularization".
    """

    def __init__(self, model, dropout):
        import sentencepiece
        from sentencepiece import sentencepiece_model_pb2

        proto = sentencepiece_model_pb2.ModelProto.FromString(model)
        trainer, normalizer = proto.trainer_spec, proto.normalizer_spec
        if trainer.model_type != trainer.BPE:
            raise ValueError("Expected a vocabulary of type bpe, for BPE-dropout. Received: another type")
        if trainer.byte_fallback or trainer.treat_whitespace_as_suffix or not normalizer.add_dummy_prefix:
            raise ValueError(
                "Expected a vocabulary as SentencePiece makes it by default, for BPE-dropout. Received: byte_fallback="
                f"{trainer.byte_fallback}, treat_whitespace_as_suffix={trainer.treat_whitespace_as_suffix}, "
                f"add_dummy_prefix={normalizer.add_dummy_prefix}"
            )
        self.dropout = arguments.rate("dropout", dropout)
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        normal = proto.SentencePiece.NORMAL
        self._pieces = {p.piece: (-p.score, i) for i, p in enumerate(proto.pieces) if p.type == normal}
        self._unknown_id = self._processor.unk_id()
        self._drawn = {}

    def __call__(self, texts, seed):
        """Texts, a list of `str`, to a list of lists of ids; a function of the texts and the seed."""
        random = np.random.default_rng(int(seed))
        rows = []
        for text in self._processor.normalize(texts):
            words = text.replace(" ", _MARK).split(_MARK)[1:]
            draws = random.integers(_DRAWS, size=len(words)).tolist()
            ids = []
            for word, draw in zip(words, draws):
                key = word, draw
                if key not in self._drawn:
                    if len(self._drawn) == _MOST_KEPT:
                        self._drawn.clear()
                    self._drawn[key] = self._draw(_MARK + word, draw)
                ids.extend(self._drawn[key])
            rows.append(ids)
        return rows

    def _draw(self, word, draw):
        """One segmentation of a word, as ids."""
        random = np.random.default_rng([zlib.crc32(word.encode("utf-8")), draw])
        parts = (word[start : start + _LONGEST_WORD] for start in range(0, len(word), _LONGEST_WORD))
        ids = []
        for symbol in itertools.chain.from_iterable(self._merged(list(part), random) for part in parts):
            piece = self._pieces.get(symbol, (0, self._unknown_id))[1]
            if piece != self._unknown_id or ids[-1:] != [piece]:  # unknown characters in a row are one
                ids.append(piece)
        return ids

    def _merged(self, symbols, random):
        """Characters, a list of `str`, as the subwords that random merges make of them."""
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
