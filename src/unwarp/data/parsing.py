"""Parsing of a user's samples into `RegularSamples` or `IrregularSeries`.

`parse_samples` checks an array-like and returns one of these two records. `parse_other` parses
further channels, or a mask, of series that are parsed already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from unwarp.core import Array, Domain, LayoutName
from unwarp.data.array_likes import as_numpy
from unwarp.data.arrays import as_precise_samples
from unwarp.data.blocks import row_blocks
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.layout import MIN_SIDE_OF_SQUARE_IMAGES
from unwarp.data.recordings import RegularSamples
from unwarp.data.series import as_rows
from unwarp.data.time_stamps import as_times, resolve_times
from unwarp.errors import DataError


@contextmanager
def rename_in_errors(name: str) -> Iterator[None]:
    """Context in which messages of data errors name another argument.

    The functions that check the user's argument `X` and name it in their messages also check other
    arguments of the user.

    Args:
        name: Name of the argument that is checked in the context, such as `other`.

    Raises:
        DataError: A data error was raised in the context. Its message now contains `name`.
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
    layout: LayoutName = "auto",
) -> tuple[RegularSamples | IrregularSeries, str]:
    """Checked samples that are not yet resampled or scaled, and their domain.

    Args:
        X: Array-like as `as_samples` takes it, or a list of N series (T_i,) or (C, T_i). NaN in a
            series is a missing value. Unless `any_length` is False, NaN in all channels at the end
            of a series is padding instead and is cut off. Parsed samples are returned unchanged.
        times: Time stamps of series: (T,) that all series share, (N, T), or a list of N arrays
            (T_i,), in a form that `as_times` reads; None for evenly spaced series.
        domain: `image`, `series` or another registered domain; `auto` decides by the number of
            axes.
        image_shape: Shape (H, W) or (C, H, W) of an image, needed if each row of `X` is a flattened
            image; None if unknown.
        any_length: True if the model accepts series of any length: they become `IrregularSeries`
            even if all are equally long. False if all series must have one length. None if `X`
            decides.
        layout: Order of the axes of images; `auto` decides by the shape.

    Returns:
        The samples: `IrregularSeries` for series with missing values, time stamps or unequal
        lengths, or if `any_length` is True; else `RegularSamples`. Then the name of their domain.

    Raises:
        DataError: `as_samples` refuses `X`, lengths differ although `any_length` is False, or
            `times` do not fit or are given for images.
        ConfigError: `domain` is unknown, or `image_shape` is not a shape.

    >>> samples, domain = parse_samples([[0.0, 1.0], [0.0, 1.0, 2.0]])
    >>> type(samples).__name__, domain
    ('IrregularSeries', 'series')
    """
    if isinstance(X, RegularSamples | IrregularSeries):
        return X, domain
    if domain in ("auto", "series") and image_shape is None and _has_unequal_lengths(X, domain):
        return _parse_unequal_lengths(X, times, any_length), "series"
    samples, name = as_precise_samples(X, domain, image_shape, allow_gaps=True, layout=layout)
    _check_times_apply(times, samples, Domain.registry[name])
    has_gaps = _has_gaps(samples, Domain.registry[name])
    is_irregular = has_gaps or any_length or times is not None
    if not Domain.registry[name].has_times or not is_irregular:
        return RegularSamples(samples, X, layout), name
    if has_gaps and any_length is not False:
        rows, times = _cut_trailing_gaps(samples, times)
    else:
        rows = list(samples)
    return _irregular(rows, X, times), name


def parse_other(other: Any, series: IrregularSeries) -> IrregularSeries:
    """Further channels, or a mask, of series that are parsed already.

    Args:
        other: N series of the same lengths as `series`, as an array-like or a list. If the user's
            array of `series` was padded, `other` may be padded to the same length; the padding is
            cut off.
        series: The N series that `other` belongs to.

    Returns:
        The values of `other` with the times of `series`.

    Raises:
        DataError: The number of series or their lengths differ.
    """
    with rename_in_errors("other"):
        rows = as_rows(other)
    lengths = [row.shape[1] for row in series.values]
    if len(rows) == len(lengths):
        # a boolean or integer array has no NaN to mark its padding: cut it where `series` was cut
        rows = [
            row[:, :length] if row.shape[1] == series.padded_length else row
            for row, length in zip(rows, lengths, strict=True)
        ]
    if [row.shape[1] for row in rows] != lengths:
        raise DataError(
            "other and X differ in the number of series or in their lengths; give as many series "
            "as X, of the same lengths"
        )
    return replace(series, values=rows, **form_of(other))


def _has_gaps(samples: Array, domain: Domain) -> bool:
    """Whether a value is missing and the domain allows it."""
    can_be_nan = domain.has_gaps and samples.dtype.kind == "f"
    return can_be_nan and any(np.isnan(samples[rows]).any() for rows in row_blocks(samples))


def _check_times_apply(times: Any, samples: Array, domain: Domain) -> None:
    """Refuse times if the domain of the samples has no axis of time."""
    if times is not None and not domain.has_times:
        raise DataError(
            f"times belong to series, X holds {domain.plural} of shape {samples.shape}; set "
            "domain='series' if they are series, else leave times out"
        )


def _parse_unequal_lengths(X: Any, times: Any, any_length: bool | None) -> IrregularSeries:
    """Parse a list of series of unequal lengths; refuse it if `any_length` is False."""
    if any_length is False:
        raise DataError(
            "X holds series of unequal lengths, the model was trained on series of one length; "
            "train on series of unequal lengths, or use unwarp.data.resample_to(X, length)"
        )
    return _irregular(as_rows(X), X, times)


def _irregular(rows: list[Array], X: Any, times: Any) -> IrregularSeries:
    return IrregularSeries(rows, resolve_times(rows, times), times is not None, **form_of(X))


def form_of(X: Any) -> dict[str, Any]:
    """The fields of `IrregularSeries` that describe the form of a user's series.

    Args:
        X: Series in any form that `as_rows` takes.
    """
    if _is_list(X):
        rows = [np.asarray(as_numpy(row)) for row in X]
        dtype = np.result_type(*rows)
        return {"has_channel_axis": rows[0].ndim > 1, "dtype": dtype, "padded_length": None}
    values = as_numpy(X)
    array = values if hasattr(values, "dtype") else np.asarray(values)
    return {
        "has_channel_axis": array.ndim != 2,
        "dtype": array.dtype,
        "padded_length": array.shape[-1],
    }


def _is_list(X: Any) -> bool:
    """Whether `X` is a list, a tuple or an array of objects, rather than an array of numbers."""
    return isinstance(X, list | tuple) or getattr(X, "dtype", None) is np.dtype(object)


def _has_unequal_lengths(X: Any, domain: str) -> bool:
    """Whether `X` is a list of series of different lengths.

    Raises:
        DataError: The list can be read as series of several channels or as images of different
            widths, and `domain` is `auto`.
    """
    if not _is_list(X) or getattr(X, "ndim", 1) != 1:
        return False
    if not all(isinstance(row, list | tuple) or hasattr(row, "__array__") for row in X):
        return False
    try:
        shapes = {np.shape(row) for row in X}
    except ValueError:  # an entry is a list of lists of unequal lengths
        return False
    has_other_axes = any(len(shape) not in (1, 2) for shape in shapes)
    if len(shapes) < 2 or has_other_axes or len({shape[:-1] for shape in shapes}) > 1:
        return False
    narrowest, *_ = sorted(shapes)
    is_ambiguous = len(narrowest) == 2 and narrowest[0] >= MIN_SIDE_OF_SQUARE_IMAGES
    if domain == "auto" and is_ambiguous:
        raise DataError(
            f"X is a list of arrays of different widths, the narrowest of shape {narrowest}; set "
            f"domain='series' if they are series of {narrowest[0]} channels; images must have one "
            "size: set sizes='pad', 'crop' or 'HxW'"
        )
    return True


def _cut_trailing_gaps(samples: Array, times: Any) -> tuple[list[Array], Any]:
    """Cut each series after the last step that has a value in any channel.

    Args:
        samples: Series (N, C, T), padded with NaN at their ends.
        times: Time stamps in a form that `as_times` reads, or None.

    Returns:
        N series (C, T_i) and their times (T_i,); None if `times` is None.
    """
    parts = (np.isnan(samples[rows]).all(axis=1) for rows in row_blocks(samples))
    is_observed = ~np.concatenate(list(parts))
    if not is_observed.any(1).all():
        row = int((~is_observed.any(1)).argmax())
        raise DataError(f"sample {row} of X holds nothing but NaN; drop it")
    length = samples.shape[-1]
    ends = length - is_observed[:, ::-1].argmax(1)
    rows = [row[:, :end] for row, end in zip(samples, ends, strict=True)]
    if times is None:
        return rows, times
    stamps = as_times(times)
    if isinstance(stamps, np.ndarray):
        stamps = [stamps] * len(rows)
    if len(stamps) != len(rows):  # `resolve_times` raises the error
        return rows, stamps
    return rows, [
        row[:end] if row.shape == (length,) else row for row, end in zip(stamps, ends, strict=True)
    ]
