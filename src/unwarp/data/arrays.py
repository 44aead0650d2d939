"""Checked samples from a user's arrays, tensors, data frames or lists.

`as_samples` turns any of these into images (N, C, H, W) or series (N, C, T). It refuses everything
that a model cannot use and names the index of the first such value. Later code relies on this and
does not check values again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unwarp.core import Array, Domain, LayoutName
from unwarp.data.array_likes import as_dense
from unwarp.data.blocks import row_blocks
from unwarp.data.layout import arrange_axes
from unwarp.data.precision import as_float32
from unwarp.disk.sharded import native_order
from unwarp.errors import ConfigError, DataError, DataTypeError
from unwarp.range_kinds import Choice


def as_samples(
    X: Any,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    allow_gaps: bool = False,
    layout: LayoutName = "auto",
) -> tuple[Array, str]:
    """Checked samples, channels first, and the name of their domain.

    An array with 4 axes holds images. An array with 2 axes holds series or, if `image_shape` is
    set, flattened images. An array with 3 axes holds images of one channel if height = width >= 8.
    Any other array with 3 axes can be read in two ways and is refused unless `domain` decides.

    Convention:
        Images are (N, C, H, W), series (N, C, T). Images with channels last (N, H, W, C) are
        recognised by 1, 3 or 4 entries of the last axis. If axis 1 has 1, 3 or 4 entries, too, the
        array can be read in two ways and is refused, with both readings in the message. A reading
        with images one pixel high or wide does not count. So is an array whose last axis has at
        most 16 entries and is shorter than the two axes before it. `layout` decides.

    Args:
        X: Array, tensor, data frame or nested lists of N samples. It is never modified.
        domain: `image`, `series` or another registered domain; `auto` decides by the number of
            axes.
        image_shape: Shape (H, W) or (C, H, W) of an image. It is needed if each row of `X` is a
            flattened image (N, C * H * W), and decides how an array with more axes is read. None if
            unknown.
        allow_gaps: Whether NaN is accepted as a missing value, if the domain allows missing values
            as series do.
        layout: Order of the axes of images; `auto` decides by the shape.

    Returns:
        The samples, uint8 if `X` is uint8 and float32 otherwise, and the name of their domain. The
        array may share its memory with `X`.

    Raises:
        DataError: `X` is empty, sparse, complex, text or ragged, has values that are NaN, infinite
            or too large for float32, or has a shape that does not fit or can be read in two ways.
        ConfigError: `domain` is unknown, or `image_shape` is not a shape.
        DataTypeError: `X` holds objects that are not numbers.

    >>> samples, domain = as_samples([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> samples.shape, domain
    ((2, 1, 3), 'series')
    """
    samples, name = as_precise_samples(X, domain, image_shape, allow_gaps, layout)
    return samples if samples.dtype == np.uint8 else samples.astype(np.float32, copy=False), name


def as_precise_samples(
    X: Any,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    allow_gaps: bool = False,
    layout: LayoutName = "auto",
) -> tuple[Array, str]:
    """Checked samples with all digits of the user's numbers.

    It does the same as `as_samples`, but keeps the type. A series around 101,325 that varies by
    0.01 keeps its digits in this way, until a scale has removed the offset, and integers are not
    copied.

    Args:
        X: Array, tensor, data frame or nested lists of N samples.
        domain: `image`, `series` or another registered domain, or `auto`.
        image_shape: Shape (H, W) or (C, H, W) of an image, as for `as_samples`.
        allow_gaps: Whether NaN is accepted as a missing value.
        layout: Order of the axes of images, as for `as_samples`.

    Returns:
        The samples in the type of `X`, in the byte order of the machine. Then the name of their
        domain.

    Raises:
        DataError: As for `as_samples`.
        ConfigError: As for `as_samples`.

    >>> as_precise_samples([[101325.01, 101325.02]])[0].dtype
    dtype('float64')
    """
    if not Choice(("auto", *Domain.registry)).allows(domain):
        raise ConfigError(
            f"domain={domain!r} is unknown; choose one of auto, {', '.join(Domain.registry)}"
        )
    numbers = _as_numeric(_check_not_empty(as_dense(X)))
    if numbers.dtype.kind == "f" and numbers.ndim:
        may_have_gaps = (
            allow_gaps
            and image_shape is None
            and Domain.registry[arrange_axes(numbers, domain, layout=layout)[1]].has_gaps
        )
        _check_finite(numbers, may_have_gaps)
    return arrange_axes(native_order(numbers), domain, image_shape, layout)


def _check_not_empty(x: Array) -> Array:
    """Return the array; refuse it if it has no samples or samples without numbers."""
    if x.ndim > 0 and x.size == 0:
        # scikit-learn's tests of estimators require this wording
        noun = "sample(s)" if len(x) == 0 else "feature(s)"
        raise DataError(
            f"X is empty: 0 {noun} (shape={x.shape}) while a minimum of 1 is required. Check how X "
            "was loaded"
        )
    return x


def _as_numeric(x: Array) -> Array:
    """An array of real numbers; an array of objects becomes float64, other types are refused."""
    if x.dtype.kind in "biuf":
        return x
    if x.dtype.kind == "c":
        raise DataError(
            f"Complex data not supported: X is {x.dtype}; pass its real and imaginary parts as "
            "channels"
        )
    if x.dtype.kind != "O":
        raise DataError(
            f"X must hold numbers, it is of dtype {x.dtype} with shape {x.shape}; convert it first"
        )
    if x.ndim == 1 and (isinstance(x[0], list | tuple) or getattr(x[0], "ndim", 0) > 0):
        # an array of objects whose entries are arrays or lists
        return _as_numeric(as_dense(list(x)))
    import pandas as pd

    try:
        # pandas.NA cannot be converted to a float; as NaN, a later check reports its index
        return np.where(pd.isna(x), np.nan, x).astype(np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        kind = DataTypeError if isinstance(error, TypeError) else DataError
        raise kind(
            f"X must hold numbers only: {error}; drop or encode values that are not numbers"
        ) from error


def _check_finite(numbers: Array, may_have_gaps: bool) -> None:
    """Refuse infinite values, and NaN unless it may mark a missing value.

    Args:
        numbers: The numbers with the user's dtype, which the message quotes.
        may_have_gaps: Whether NaN marks a missing value.
    """
    for rows in row_blocks(numbers):
        part = as_float32(numbers[rows])
        non_finite = part[~np.isfinite(part)]
        if non_finite.size and not (may_have_gaps and np.isnan(non_finite).all()):
            raise DataError(_describe_non_finite(numbers, rows, may_have_gaps))


def _describe_non_finite(numbers: Array, rows: slice, may_have_gaps: bool) -> str:
    """The error message for unusable values (NaN or infinite).

    Args:
        numbers: The numbers with the user's dtype.
        rows: The first block of rows with an unusable value.
        may_have_gaps: Whether NaN is usable.

    Returns:
        The first unusable value, its index, and the number of unusable values in all rows.
    """
    is_bad = np.isinf if may_have_gaps else lambda part: ~np.isfinite(part)
    row, *rest = (int(i) for i in np.argwhere(is_bad(as_float32(numbers[rows])))[0])
    index = (row + rows.start, *rest)
    blocks = (as_float32(numbers[part]) for part in row_blocks(numbers))
    count = sum(int(is_bad(part).sum()) for part in blocks)
    location = f"at index {index} of X"
    if count > 1:
        location += f", the first of {count:,} such values"
    if np.isnan(numbers[index]):
        return (
            f"Input contains NaN {location}; fill or drop missing values first (for series, "
            "Unwarper(missing='interpolate') fills them)"
        )
    if np.isinf(numbers[index]):
        return f"Input contains infinity {location}; replace or drop infinite values first"
    return f"Input contains {numbers[index]:g}, too large for float32, {location}; rescale X first"
