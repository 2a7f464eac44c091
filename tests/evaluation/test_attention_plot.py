import matplotlib.image
import numpy as np
import pytest

from keras_transformer.evaluation import plot_attention

WEIGHTS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def draw(path, weights):
    plot_attention(path, ["\u2581a", "년", "</s>"], ["x", "y"], weights)
    return matplotlib.image.imread(path)


def test_draws_a_picture_that_shows_the_weights(tmp_path):
    picture = draw(tmp_path / "a.png", WEIGHTS)
    assert picture.shape[0] > 200 and picture.shape[1] > 300
    other = draw(tmp_path / "b.png", WEIGHTS[:, ::-1])
    assert picture.shape == other.shape and np.abs(picture - other).max() > 0.5
    averaged = draw(tmp_path / "c.png", np.tile(WEIGHTS, (2, 4, 1, 1)))
    np.testing.assert_array_equal(averaged, picture)


def test_korean_letters_have_a_font(tmp_path, recwarn):
    draw(tmp_path / "a.png", WEIGHTS)
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


def test_bad_weights_write_nothing(tmp_path):
    with pytest.raises(ValueError, match=r"weights of shape \(\.\.\., \(2, 3\)\). Received: \(3, 2\)"):
        draw(tmp_path / "a.png", WEIGHTS.T)
    assert list(tmp_path.iterdir()) == []
