import pytest

from keras_transformer.export import next_version


@pytest.mark.parametrize(
    "names, wanted",
    [([], "1"), (["1"], "2"), (["1", "2", "10"], "11"), (["0"], "1"), (["model.txt", "v3", ".unfinished-4"], "1")],
)
def test_follows_the_highest(names, wanted, tmp_path):
    for name in names:
        (tmp_path / name).mkdir()
    assert next_version(tmp_path) == str(tmp_path / wanted)
    assert not (tmp_path / wanted).exists()


def test_starts_at_1_where_nothing_is(tmp_path):
    assert next_version(tmp_path / "nowhere") == str(tmp_path / "nowhere" / "1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_folder_of_versions(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        next_version(tmp_path / "file")
