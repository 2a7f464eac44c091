"""Translations of any number of texts."""

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf

from keras_transformer.pipelines.signatures import pieces
from keras_transformer.pipelines.streaming import Limit, in_batches, text_rows


class TranslatesTexts:
    """What a `Translator` offers for texts in Python, made of its functions of tensors."""

    def translate(
        self, texts: Iterable[str], batch_size: int = 32, prefixes: Iterable[str] | None = None
    ) -> Iterator[str]:
        """Translates an iterable of `str`, however long, in constant memory.

        Texts of about equal length go into one batch; the order is kept.

        Args:
            texts: an iterable of `str`, a file of lines for example.
            batch_size: sentences that are translated at once.
            prefixes: an iterable of as many `str`: how each translation has to begin ("" for anyhow). A prefix counts
                as the tokens that the target's tokenizer makes of it alone: after one that ends within a word, the
                rest of the word starts with a new token.

        Yields:
            One `str` for each text. A warning says which sources of a batch were truncated, counted from 1.

        Raises:
            ValueError: for a batch size below 1, a single string, and more or fewer prefixes than texts.
        """
        for hypotheses in self._translate(texts, batch_size, prefixes, num_best=1, return_scores=False):
            yield hypotheses[0][0]

    def translate_n_best(
        self, texts: Iterable[str], batch_size: int = 32, prefixes: Iterable[str] | None = None
    ) -> Iterator[list[tuple[str, float]]]:
        """As `translate`, but gives all that the search found.

        Args:
            texts: as for `translate`.
            batch_size: as for `translate`.
            prefixes: as for `translate`.

        Yields:
            A list of (`str`, score) for each text, the best first: up to `num_best` of a `BeamSearch`, else one. Two
            hypotheses may read the same, since a text can be made of different tokens.

        Raises:
            ValueError: as `translate`.
        """
        yield from self._translate(texts, batch_size, prefixes)

    def _translate(self, texts, batch_size, prefixes, **settings):
        def search(texts, prefixes=None):
            source_ids, lengths = self.source_ids(texts)
            prefix_ids = None if prefixes is None else self.target_side(prefixes)
            found = self.search_ids(source_ids, prefix_ids, **settings)
            return self.detokenize(found.ids), found.scores, lengths

        def translate_batch(*columns):
            columns = [tf.constant(column) for column in columns]
            signature = [tf.TensorSpec([None], tf.string) for _ in columns]
            graph = self._graph(search, signature, "translate", len(columns), *settings)
            *found, lengths = (x.numpy() for x in graph(*columns))
            tables = [
                # The first one always, whatever scores a broken model gives.
                [(t.decode("utf-8"), float(s)) for i, (t, s) in enumerate(zip(*row)) if not i or s > -float("inf")]
                for row in zip(*found)
            ]
            return tables, lengths

        columns = {"texts": texts} if prefixes is None else {"texts": texts, "prefixes": prefixes}
        limit = Limit("max_source_length", self.max_source_length, "translated")
        return in_batches(text_rows(**columns), batch_size, translate_batch, limit)

    def attention(self, text: str) -> tuple[list[str], list[str], np.ndarray]:
        """The cross-attention of every layer and head, for one text and its translation.

        `keras_transformer.evaluation.plot_attention(*translator.attention(text), path)` draws it.

        Args:
            text: a `str`.

        Returns:
            (source pieces, target pieces, weights): the tokens as lists of `str`, the end id as "</s>" or "", and
            a float32 array (layers, H, T, S) of attention weights, each row summing to 1. A warning says if the text
            was truncated.

        Raises:
            ValueError: for a text without tokens, which has no translation to look at.
        """
        limit = Limit("max_source_length", self.max_source_length, "translated")
        (found,) = in_batches(text_rows(text=[text]), 1, self._attention, limit)
        return found

    def _attention(self, texts):
        """`attention` of one text, in a list, and the number of its tokens."""
        source_ids, lengths = self.source_ids(tf.constant(texts))
        if source_ids.shape[1] == 1:  # the end id
            raise ValueError(f"Expected a text with tokens. Received: {texts[0].decode('utf-8', 'replace')!r}")
        target_ids = self._from_ids(source_ids)
        target_ids = target_ids[:, : int(tf.math.count_nonzero(target_ids != self.target_side.padding_id))]
        weights = self.cross_attention(source_ids, target_ids)
        found = (
            _piece_list(self.tokenizer, source_ids),
            _piece_list(self.target_side, target_ids),
            tf.concat(weights, axis=0).numpy(),
        )
        return [found], lengths.numpy()


def _piece_list(tokenizer, ids):
    return [piece.decode("utf-8", "replace") for piece in pieces(tokenizer, ids)[0].numpy()]
