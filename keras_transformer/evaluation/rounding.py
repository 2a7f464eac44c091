"""Numbers for people to read."""


def rounded(value, digits):
    """A `float` of so many decimals, to be printed: -0.001 is 0.0, where a format alone gives "-0.00"."""
    return round(float(value), digits) + 0.0
