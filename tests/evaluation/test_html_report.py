import base64
import html.parser
import re

import pytest

from keras_transformer.evaluation import Measured, MeasuredTask, plot_similarity, write_html_report

TASK = MeasuredTask("Similarity", "2 pairs", [Measured("<r>", 0.25, (0.1, 0.4))], [("folds", "a & b")], ["\udce9.tsv"])


class Tags(html.parser.HTMLParser):
    """Whether each element that is opened is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_a_page(tmp_path):
    figure = plot_similarity(["a", "b"], [[1, 0], [0, 1]])
    pages = []
    for name in ("a.html", "b.html"):
        write_html_report(tmp_path / name, "<model>", [TASK], [("two & two", figure)])
        pages.append((tmp_path / name).read_text(encoding="utf-8"))
    assert pages[0] == pages[1]
    tags = Tags()
    tags.feed(pages[0])
    assert not tags.open
    for word in ("<model>", "<r>", "0.2500", "0.1000 to 0.4000", "folds: a & b", "two & two"):
        assert word in tags.words, word
    assert r"Similarity, \udce9.tsv: 2 pairs" in tags.words
    (drawn,) = re.findall('src="data:image/svg\\+xml;base64,([^"]*)"', pages[0])
    assert b"</svg>" in base64.b64decode(drawn)


def test_a_file_is_whole_or_not_there(tmp_path):
    with pytest.raises(AttributeError):
        write_html_report(tmp_path / "a.html", "model", [TASK], [("no figure", None)])
    assert not list(tmp_path.iterdir())
