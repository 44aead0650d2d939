"""Sections of a report with captions alone, since drawing the figures takes long."""

from __future__ import annotations

from unwarp.app.outcome import Outcome
from unwarp.app.report.illustrations import Illustration, Plot
from unwarp.app.report.section import Section
from unwarp.app.report.sections import sections


def skip_drawing(plot: Plot, outcome: Outcome) -> Illustration:
    """The illustration of a plot with its caption, but no data."""
    return Illustration(plot.name, plot.caption(outcome))


def section_of(outcome: Outcome, title: str) -> Section:
    """The section with a title."""
    return next(part for part in sections(outcome, skip_drawing) if part.title == title)
