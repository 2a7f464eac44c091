"""From pairs of texts to a trained scorer of pairs in a folder."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_transformer import arguments
from keras_transformer.training import fingerprints
from keras_transformer.training.embedding_recipe import EmbeddingRecipe
from keras_transformer.training.fit_pair_scorer import fit_pair_scorer
from keras_transformer.training.names import PAIR_SCORER
from keras_transformer.training.pair_data import PairData
from keras_transformer.training.saved_training import say_nothing, saying_what_was_written
from keras_transformer.training.start import in_policy
from keras_transformer.types import DType, PathLike

if TYPE_CHECKING:
    import tensorflow as tf


def train_pair_scorer(
    folder: PathLike,
    data: PairData,
    validation: PairData | None = None,
    *,
    start: PathLike | None = None,
    recipe: EmbeddingRecipe | None = None,
    hidden_dim: int = 512,
    dtype: DType = "float32",
    strategy: "tf.distribute.Strategy | None" = None,
    say: Callable[..., None] = print,
    **options: Any,
) -> list[dict[str, float]]:
    """Trains a cross-encoder on pairs of texts by a recipe, and writes a scorer of pairs to a folder.

    What `keras-transformer train pair-scorer` does. Beside `folder`/pair_scorer.keras stand history.csv and a
    checkpoint: called again with the same arguments after a kill, the training resumes.

    Args:
        folder: for all files; made if it is missing.
        data: the pairs that are learned from, as the class methods of `PairData` read them.
        validation: others, or `None`.
        start: the `.keras` file of a `TextEmbedder` or of a `TextPairScorer`, or the folder of an embedder.keras or
            pair_scorer.keras, whose encoder and vocabulary the training starts from; a scorer's last layers too, where
            it has as many scores of a pair. By default all is made by the recipe.
        recipe: an `EmbeddingRecipe` of a transformer. With `start`, the shape of the model and the vocabulary are not
            looked at, and its own `max_length` holds if it is less; learning rates of 2e-5 to 1e-4 suit what is
            trained already.
        hidden_dim: width of the hidden layer between encoder and scores, where it is new.
        dtype: dtype policy of encoder and last layers.
        strategy: a `tf.distribute.Strategy`, as `make_strategy` gives; by default the current one.
        say: prints what is going on; by default `print`, on the first worker.
        **options: `batch_size`, `minutes`, `seed`, `checkpoint_minutes`, `tensorboard` and `verbose` of
            `fit_pair_scorer`.

    Returns:
        The history: a dictionary of figures for each evaluation.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: for a recipe of an averaging encoder, which reads no pairs; for a start that is damaged, or
            quantized, or another pipeline; for arguments in `recipe.model` that the encoder has not; and what
            `fit_pair_scorer` raises.
    """
    import tensorflow as tf

    from keras_transformer.models import CrossEncoder
    from keras_transformer.pipelines import TextPairScorer

    recipe = recipe or EmbeddingRecipe()
    if start is None:
        arguments.one_of("encoder", recipe.encoder, ("transformer",))
    strategy = strategy or tf.distribute.get_strategy()
    say = say if strategy.extended.should_checkpoint else say_nothing
    say(f"pairs: {len(data.pairs):,}, {f'classes {data.labels}' if data.labels else f'{data.activation} scores'}")
    num_labels = len(data.labels) if data.labels else 1
    with strategy.scope():
        if start is None:
            tokenizer = recipe.make_tokenizer(text for pair in data.pairs for text in pair)
            encoder = recipe.make_encoder(tokenizer.vocabulary_size, dtype)
            model, max_length = CrossEncoder(encoder, num_labels, hidden_dim, dtype=dtype), recipe.max_length
        else:
            model, tokenizer, max_length = _started(start, num_labels, hidden_dim, dtype)
        max_length = min(recipe.max_length, max_length)
        scorer = TextPairScorer(model, tokenizer, max_length, data.activation, data.labels)
    count = model.count_params()
    say(f"{tokenizer.vocabulary_size:,} token ids, a cross-encoder of {count:,} parameters", flush=True)
    path = os.path.join(folder, PAIR_SCORER)
    with saying_what_was_written(path, say):
        return fit_pair_scorer(
            scorer,
            data,
            validation,
            path=path,
            recipe=recipe,
            strategy=strategy,
            origin=None if start is None else fingerprints.fingerprint(*model.encoder.get_weights()),
            **options,
        )


def _started(path, num_labels, hidden_dim, dtype):
    """(cross-encoder, tokenizer, largest number of tokens) of what a training starts from."""
    from keras_transformer.models import CrossEncoder
    from keras_transformer.pipelines import TextEmbedder, TextPairScorer
    from keras_transformer.pipelines.loading import load_pipeline
    from keras_transformer.pipelines.model_paths import EMBEDDER_OR_PAIR_SCORER

    found = load_pipeline(path, kind=EMBEDDER_OR_PAIR_SCORER)
    if isinstance(found, TextEmbedder):
        encoder = in_policy(found.encoder, dtype, path)
        return CrossEncoder(encoder, num_labels, hidden_dim, dtype=dtype), found.tokenizer, found.max_length
    if not isinstance(found, TextPairScorer):
        raise ValueError(f"Expected {EMBEDDER_OR_PAIR_SCORER.description} in {path}. Received: {type(found).__name__}")
    before = found.encoder
    encoder = in_policy(before.encoder, dtype, path)
    if before.num_labels == num_labels:
        options = {name: before.constructor_arguments[name] for name in ("hidden_dim", "dropout")}
        model = CrossEncoder(encoder, num_labels, dtype=dtype, **options)
        model.set_weights(before.get_weights())
    else:
        model = CrossEncoder(encoder, num_labels, hidden_dim, dtype=dtype)
        model.segment_embedding.set_weights(before.segment_embedding.get_weights())
    return model, found.tokenizer, found.max_length
