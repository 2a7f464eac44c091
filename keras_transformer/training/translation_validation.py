import itertools
import math

import tensorflow as tf

from keras_transformer.data import ParallelText
from keras_transformer.decoding import GreedySearch
from keras_transformer.evaluation.sacrebleu_metrics import check_tokenize
from keras_transformer.pipelines import Translator
from keras_transformer.training.losses import token_losses


class TranslationValidation:
    """Figures of a translator on pairs it was not trained on.

    Args:
        translator: a `Translator`, whose transformer is compiled with a `LabelSmoothedCrossEntropy`.
        pairs: a `ParallelText`.
        tokens_per_batch: of its batches.
        bleu: whether to translate all sources (greedily, which is fast) and score them with sacrebleu.
        bleu_tokenize: sacrebleu's tokenizer.
        batch_size: sentences that are translated at once.

    Call returns:
        {"val_loss": the loss that is trained, "val_perplexity": exp of the cross-entropy without smoothing,
        "val_token_accuracy", and "val_bleu" if asked for}.

    Raises:
        ValueError: if no pair is left within the length limit; for an unknown tokenizer.
        ImportError: for BLEU without sacrebleu.

    Example:
        >>> from keras_transformer import data, models, text, training
        >>> _ = (tmp_path / "pairs.tsv").write_text("a dog\\tein Hund\\n")
        >>> translator = keras_transformer.Translator(models.Transformer(260, 1, 12, 19, 3), text.ByteTokenizer())
        >>> translator.transformer.compile("sgd", training.LabelSmoothedCrossEntropy(0.1))
        >>> pairs = data.ParallelText(tmp_path / "pairs.tsv", None, translator.tokenizer)
        >>> sorted(training.TranslationValidation(translator, pairs)())
        ['val_loss', 'val_perplexity', 'val_token_accuracy']
    """

    def __init__(
        self,
        translator: Translator,
        pairs: ParallelText,
        tokens_per_batch: int = 2048,
        bleu: bool = False,
        bleu_tokenize: str = "13a",
        batch_size: int = 64,
    ):
        self.translator = translator
        self.pairs = pairs
        self.batches = pairs.batches(tokens_per_batch, shuffle=False)
        self.bleu = bleu
        self.bleu_tokenize = bleu_tokenize
        self.batch_size = batch_size
        # One of its own, whose graphs stay while the other's search is what the user chose.
        self.greedy = Translator(
            translator.transformer,
            translator.tokenizer,
            translator.target_tokenizer,
            search=GreedySearch(),
            **translator.length_limits,
        )
        if not list(self.batches.take(1)):
            raise ValueError("Expected validation pairs within max_length. Received: all are left out")
        if bleu:
            check_tokenize(bleu_tokenize)
        self._sums = tf.function(self._batch_sums, input_signature=self.batches.element_spec, autograph=False)

    def __call__(self) -> dict[str, float]:
        totals = sum(self._sums(*batch).numpy() for batch in self.batches)
        loss, cross_entropy, correct = totals[:3] / totals[3]
        logs = {
            "val_loss": float(loss),
            "val_perplexity": math.exp(min(cross_entropy, 700.0)),
            "val_token_accuracy": float(correct),
        }
        return {**logs, "val_bleu": self._bleu()} if self.bleu else logs

    def _batch_sums(self, inputs, labels):
        """float32 (4,): sums of losses, cross-entropies, hits and weights."""
        transformer = self.translator.transformer
        logits = transformer(inputs, training=False)
        weights = transformer.loss.weights(labels)
        hits = tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels
        values = transformer.loss.call(labels, logits), token_losses(labels, logits), tf.cast(hits, tf.float32)
        sums = [tf.reduce_sum(tf.where(weights == 0, 0.0, value * weights)) for value in values]
        return tf.stack([*sums, tf.reduce_sum(weights)])

    def _bleu(self):
        import sacrebleu

        hypotheses = list(self.greedy.translate(self.pairs.source_lines(), self.batch_size))
        references = list(itertools.islice(self.pairs.target_lines(), len(hypotheses)))
        # `force`: already tokenized text is no mistake here.
        score = sacrebleu.corpus_bleu(hypotheses, [references], tokenize=self.bleu_tokenize, force=True)
        return round(score.score, 4)
