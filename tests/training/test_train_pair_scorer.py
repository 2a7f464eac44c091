import keras
import pytest

from keras_transformer.models import CrossEncoder, SentenceEncoder
from keras_transformer.pipelines import TextPairScorer
from keras_transformer.text import ByteTokenizer
from keras_transformer.training import EmbeddingRecipe, PairData, train_pair_scorer
from tests import reference

DATA = PairData([("a dog", "a hound"), ("rain", "a dog"), ("one", "two")], [0, 1, 1], ["no", "yes"])
RECIPE = EmbeddingRecipe(steps=1, evaluation_steps=1, warmup_steps=1, learning_rate=1e-9, max_length=30)


def test_a_scorer_of_other_classes_gives_its_encoder_and_segments(tmp_path):
    model = CrossEncoder(SentenceEncoder(260, 1, 12, 13, 3, output_dim=5), num_labels=1)
    reference.randomize(model, seed=1)
    TextPairScorer(model, ByteTokenizer(), max_length=20).save(tmp_path / "start.keras")
    said = []
    options = {"recipe": RECIPE, "hidden_dim": 7, "verbose": 0, "say": lambda text, **_: said.append(text)}
    train_pair_scorer(tmp_path / "out", DATA, start=tmp_path / "start.keras", **options)
    assert said[0] == "pairs: 3, classes ['no', 'yes']" and said[-1].startswith("Wrote ")
    trained = keras.models.load_model(tmp_path / "out" / "pair_scorer.keras")
    assert (trained.labels, trained.max_length, trained.encoder.hidden.units) == (["no", "yes"], 20, 7)
    for layer in ("encoder", "segment_embedding"):
        for ours, theirs in zip(getattr(trained.encoder, layer).weights, getattr(model, layer).weights, strict=True):
            assert abs(ours.numpy() - theirs.numpy()).max() < 1e-6


def test_what_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="encoder='averaging'"):
        train_pair_scorer(tmp_path / "out", DATA, recipe=EmbeddingRecipe(encoder="averaging"), say=print)
    with pytest.raises(FileNotFoundError, match="an embedder or a pair scorer"):
        train_pair_scorer(tmp_path / "out", DATA, start=tmp_path / "none.keras")
    assert not (tmp_path / "out").exists()
