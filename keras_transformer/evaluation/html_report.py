"""A report of what was measured: one HTML file with tables and pictures inside."""

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_transformer.atomic import replacing
from keras_transformer.evaluation.report import MeasuredTask
from keras_transformer.types import PathLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 0.5rem 0 } td, th { padding: 0.2rem 1rem 0.2rem 0; text-align: left }
td.number { font-variant-numeric: tabular-nums; text-align: right } tr { border-bottom: 1px solid #ddd }
figure { margin: 2rem 0 } img { max-width: 100% } h2 { font-size: 1.1rem; margin-top: 2rem; overflow-wrap: anywhere }
"""


def write_html_report(
    path: PathLike, title: str, tasks: Sequence[MeasuredTask], pictures: Sequence[tuple[str, "Figure"]] = ()
) -> None:
    """Writes a page that needs no other file and no network, whole or not at all.

    Args:
        path: the file to write or replace.
        title: the page's, such as the model's name.
        tasks: what was measured, a table each.
        pictures: (what it shows, the figure), drawn as SVG.

    Example:
        >>> from keras_transformer.evaluation import Measured, MeasuredTask, write_html_report
        >>> task = MeasuredTask("Similarity", "40 pairs", [Measured("Spearman", 0.83)], files=["sts.tsv"])
        >>> write_html_report(tmp_path / "report.html", "my encoder", [task])
        >>> "<td>Spearman</td>" in (tmp_path / "report.html").read_text()
        True
    """
    parts = [f"<h1>{_escaped(title)}</h1>"]
    parts += [_table(task) for task in tasks]
    parts += [_picture(caption, figure) for caption, figure in pictures]
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{_escaped(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n<body>\n'
    )
    page += "\n".join(parts) + "\n</body></html>\n"
    with replacing(path) as unfinished, open(unfinished, "w", encoding="utf-8", newline="\n") as file:
        file.write(page)


def _escaped(text):
    # Names of files that are no UTF-8 hold lone surrogates.
    return html.escape(text.encode("utf-8", "backslashreplace").decode())


def _table(task):
    has_intervals = any(figure.interval for figure in task.figures)
    rows = [f"<tr><th>measure</th><th>figure</th><th>{'95% interval' if has_intervals else ''}</th></tr>"]
    for figure in task.figures:
        value, interval = figure.shown
        rows.append(f'<tr><td>{_escaped(figure.name)}</td><td class="number">{value}</td><td>{interval}</td></tr>')
    notes = [f"<p>{_escaped(name)}: {_escaped(note)}</p>" for name, note in task.notes]
    return "\n".join([f"<h2>{_escaped(task.title)}</h2>", "<table>", *rows, "</table>", *notes])


def _picture(caption, figure):
    import matplotlib

    data = io.BytesIO()
    # Equal figures give equal files.
    with matplotlib.rc_context({"svg.hashsalt": "keras_transformer"}):
        figure.savefig(data, format="svg", metadata={"Date": None})
    encoded = base64.b64encode(data.getvalue()).decode()
    shown = _escaped(caption)
    return (
        f'<figure><img alt="{shown}" src="data:image/svg+xml;base64,{encoded}">'
        f"<figcaption>{shown}</figcaption></figure>"
    )
