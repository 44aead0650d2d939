"""Tables, figures and style of a report as HTML."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape

from matplotlib.figure import Figure

STYLESHEET = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #20242c; background: #fff; max-width: 62rem; margin: 2.5rem auto;
  padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
p { max-width: 46rem; } .quiet { color: #5b6472; } img { max-width: 100%; height: auto; display: block; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .8rem 0; }
th, td { padding: .32rem .9rem .32rem 0; text-align: right; border-bottom: 1px solid #e4e7ec; }
th:first-child, td:first-child { text-align: left; } thead th { color: #5b6472; font-weight: 600; }
td.best { font-weight: 700; } .verdict { display: inline-block; min-width: 4.2rem; font-weight: 600; }
.good { color: #1d7a46; } .look { color: #b25b00; } figure { margin: 1rem 0; }
figcaption { color: #5b6472; font-size: .92rem; max-width: 46rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; } dt { color: #5b6472; }
dd { margin: 0; overflow-wrap: anywhere; }
"""


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _kind(data: bytes) -> str:
    return "gif" if data.startswith(b"GIF8") else "png"


def _figure(drawn: dict[str, bytes], name: str, caption: str) -> str:
    if name not in drawn:
        return ""
    data = base64.b64encode(drawn[name]).decode()
    alt = escape(caption)
    return f'<figure><img alt="{alt}" src="data:image/{_kind(drawn[name])};base64,{data}"><figcaption>{caption}</figcaption></figure>'


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], best: Mapping[int, str] | None = None) -> str:
    """A table; in row i every number that reads `best[i]` is bold."""
    lines = ["<table><thead><tr>", *(f"<th>{cell}</th>" for cell in head), "</tr></thead><tbody>"]
    for i, row in enumerate(rows):
        cells = (f'<td class="best">{cell}</td>' if (best or {}).get(i) == cell else f"<td>{cell}</td>" for cell in row)
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</tbody></table>"])
