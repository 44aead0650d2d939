"""The report of a run: one self-contained HTML page, and its figures as files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from unwarp.app.outcome import Outcome
from unwarp.app.report.section import Section
from unwarp.app.report.sections import sections
from unwarp.storage import write_file

TEMPLATE = "page.html.jinja"


def write(outcome: Outcome, folder: Path) -> Path:
    """The page `folder/report.html`, written with its figures beside it.

    A figure that cannot be drawn is named on the page, and the others are there.

    Args:
        outcome: The run.
        folder: An existing folder.
    """
    parts = sections(outcome)
    for figure in (figure for part in parts for figure in part.figures if figure.data):
        write_file(folder / f"{figure.name}.{figure.suffix}", figure.data)
    page = folder / "report.html"
    write_file(page, html(outcome.test.name, parts))
    return page


def html(name: str, parts: Sequence[Section]) -> str:
    """The page as text that needs no other file.

    Args:
        name: Name of the data.
        parts: The sections; the first one's title is the page's heading.
    """
    loader = PackageLoader("unwarp.app.report", "")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(name=name, sections=parts)
