"""Series as columns of a table, after a column of times."""

from __future__ import annotations

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Output
from unwarp.data.formats.column_names import stem_of
from unwarp.data.recording_form import default_channels

MIN_SERIES_OF_WORDS = 5
"""Number of series from which any names are read back as those of series."""


def columns_of(output: Output) -> tuple[list[str], list[Array]]:
    """Names and cells of the columns of a table of series.

    Args:
        output: The series.

    Returns:
        The names, and as many columns: `time`, and one for each channel of each series; or, if
        series have times of their own, `id`, `time` and one for each channel. For pictures,
        `sample` and one for each pixel.
    """
    if output.pictures is not None:
        pixels = output.x.reshape(len(output.x), -1).T
        names = [f"pixel_{k}" for k in range(len(pixels))]
        return ["sample", *names], [np.asarray(output.names), *pixels]
    rows = [np.atleast_2d(row) for row in output.x]
    channels = list(output.form.channels)
    channels = channels if len(channels) == len(rows[0]) else default_channels(len(rows[0]))
    times = shared_times(output, max(row.shape[1] for row in rows))
    names = [str(name) for name in output.names]
    if output.names.dtype.kind in "iu":
        names = [f"series_{name}" for name in names]
    if times is None:
        return _long(output, names, rows, channels)
    is_single = len(channels) == 1
    has_dots = is_single and len(names) < MIN_SERIES_OF_WORDS and stem_of(names) is None
    heads = names if is_single and not has_dots else [f"{a}.{b}" for a in names for b in channels]
    columns = [_pad(channel, len(times)) for row in rows for channel in row]
    return ["time", *heads], [times, *columns]


def _pad(channel: Array, length: int) -> Array:
    """A channel with NaN after its end."""
    if len(channel) == length:
        return channel
    dtype = np.result_type(channel, np.float32)
    return np.concatenate([channel.astype(dtype), np.full(length - len(channel), np.nan, dtype)])


def _long(
    output: Output, names: list[str], rows: list[Array], channels: list[str]
) -> tuple[list[str], list[Array]]:
    """Columns of a long table."""
    assert output.times is not None
    lengths = [row.shape[1] for row in rows]
    ids = np.repeat(np.array(names), lengths)
    values = np.concatenate(rows, axis=1)
    return ["id", "time", *channels], [ids, np.concatenate(list(output.times)), *values]


def shared_times(output: Output, length: int) -> Array | None:
    """Times of the steps of all series.

    Args:
        output: The series.
        length: Number of steps of the longest one.

    Returns:
        Times (length,), the numbers of the steps if there are none; None if series have times of
        their own.
    """
    times = output.times
    if times is None:
        return np.arange(length)
    if isinstance(times, np.ndarray) and times.ndim == 1:
        return times
    rows = [np.asarray(row) for row in times]
    longest = max(rows, key=len)
    return longest if all(np.array_equal(row, longest[: len(row)]) for row in rows) else None
