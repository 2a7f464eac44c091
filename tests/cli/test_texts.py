import pytest

from keras_transformer.cli.texts import check_texts


def test_texts_are_utf8():
    check_texts("TEXT", ["dog", "", "개"])
    with pytest.raises(ValueError, match="^TEXT 2: expected UTF-8. Received: byte 0xff at character 5$"):
        check_texts("TEXT", ["dog", "cat \udcff"])
