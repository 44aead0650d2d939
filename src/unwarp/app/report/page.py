"""The report as files: a self-contained HTML page, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from unwarp.app.outcome import Outcome
from unwarp.app.report.section import Section
from unwarp.app.report.sections import sections
from unwarp.storage.files import expand, write_file

TEMPLATE = "page.html.jinja"


def write_report(outcome: Outcome, folder: Path) -> Path:
    """Write `report.html` and the files of its figures into a folder.

    Existing files of the same names are replaced. For a figure that could not be drawn, the page
    shows the error.

    Args:
        outcome: The run.
        folder: An existing folder.

    Returns:
        Path of the page.
    """
    folder, parts = expand(folder), sections(outcome)
    for figure in (figure for part in parts for figure in part.figures if figure.data):
        write_file(folder / f"{figure.name}.{figure.suffix}", figure.data)
    page = folder / "report.html"
    write_file(page, render_page(outcome.test.name, parts))
    return page


def render_page(name: str, parts: Sequence[Section]) -> str:
    """The page as HTML text that contains its figures, as data URIs.

    Args:
        name: Name of the data set, for the title of the window.
        parts: The sections; the title of the first is the heading of the page.

    Returns:
        A document that needs no other file and no network; all text is escaped.

    >>> page = render_page("digits", [Section("Report", ("Errors < 5%.",))])
    >>> "<h1>Report</h1>" in page, "Errors &lt; 5%." in page
    (True, True)
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
