import datetime

import pytest

from keras_transformer.data.dates import date_pairs, write_date

DAY = datetime.date(2024, 3, 5)


@pytest.mark.parametrize(
    "language, wanted",
    [
        ("ko", "2024년 3월 5일 화요일"),
        ("en", "Tuesday, March 5, 2024"),
        ("de", "Dienstag, 5. März 2024"),
        ("fr", "mardi 5 mars 2024"),
    ],
)
def test_dates_as_people_write_them(language, wanted):
    assert write_date(DAY, language) == wanted


def test_held_out_dates_are_never_trained_on():
    training, held_out = date_pairs(2000, seed=3)
    assert (len(training), len(held_out)) == (2000, 200)
    seen = {text for pair in training for text in (pair[0].split(": ", 1)[1], pair[1])}
    for source, target in held_out:
        assert source.split(": ", 1)[1] not in seen and target not in seen
    assert date_pairs(2000, seed=3) == (training, held_out)


def test_too_few_and_too_many():
    for number in (19, 1_000_001):
        with pytest.raises(ValueError, match=f"num_pairs={number}"):
            date_pairs(number, seed=0)
