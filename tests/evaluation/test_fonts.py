from matplotlib import font_manager

from keras_transformer.evaluation.fonts import installed_fonts


def test_fonts_that_are_installed_in_order_of_preference():
    fonts = installed_fonts()
    assert fonts[0] == "DejaVu Sans"  # Matplotlib's own
    assert set(fonts) <= {font.name for font in font_manager.fontManager.ttflist}


def test_korean_letters_have_a_font():
    """In tests, that of koreanize_matplotlib."""
    assert "NanumGothic" in installed_fonts()
