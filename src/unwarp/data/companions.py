"""Data of series, at a rate or at times of their own.

Convention:
    A share is a time in the frame of its series: 0 at the first time step of the model, 1 at the
    last. Data of another rate cover the same time as their series, from edge to edge: step i of T
    steps stands for the time from i to i + 1 of T parts. So a bin of k steps has the mean of their
    times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unwarp.core import Array, MissingPolicy
from unwarp.data.array_likes import as_numpy
from unwarp.data.clock import MAX_RESAMPLING_FACTOR, Clock, typical_rate
from unwarp.data.coordinates import time_spans
from unwarp.data.frames import Frame
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.parsing import form_of, parse_samples, rename_in_errors
from unwarp.data.prepared import Origin, Prepared
from unwarp.data.schema import Schema, offset_scaler
from unwarp.data.series import as_rows
from unwarp.data.time_stamps import resolve_times
from unwarp.errors import DataError
from unwarp.warps import Window


@dataclass(frozen=True, eq=False)
class Companion:
    """Data of N series with steps of their own.

    Attributes:
        rows: N arrays (C, T_i).
        shares: Times of their steps, N arrays (T_i,), as shares.
        window: Evenly spaced steps of the results in the frame.
        form: Fields of `IrregularSeries` that describe the user's data.

    >>> window = window_of(2, 4)
    >>> window.extent
    (1.5,)
    """

    rows: list[Array]
    shares: list[Array]
    window: Window
    form: dict[str, Any]

    @property
    def edges(self) -> list[Array]:
        """Edges of the steps, halfway between two: N arrays (T_i + 1,)."""
        return [_edges(row) for row in self.shares]

    @property
    def edges_of_window(self) -> Array:
        """Edges of the steps of the results (L + 1,), as shares."""
        extent = self.window.extent[0]
        return _edges(0.5 + extent * np.linspace(-0.5, 0.5, self.window.size[0]))

    def resample(self, missing: MissingPolicy) -> tuple[IrregularSeries, Array]:
        """The data at the evenly spaced steps of the window.

        Args:
            missing: Treatment of missing values, as for `IrregularSeries.resample`.

        Returns:
            The series with their shares as times, and their values (N, C, L); NaN where they have
            none.

        Raises:
            DataError: A value is missing and `missing` is `error`, or data lie outside the frame.
        """
        length, extent = self.window.size[0], self.window.extent[0]
        clock = Clock((length - 1) / extent, 0.5 - extent / 2, any_length=True, is_stretched=False)
        series = IrregularSeries(self.rows, self.shares, True, **self.form, clock=clock)
        with rename_in_errors("other"):
            return series, series.resample(length, missing)


def check_domain(schema: Schema, other: Any, times: Any, counts: bool) -> None:
    """Refuse counts and times that nothing has.

    Args:
        schema: Description of the samples.
        other: Data that belong to the samples; None for none.
        times: Times of the steps of `other`; None for none.
        counts: Whether the data are counts.

    Raises:
        DataError: The samples are no series, or there are times, but no data.
    """
    if (counts or times is not None) and not schema.domain.has_times:
        raise DataError(
            f"counts and other_times belong to series, X holds {schema.domain.plural}; leave them "
            "out"
        )
    if other is None and times is not None:
        raise DataError("other=None has no times; give other, or leave other_times out")


def prepare_other(
    schema: Schema, other: Any, samples: Prepared, missing: MissingPolicy, times: Any = None
) -> Prepared:
    """Data that belong to samples; those of series may have other steps.

    Args:
        schema: Description of the samples.
        other: N arrays, as for `Schema.prepare_other`, or `companion_of`.
        samples: The N samples that `other` belongs to.
        missing: Treatment of missing values.
        times: Times of the steps of `other`; None for those of equal parts of the series.

    Returns:
        The values, not scaled, on a window of the frame.

    Raises:
        DataError: The data do not fit the samples.
    """
    if times is None and not (schema.domain.has_times and has_other_length(other, samples)):
        return schema.prepare_other(other, samples, missing)
    companion = companion_of(schema, other, samples, times)
    origin: Origin
    if times is None and not isinstance(samples.origin, IrregularSeries):
        with rename_in_errors("other"):
            origin, _ = parse_samples(other, None, schema.domain.name, None, False)
            values = origin.resample(None, missing)
    else:
        origin, values = companion.resample(missing)
    frame = Frame.of(other)
    return Prepared(values, offset_scaler(values), origin, frame=frame, window=companion.window)


def window_of(n_steps: int, n_parts: int) -> Window:
    """Window of the equal parts of the time that steps cover.

    Args:
        n_steps: Number of steps of the frame.
        n_parts: Number of parts, at least 2.
    """
    return Window((n_parts,), (n_steps * (1 - 1 / n_parts) / max(1, n_steps - 1),))


def companion_of(schema: Schema, other: Any, samples: Prepared, times: Any = None) -> Companion:
    """Data of prepared series, at their own rate or times.

    Args:
        schema: Description of the series.
        other: N arrays (T_i,) or (C, T_i), or an array (N, T) or (N, C, T); None for the series
            themselves.
        samples: The N series.
        times: Times of the steps of `other`, on the clock of events; None if `other` covers the
            same time as the series, at a whole multiple of their rate or a whole part of it.

    Raises:
        DataError: The number of series differs, the rates do not fit, or the times do not fit.
    """
    with rename_in_errors("other"):
        rows, form = _own_rows(samples) if other is None else (as_rows(other), form_of(other))
    if len(rows) != len(samples):
        raise DataError(f"other has {len(rows)} series, X has {len(samples)}; give as many as X")
    n_steps = schema.user_shape[-1]
    if times is None:
        rows = _cut_padding(rows, samples)
        shares = _shares_of_parts(schema, rows, samples)
        rate = rows[0].shape[1] / _lengths(samples)[0]
        window = window_of(n_steps, max(2, round(rate * n_steps)))
        return Companion(rows, shares, window, form)
    with rename_in_errors("other_times"):
        stamps = resolve_times(rows, times)
    spans = time_spans(schema, samples)[0]
    shares = [(row - a) / (b - a) for row, (a, b) in zip(stamps, spans, strict=True)]
    length = round(typical_rate(shares) or 0) + 1
    if not 2 <= length <= MAX_RESAMPLING_FACTOR * max(n_steps, *(len(row) for row in shares)):
        raise DataError(
            f"other_times give {length:,} time steps over the {n_steps:,} of X; give times in the "
            "unit of times_"
        )
    return Companion(rows, shares, Window.frame((length,)), form)


def has_other_length(other: Any, samples: Prepared) -> bool:
    """Whether data of series have other numbers of steps than the series.

    Args:
        other: Data of any form.
        samples: N series.
    """
    try:
        values = as_numpy(other)
        lengths = [np.shape(as_numpy(row))[-1] for row in values]
    except (DataError, ValueError, TypeError, IndexError, RuntimeError):
        return False  # whoever parses the data refuses them
    padded = getattr(samples.origin, "padded_length", None)
    pairs = zip(lengths, _lengths(samples), strict=False)
    return len(lengths) == len(samples) and any(n not in (m, padded) for n, m in pairs)


def _own_rows(samples: Prepared) -> tuple[list[Array], dict[str, Any]]:
    """The user's series (C, T_i), and their form."""
    origin = samples.origin
    if isinstance(origin, IrregularSeries):
        return origin.values, {name: getattr(origin, name) for name in form_of([[0.0]])}
    form = {"has_channel_axis": np.ndim(as_numpy(origin.original)) != 2, "dtype": origin.dtype}
    return list(samples.samples), form | {"padded_length": samples.samples.shape[-1]}


def _lengths(samples: Prepared) -> list[int]:
    """Numbers of steps of the user's series."""
    if isinstance(samples.origin, IrregularSeries):
        return [row.shape[1] for row in samples.origin.values]
    return [samples.samples.shape[-1]] * len(samples)


def _cut_padding(rows: list[Array], samples: Prepared) -> list[Array]:
    """Data of series in a padded array, cut where the series end."""
    padded, lengths = getattr(samples.origin, "padded_length", None), _lengths(samples)
    if padded is None or min(lengths) == padded:
        return rows
    pairs = zip(rows, lengths, strict=True)
    return [row[:, : round(length * row.shape[1] / padded)] for row, length in pairs]


def _shares_of_parts(schema: Schema, rows: list[Array], samples: Prepared) -> list[Array]:
    """Shares of data that cover the same time as their series, from edge to edge."""
    lengths = _lengths(samples)
    _check_rates([row.shape[1] for row in rows], lengths)
    shares = []
    for i, (row, n) in enumerate(zip(rows, lengths, strict=True)):
        parts = (np.arange(row.shape[1]) + 0.5) * (n / row.shape[1]) - 0.5
        first, last, start, end = 0.0, n - 1.0, 0.0, schema.user_shape[-1] - 1.0
        if isinstance(samples.origin, IrregularSeries):
            first, last = samples.origin.times[i][[0, -1]]
            start, end = samples.origin.frame_of(i, schema.user_shape[-1])
        times = first + parts * ((last - first) / max(1, n - 1))
        shares.append((times - start) / max(end - start, 1e-12))
    return shares


def _check_rates(lengths: Sequence[int], lengths_of_series: Sequence[int]) -> None:
    """Refuse data that are not at one whole multiple of the rate of their series, or part of it."""
    for n, m in zip(lengths, lengths_of_series, strict=True):
        is_whole = n % m == 0 or m % n == 0
        if n < 2 or not is_whole or n * lengths_of_series[0] != m * lengths[0]:
            raise DataError(
                f"other and X differ in their lengths: a series of {m} steps has {n} steps in "
                "other, no whole multiple or part for all; give as many steps as X, or the times "
                "of the steps of other as other_times"
            )


def _edges(places: Array) -> Array:
    """Edges of bins (T + 1,) about increasing places (T,)."""
    if len(places) < 2:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middles = (places[1:] + places[:-1]) / 2
    ends = 2 * places[[0, -1]] - middles[[0, -1]]
    return np.concatenate([ends[:1], middles, ends[1:]])
