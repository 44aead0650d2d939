"""Parts of a report as plain values, which the page template renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unwarp.app.report.illustrations import Illustration


@dataclass(frozen=True)
class Check:
    """One criterion of a successful run, and whether the run meets it.

    Attributes:
        has_passed: Whether the run meets the criterion.
        message: A sentence with the measured value.
        advice: Next step for the reader; shown only if the run does not meet the criterion.
        is_certain: Whether there are enough samples for a verdict.

    >>> Check(True, "0 of 12 numbers are unused.", "Use fewer.", is_certain=False).verdict
    'too few'
    """

    has_passed: bool
    message: str
    advice: str
    is_certain: bool = True

    @property
    def verdict(self) -> str:
        """The verdict: `passed`, `attention`, or `too few` (samples)."""
        if not self.has_passed:
            return "attention"
        return "passed" if self.is_certain else "too few"


@dataclass(frozen=True)
class Table:
    """A table of text, with names of rows in its first column.

    Attributes:
        head: Head of each column.
        rows: Text of the cells, row by row; an empty text for a value that is not available.
        best: Text of the best cell of each row, shown in bold; empty if no cell is the best.

    >>> Table(("score", "with warp", "without"), (("accuracy", "97%", "82%"),), ("97%",)).rows[0][1]
    '97%'
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One part of a report.

    The page shows first the lead, then the other attributes in the order below.

    Attributes:
        title: Heading.
        paragraphs: Paragraphs of text; `markupsafe.Markup` may hold tags, `str` is escaped.
        checks: Criteria of a successful run.
        table: Table of numbers; None for none.
        facts: Values by their name, shown as a list.
        figures: Figures, including those that could not be drawn.
        settings: Further values by their name, in a list before the figures that a reader unfolds.
        lead: What to do next, shown before all else; empty for nothing.

    >>> Section("Scores", ("All scores are of held-out samples.",)).checks
    ()
    """

    title: str
    paragraphs: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    table: Table | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Illustration, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    lead: str = ""
