"""Numbers for people to read."""

from typing import SupportsFloat


def rounded(value: SupportsFloat, digits: int) -> float:
    """Rounds a number for printing: -0.001 becomes 0.0, which a format alone would print as "-0.00"."""
    return round(float(value), digits) + 0.0
