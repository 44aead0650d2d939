"""Sections of a report without their figures."""

from __future__ import annotations

from unwarp.app.outcome import Outcome
from unwarp.app.report.illustrations import Illustration, Plot
from unwarp.app.report.section import Section
from unwarp.app.report.sections import sections


def undrawn(plot: Plot, outcome: Outcome) -> Illustration:
    """A figure's words without the figure."""
    return Illustration(plot.name, plot.caption(outcome))


def section_of(outcome: Outcome, title: str) -> Section:
    """The section with a title."""
    return next(part for part in sections(outcome, undrawn) if part.title == title)
