"""Facts about columns: numbers, words or dates, repeated or increasing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.formats.cells import NUMBER_START, is_missing, numbers_of, parse_times
from unwarp.data.formats.dates import is_date
from unwarp.errors import DataError

MIN_ROWS_OF_A_SERIES = 2
"""Smallest mean number of rows of a series in a long table."""


@dataclass(frozen=True)
class Facts:
    """Facts about the cells of a column.

    Attributes:
        cells: The cells (rows), as text or as an array of numbers.

    >>> facts = Facts(["a", "a", "b", "b"])
    >>> facts.kind, facts.n_distinct, facts.repeats, facts.is_in_blocks
    ('words', 2, True, True)
    >>> Facts(["0", "0.5", "2"]).is_increasing
    True
    """

    cells: Sequence[str] | Array

    @cached_property
    def numbers(self) -> Array | None:
        """Numbers (rows,), NaN if missing; None unless all are numbers."""
        if isinstance(self.cells, np.ndarray):
            return self.cells.astype(np.float64)
        return numbers_of(self.cells)

    @cached_property
    def kind(self) -> str:
        """`numbers`, `dates`, `words`, `empty`, or `mixed` for words among numbers."""
        if self.numbers is not None:
            return "empty" if np.isnan(self.numbers).all() else "numbers"
        cells = [cell for cell in self.cells if not is_missing(cell)]
        if is_date(cells[0]) and is_date(cells[-1]):
            return "dates"
        return "mixed" if any(map(NUMBER_START.match, cells)) else "words"

    @property
    def has_gaps(self) -> bool:
        """Whether a cell is missing."""
        if self.numbers is not None:
            return bool(np.isnan(self.numbers).any())
        return any(map(is_missing, self.cells))

    @property
    def is_whole(self) -> bool:
        """Whether all cells are whole numbers."""
        numbers = self.numbers
        return numbers is not None and bool((numbers == np.round(numbers)).all())

    @cached_property
    def codes(self) -> Array:
        """Index of the value of each cell (rows,), by appearance."""
        values: list[Any] = (
            self.cells.tolist()
            if isinstance(self.cells, np.ndarray)
            else [cell.strip() for cell in self.cells]
        )
        code = {cell: k for k, cell in enumerate(dict.fromkeys(values))}
        return np.array([code[cell] for cell in values], dtype=np.int64)

    @property
    def n_distinct(self) -> int:
        """Number of distinct cells."""
        return int(self.codes.max()) + 1

    @property
    def repeats(self) -> bool:
        """Whether the cells can be ids of series with several rows."""
        return not self.has_gaps and self.n_distinct * MIN_ROWS_OF_A_SERIES <= len(self.codes)

    @property
    def is_in_blocks(self) -> bool:
        """Whether equal cells follow one another."""
        return int((np.diff(self.codes) != 0).sum()) + 1 == self.n_distinct

    @property
    def is_cyclic(self) -> bool:
        """Whether the distinct cells return in turn, as for interleaved series."""
        n = self.n_distinct
        return n > 1 and bool((self.codes == np.arange(len(self.codes)) % n).all())

    @cached_property
    def axis(self) -> Array | None:
        """Numbers or times in seconds (rows,); None if the cells are neither."""
        if self.kind == "numbers":
            return self.numbers
        if self.kind != "dates":
            return None
        try:
            return parse_times([str(cell) for cell in self.cells], str)
        except DataError:
            return None

    @property
    def is_increasing(self) -> bool:
        """Whether the cells are numbers or dates that increase down the rows."""
        return self.axis is not None and bool((np.diff(self.axis) > 0).all())

    @property
    def is_decreasing(self) -> bool:
        """Whether two or more cells are numbers or dates that decrease."""
        if self.axis is None or len(self.axis) < 2:
            return False
        return bool((np.diff(self.axis) < 0).all())

    @property
    def is_monotone(self) -> bool:
        """Whether the cells are numbers or dates in either order."""
        return self.is_increasing or self.is_decreasing

    @property
    def is_nearly_monotone(self) -> bool:
        """Whether the cells are numbers or dates in order, some equal."""
        if self.axis is None:
            return False
        steps = np.diff(self.axis)
        return bool((steps >= 0).all() or (steps <= 0).all())

    @property
    def is_even(self) -> bool:
        """Whether the cells increase in equal steps."""
        return self.is_increasing and self.is_regular

    @property
    def is_regular(self) -> bool:
        """Whether the distinct cells, sorted, increase in equal steps."""
        if self.axis is None or not np.isfinite(self.axis).all():
            return False
        values = np.unique(self.axis)
        if len(values) < 3:
            return False
        steps = np.diff(values)
        return bool(np.ptp(steps) <= 1e-3 * steps.mean() + 1e-9 * np.abs(values).max())

    def increases_within(self, codes: Array) -> bool:
        """Whether the cells increase from row to row in each series.

        Args:
            codes: Index of the series of each row (rows,).
        """
        if self.axis is None or not np.isfinite(self.axis).all():
            return False
        order = np.argsort(codes, kind="stable")
        steps, is_same = np.diff(self.axis[order]), np.diff(codes[order]) == 0
        return bool(is_same.any()) and bool((steps[is_same] > 0).all())
