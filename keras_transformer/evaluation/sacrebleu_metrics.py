"""The metrics of sacrebleu, which is imported when one is first needed."""

from typing import TYPE_CHECKING, Any

from keras_transformer import arguments

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU, CHRF


def bleu(tokenize: str, **kwargs: Any) -> "BLEU":
    """The BLEU of sacrebleu.

    Raises:
        ValueError: if sacrebleu does not have the tokenizer.
        ImportError: if sacrebleu, or what the tokenizer needs, is not installed.
    """
    metric = _sacrebleu().BLEU
    arguments.one_of("tokenize", tokenize, metric.TOKENIZERS)
    try:
        return metric(tokenize=tokenize, **kwargs)
    except RuntimeError as error:
        raise ImportError(f"tokenize={tokenize!r}: {' '.join(str(error).split())}") from error


def chrf(**kwargs: Any) -> "CHRF":
    """The chrF of sacrebleu; raises `ImportError` if sacrebleu is not installed."""
    return _sacrebleu().CHRF(**kwargs)


def check_tokenize(tokenize: str) -> str:
    """Returns `tokenize`; raises the errors of `bleu`, before any time is spent on translating."""
    bleu(tokenize)
    return tokenize


def _sacrebleu():
    try:
        import sacrebleu
    except ImportError as error:
        raise ImportError(
            "Expected sacrebleu, which scores translations. Install it with: "
            "pip install keras-transformer-layers[evaluation]"
        ) from error
    return sacrebleu
