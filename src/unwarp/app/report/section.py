"""`Section`: one part of a report, as plain values that the template renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unwarp.app.report.illustrations import Illustration


@dataclass(frozen=True)
class Check:
    """One sign of whether the run worked.

    Attributes:
        is_good: Whether it speaks for the run.
        words: What was measured.
        advice: What to do where it is not good.
    """

    is_good: bool
    words: str
    advice: str


@dataclass(frozen=True)
class Table:
    """A table whose first column names the rows.

    Attributes:
        head: Heads of the columns.
        rows: Cells, row by row; an empty one for a number that is unknown.
        best: The best cell of each row, which stands out; empty where none does.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One part of a report, shown in the order of its fields.

    Attributes:
        title: Its heading.
        words: Paragraphs.
        checks: Signs, good or not.
        table: Numbers.
        facts: Values by their name.
        figures: Drawn figures, and those that are missing.
    """

    title: str
    words: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    table: Table | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: tuple[Illustration, ...] = ()
