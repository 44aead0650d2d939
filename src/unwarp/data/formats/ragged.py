"""Conversion of series of equal or unequal lengths to a `Source`.

The readers of series collect a list of arrays (C, T_i) with NaN for missing values, and
pass it to `series_source`.
"""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Form
from unwarp.data.precision import loses_digits
from unwarp.data.source import Source, describe
from unwarp.errors import DataError


def trim_padding(series: Array, location: str) -> Array:
    """Remove time steps at the end without a value.

    A step is removed if the values of all channels are missing.

    Some formats need lines of one length, so that shorter series are padded with missing values.

    Args:
        series: A series (C, T), NaN for missing values.
        location: Location of the series in words, for the error.

    Returns:
        A view of the series up to its last step with a value in any channel (C, T'). Missing values
        before that step stay NaN.

    Raises:
        DataError: All values are missing.

    >>> trim_padding(np.array([[1, np.nan, 2, np.nan]]), "line 1")
    array([[ 1., nan,  2.]])
    """
    observed = np.flatnonzero(~np.isnan(series).all(0))
    if observed.size == 0:
        raise DataError(f"{location} has only missing values; remove this series")
    return series[:, : observed[-1] + 1]


def series_source(
    series: list[Array],
    labels: Array | None,
    layout: str,
    names: list[str] | None = None,
    times: list[Array] | None = None,
    channels: tuple[str, ...] = (),
) -> Source:
    """Collect series of equal or unequal lengths in a `Source`.

    Args:
        series: N series (C, T_i), all with the same number of channels C.
        labels: Class of each series (N,); None if the file has none.
        layout: Layout of the file in words, such as `.ts, labels`, for the description.
        names: Name of each series (N); None if the file has none.
        times: Time stamps of each series (T_i,); None if the file has none.
        channels: Names of the C channels; empty if they have none.

    Returns:
        The samples as (N, T) for one channel, (N, C, T) for more, or a list of N arrays (C, T_i),
        float32, or float64 if float32 would round them noticeably; the times as (N, T) or a list of
        N arrays (T_i,).

    >>> series_source([np.zeros((1, 3)), np.ones((1, 3))], None, "example").x.shape
    (2, 3)
    """
    is_rounded = any(loses_digits(row) for row in series)
    series = [row.astype(np.float64 if is_rounded else np.float32, copy=False) for row in series]
    if len({row.shape for row in series}) > 1:
        description = f"{describe(series)}; {layout}"
        form = Form(channels=channels)
        return Source(series, names, labels, description, "series", times, form=form)
    x = np.stack(series)
    x = x[:, 0] if x.shape[1] == 1 else x
    stacked = None if times is None else np.stack(times)
    description = f"{describe(x, domain='series')}; {layout}"
    form = Form(channels=channels)
    return Source(x, names, labels, description, "series", stacked, form=form)
