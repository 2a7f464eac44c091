"""The fonts of pictures with texts in any language."""

import functools
import importlib.util
import os

# Scripts that Matplotlib's own font lacks, and fonts that many systems have for them.
_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
)


@functools.cache
def installed_fonts():
    """The names of those fonts that Matplotlib finds, in the order in which it should look for a letter."""
    from matplotlib import font_manager

    # This package carries a font with Korean letters; importing it would change everybody's plots.
    carrier = importlib.util.find_spec("koreanize_matplotlib")
    for folder in carrier.submodule_search_locations if carrier else ():
        path = f"{folder}/fonts/NanumGothic.ttf"
        if os.path.isfile(path):
            font_manager.fontManager.addfont(path)
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in installed]
