import pytest

from keras_transformer.cli import translators


def test_lines_are_numbered_and_blank_ones_empty():
    lines = translators.numbered(["dog", " \t", "cat"], "in.txt, line")
    assert list(lines) == [("in.txt, line 1", "dog"), ("in.txt, line 2", ""), ("in.txt, line 3", "cat")]


def test_one_line():
    assert translators.one_line("a\r\nb\nc") == "a  b c"


def test_what_is_read_and_what_is_refused(model_dir, exported):
    model, export = str(model_dir), str(exported)
    assert translators.check_translators([model, model]) == [str(model_dir / "translator.keras")] * 2
    assert translators.check_translators([export]) == [export]
    with pytest.raises(ValueError, match=f"Expected .keras files for an ensemble. Received: {export}"):
        translators.check_translators([model, export])
    with pytest.raises(ValueError, match="for --beam, --n-best: the search of a SavedModel is fixed. Received: "):
        translators.check_translators([export], beam=2, n_best=2)
    with pytest.raises(ValueError, match="Expected --n-best of at most --beam. Received: --beam 2 --n-best 3"):
        translators.check_translators([model], beam=2, n_best=3)


def test_the_options_of_the_search(model_dir):
    search = translators.load([str(model_dir)], beam=3, length_penalty=0.5, n_best=2).search
    assert (search.beam_size, search.length_penalty, search.num_best) == (3, 0.5, 2)
