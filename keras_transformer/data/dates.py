"""A small real corpus: dates as people write them, from the Unicode CLDR through the Babel package."""

import datetime
import random

LANGUAGES = ("ko", "en", "de", "fr", "es", "ja")
FIRST_YEAR, LAST_YEAR = 1900, 2099


def write_date(date, language):
    """`date` in full in `language`, as CLDR gives it: "2024년 3월 5일 화요일", "Tuesday, March 5, 2024".

    Raises:
        ImportError: without Babel (`pip install keras-transformer-layers[demo]`).
    """
    from babel.dates import format_date

    # CLDR separates with several kinds of blanks, which nobody types.
    return " ".join(format_date(date, format="full", locale=language).split())


def date_pairs(num_pairs, seed, held_out_every=10):
    """Random dates in one language and in another: training pairs and held-out pairs of other dates.

    Args:
        num_pairs: how many training pairs.
        seed: of the choice.
        held_out_every: of so many days one is held out; no training pair has it, in any language.

    Returns:
        (training pairs, held-out pairs): lists of (source, target); a source starts with the code of the wanted
        language, as "ko: Tuesday, March 5, 2024". There are a tenth as many held-out pairs, all different.

    Raises:
        ValueError: if `num_pairs` is below 20 or above a million.
        ImportError: without Babel.
    """
    if not 20 <= num_pairs <= 1_000_000:
        raise ValueError(f"Expected 20 to 1,000,000 pairs. Received: num_pairs={num_pairs}")
    generator = random.Random(seed)
    first = datetime.date(FIRST_YEAR, 1, 1).toordinal()
    last = datetime.date(LAST_YEAR, 12, 31).toordinal()
    days = list(range(first, last + 1))
    generator.shuffle(days)
    split = len(days) // held_out_every

    def pairs(days, count):
        found = {}
        while len(found) < count:
            date = datetime.date.fromordinal(generator.choice(days))
            source, target = generator.sample(LANGUAGES, 2)
            found[f"{target}: {write_date(date, source)}"] = write_date(date, target)
        return list(found.items())

    return pairs(days[split:], num_pairs), pairs(days[:split], num_pairs // 10)
