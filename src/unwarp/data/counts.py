"""Counts in bins of time, which keep their sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.companions import Companion
from unwarp.data.layout import restore_dtype
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of events in bins, such as the spikes of each millisecond.

    The counts of a bin are spread evenly over its time. Whole numbers stay whole: c events of a bin
    stand in the middles of c equal parts of it, and each belongs to one bin of the result.

    Attributes:
        rows: Counts of N series (C, T_i).
        edges: Edges of their bins, N arrays (T_i + 1,), as shares of the frame.
        dtype: Type of the user's numbers.
        has_channel_axis: Whether the user's data have an axis of channels.

    >>> edges = np.array([0.0, 0.5, 1.0])
    >>> counts = Counts([np.array([[2.0, 3.0]])], [edges], np.dtype(int))
    >>> counts.rebin(slice(0, 1), np.array([[0.0, 0.25, 1.0]]))
    array([[[1., 4.]]])
    """

    rows: list[Array]
    edges: list[Array]
    dtype: np.dtype[Any]
    has_channel_axis: bool = True

    @classmethod
    def of(cls, companion: Companion) -> Counts:
        """Counts of data that belong to series.

        Args:
            companion: The data; each step is a bin.

        Raises:
            DataError: A count is missing, or the data are booleans.
        """
        dtype = companion.form["dtype"]
        if dtype.kind == "b":
            raise DataError("counts=True needs numbers, but the data are booleans; convert them")
        if any(np.isnan(row).any() for row in companion.rows):
            raise DataError("counts=True needs all counts, but some are missing (NaN); fill them")
        return cls(companion.rows, companion.edges, dtype, companion.form["has_channel_axis"])

    def rebin(self, rows: slice, edges: Array) -> Array:
        """Counts in other bins of the same time.

        What lies outside the new bins is left out.

        Args:
            rows: M of the series.
            edges: Edges of the new bins (M, L + 1), increasing, as shares of the observed time.

        Returns:
            Counts (M, C, L), float64.
        """
        increasing = np.maximum.accumulate(edges, 1)  # whatever the rounding
        parts = zip(self.rows[rows], self.edges[rows], increasing, strict=True)
        return np.stack([self._rebin(*part) for part in parts])

    def restore(self, counts: Array) -> Array:
        """Counts in the type and with the axes of the user's numbers.

        Args:
            counts: Counts (N, C, L).
        """
        return restore_dtype(counts if self.has_channel_axis else counts[:, 0], self.dtype)

    def _rebin(self, counts: Array, edges: Array, new_edges: Array) -> Array:
        """Counts (C, L) of one series in new bins."""
        sums = np.pad(counts.astype(np.float64).cumsum(1), ((0, 0), (1, 0)))
        upto = np.stack([np.interp(new_edges, edges, row) for row in sums])
        return np.diff(np.floor(upto + 0.5) if self.dtype.kind in "iu" else upto)
