"""A small real corpus: dates as people write them, from the Unicode CLDR through the Babel package."""

import datetime
import random

LANGUAGES = ("ko", "en", "de", "fr", "es", "ja")
FIRST_YEAR, LAST_YEAR = 1900, 2099
_HELD_OUT_EVERY = 10


def write_date(date: datetime.date, language: str) -> str:
    """Writes a date in full in a language.

    Raises:
        ImportError: if Babel is not installed (`pip install keras-transformer-layers[demo]`).

    Example:
        >>> import datetime
        >>> from keras_transformer.data.dates import write_date
        >>> [write_date(datetime.date(2024, 3, 5), language) for language in ("ko", "en")]
        ['2024년 3월 5일 화요일', 'Tuesday, March 5, 2024']
    """
    from babel.dates import format_date

    # CLDR uses several kinds of spaces, which nobody types.
    return " ".join(format_date(date, format="full", locale=language).split())


def date_pairs(num_pairs: int, seed: int) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Random dates in two languages: training pairs, and held-out pairs of other dates.

    One day in ten is held out: no training pair has it, in any language.

    Args:
        num_pairs: number of training pairs.
        seed: an integer.

    Returns:
        (training pairs, held-out pairs): lists of (source, target). A source starts with the code of the target
        language, as "ko: Tuesday, March 5, 2024". There is one held-out pair for ten training pairs.

    Raises:
        ValueError: if `num_pairs` is below 20 or above a million.
        ImportError: if Babel is not installed.
    """
    if not 20 <= num_pairs <= 1_000_000:
        raise ValueError(f"Expected 20 to 1,000,000 pairs. Received: num_pairs={num_pairs}")
    generator = random.Random(seed)
    first = datetime.date(FIRST_YEAR, 1, 1).toordinal()
    last = datetime.date(LAST_YEAR, 12, 31).toordinal()
    days = list(range(first, last + 1))
    generator.shuffle(days)
    split = len(days) // _HELD_OUT_EVERY

    def pairs(days, count):
        found = {}
        while len(found) < count:
            date = datetime.date.fromordinal(generator.choice(days))
            source, target = generator.sample(LANGUAGES, 2)
            found[f"{target}: {write_date(date, source)}"] = write_date(date, target)
        return list(found.items())

    return pairs(days[split:], num_pairs), pairs(days[:split], num_pairs // 10)
