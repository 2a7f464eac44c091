"""Fonts for pictures with texts in any language."""

import functools
import importlib.util
import os

# Matplotlib's own font, and fonts that many systems have for the scripts that it lacks.
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
def installed_fonts() -> list[str]:
    """The names of the fonts that Matplotlib finds, in the order in which it should search them for a letter."""
    from matplotlib import font_manager

    # This package has a font with Korean letters. It is not imported, since that would change all plots.
    package = importlib.util.find_spec("koreanize_matplotlib")
    for folder in package.submodule_search_locations if package else ():
        path = f"{folder}/fonts/NanumGothic.ttf"
        if os.path.isfile(path):
            font_manager.fontManager.addfont(path)
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in installed]
