"""Parsing of a user's samples into regular or irregular ones.

`parse_samples` decides which of `RegularSamples` and `IrregularSeries` an array-like is, and checks
it. `parse_other` does the same for a second channel or a mask of samples that are parsed already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from unwarp.core import Array, Domain
from unwarp.data.arrays import as_numpy, as_samples, row_blocks
from unwarp.data.layout import MIN_SIDE_OF_SQUARE_IMAGES
from unwarp.data.recordings import IrregularSeries, RegularSamples
from unwarp.data.series import as_rows
from unwarp.data.time_stamps import as_times, resolve_times
from unwarp.errors import DataError


@contextmanager
def rename_in_errors(name: str) -> Iterator[None]:
    """Context manager that puts another name for X into data errors.

    Args:
        name: Argument of the user that is parsed in the context, such as `other`.

    Raises:
        DataError: The error raised in the context, with its message about `name`.
    """
    try:
        yield
    except DataError as error:
        message = re.sub(r"\bX\b", name, str(error))
        raise DataError(message if name in message else f"{name}: {message}") from error


def parse_samples(
    X: Any,
    times: Any = None,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    any_length: bool | None = None,
) -> tuple[RegularSamples | IrregularSeries, str]:
    """Checked samples in their original form, and the name of their domain.

    Args:
        X: Array-like as `as_samples` takes it, or a list of N series (T_i,) or (C, T_i). If lengths
            may differ, NaN at the end of a row ends its series; any other NaN is a missing value.
            Parsed samples are returned as they are.
        times: Time stamps of series: (T,) for all, (N, T), or a list of N arrays (T_i,), in a form
            that `as_times` reads; None for evenly spaced series.
        domain: `image`, `series` or another registered domain; `auto` decides by the axes.
        image_shape: (H, W) or (C, H, W) of images that are flattened to rows.
        any_length: Whether series may differ in length. True treats even equally long series as
            irregular; None allows it for data that need it.

    Returns:
        `IrregularSeries` for series with gaps, time stamps or unequal lengths, or if `any_length`
        is true; else `RegularSamples`. Then the name of the domain.

    Raises:
        DataError: As by `as_samples`; lengths differ although `any_length` is false; `times` do not
            fit or are given for images.
        ConfigError: `domain` is unknown, or `image_shape` is not a shape.

    >>> samples, domain = parse_samples([[0.0, 1.0], [0.0, 1.0, 2.0]])
    >>> type(samples).__name__, domain
    ('IrregularSeries', 'series')
    """
    if isinstance(X, RegularSamples | IrregularSeries):
        return X, domain
    if domain in ("auto", "series") and image_shape is None and _has_unequal_lengths(X, domain):
        return _parse_unequal_lengths(X, times, any_length), "series"
    samples, name = as_samples(X, domain, image_shape, allow_gaps=True)
    _check_times_apply(times, samples, Domain.registry[name])
    has_gaps = _has_gaps(samples, Domain.registry[name])
    is_irregular = has_gaps or any_length or times is not None
    if not Domain.registry[name].has_times or not is_irregular:
        return RegularSamples(samples, X), name
    if has_gaps and any_length is not False:
        rows, times = _cut_trailing_gaps(samples.astype(np.float32, copy=False), times)
    else:
        rows = list(samples)
    return _irregular(rows, X, times), name


def parse_other(other: Any, series: IrregularSeries) -> IrregularSeries:
    """Other channels of the same series, at the same times.

    Args:
        other: N series of the same lengths, as an array-like or a list. Series that are padded as
            those of `series` were are cut to their lengths.
        series: The N series that `other` belongs to.

    Returns:
        The values of `other` with the times of `series`.

    Raises:
        DataError: The number of series or their lengths differ.
    """
    with rename_in_errors("other"):
        rows = as_rows(other)
    lengths = [row.shape[1] for row in series.rows]
    if len(rows) == len(lengths):
        # a type without NaN, such as a mask's, cannot mark the end of a series by itself
        rows = [
            row[:, :length] if row.shape[1] == series.padded_length else row
            for row, length in zip(rows, lengths, strict=True)
        ]
    if [row.shape[1] for row in rows] != lengths:
        raise DataError(
            "other must hold as many series as X, of the same lengths; samples and frame must agree"
        )
    return replace(series, rows=rows, **_form(other))


def _has_gaps(samples: Array, domain: Domain) -> bool:
    """Whether a value is missing, in a domain that has gaps."""
    return domain.has_gaps and any(np.isnan(samples[rows]).any() for rows in row_blocks(samples))


def _check_times_apply(times: Any, samples: Array, domain: Domain) -> None:
    """Refuse times of samples that do not run over time."""
    if times is not None and not domain.has_times:
        raise DataError(
            f"times are of series, X holds {domain.plural} of shape {samples.shape}; set "
            "domain='series' or drop times"
        )


def _parse_unequal_lengths(X: Any, times: Any, any_length: bool | None) -> IrregularSeries:
    """A list of series of unequal lengths, refused if all must have one length."""
    if any_length is False:
        raise DataError(
            "X holds series of unequal lengths, the model was trained on series of one length; "
            "train on series of unequal lengths, or use unwarp.data.resample_to(X, length)"
        )
    return _irregular(as_rows(X), X, times)


def _irregular(rows: list[Array], X: Any, times: Any) -> IrregularSeries:
    return IrregularSeries(rows, resolve_times(rows, times), times is not None, **_form(X))


def _form(X: Any) -> dict[str, Any]:
    """The form of series, as fields of `IrregularSeries`: axes, type and padded length."""
    if _is_list(X):
        rows = [np.asarray(as_numpy(row)) for row in X]
        dtype = np.result_type(*rows)
        return {"has_channel_axis": rows[0].ndim > 1, "dtype": dtype, "padded_length": None}
    array = np.asarray(as_numpy(X))
    return {
        "has_channel_axis": array.ndim != 2,
        "dtype": array.dtype,
        "padded_length": array.shape[-1],
    }


def _is_list(X: Any) -> bool:
    """Whether `X` is a list of series rather than one array, perhaps as an array of objects."""
    return isinstance(X, list | tuple) or getattr(X, "dtype", None) is np.dtype(object)


def _has_unequal_lengths(X: Any, domain: str) -> bool:
    """Whether `X` is a list of series of different lengths.

    Raises:
        DataError: The samples may as well be images of different widths.
    """
    if not _is_list(X) or getattr(X, "ndim", 1) != 1:
        return False
    if not all(isinstance(row, list | tuple) or hasattr(row, "__array__") for row in X):
        return False
    try:
        shapes = {np.shape(row) for row in X}
    except ValueError:  # a row is ragged itself
        return False
    has_other_axes = any(len(shape) not in (1, 2) for shape in shapes)
    if len(shapes) < 2 or has_other_axes or len({shape[:-1] for shape in shapes}) > 1:
        return False
    narrowest, *_ = sorted(shapes)
    is_ambiguous = len(narrowest) == 2 and narrowest[0] >= MIN_SIDE_OF_SQUARE_IMAGES
    if domain == "auto" and is_ambiguous:
        raise DataError(
            f"X is a list whose samples differ in width, the narrowest of shape {narrowest}: set "
            f"domain='series' if they are series of {narrowest[0]} channels; pictures must have "
            "one size: crop, pad or resample them"
        )
    return True


def _cut_trailing_gaps(samples: Array, times: Any) -> tuple[list[Array], Any]:
    """Series (N, C, T), each cut after its last value in any channel, and their times likewise."""
    is_observed = np.logical_not(np.isnan(samples).all(axis=1))
    if not is_observed.any(1).all():
        row = int((~is_observed.any(1)).argmax())
        raise DataError(f"sample {row} of X holds NaN alone; drop it")
    length = samples.shape[-1]
    ends = length - is_observed[:, ::-1].argmax(1)
    rows = [row[:, :end] for row, end in zip(samples, ends, strict=True)]
    if times is None:
        return rows, times
    stamps = as_times(times)
    if isinstance(stamps, np.ndarray):
        stamps = [stamps] * len(rows)
    if len(stamps) != len(rows):  # refused, with a message, by `resolve_times`
        return rows, stamps
    return rows, [
        row[:end] if row.shape == (length,) else row for row, end in zip(stamps, ends, strict=True)
    ]
