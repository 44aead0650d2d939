"""Checked samples from a user's arrays, tensors, data frames or lists.

`as_samples` turns any of these into images (N, C, H, W) or series (N, C, T). It refuses everything
that a model cannot use and names the index of the first such value. Later code relies on this and
does not check values again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unwarp.core import Array, Domain
from unwarp.data.layout import arrange_axes
from unwarp.errors import ConfigError, DataError

MAX_EXACT_INTEGER = 1 << 53
"""Bound up to which float64 represents every integer exactly."""

MAX_ROUNDING_OF_RANGE = 1e-5
"""Largest error of float32 that counts as exact, over the range of the numbers of a series."""

NUMBERS_PER_BLOCK = 1 << 22
"""Numbers that are processed at once, so that a memory-mapped array is never loaded as a whole."""


def as_samples(
    X: Any,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    allow_gaps: bool = False,
) -> tuple[Array, str]:
    """Checked samples, channels first, and the name of their domain.

    An array with 4 axes holds images. An array with 2 axes holds series or, if `image_shape` is
    set, flattened images. An array with 3 axes holds images of one channel if height = width >= 8.
    Any other array with 3 axes can be read in two ways and is refused unless `domain` decides.

    Convention:
        Images are (N, C, H, W), series (N, C, T). Images with channels last (N, H, W, C) are
        recognised by 1, 3 or 4 entries of the last axis. If axis 1 has 1, 3 or 4 entries, too, the
        array can be read in two ways and is refused, with both readings in the message. A reading
        with images one pixel high or wide does not count.

    Args:
        X: Array, tensor, data frame or nested lists of N samples. It is never modified.
        domain: `image`, `series` or another registered domain; `auto` decides by the number of
            axes.
        image_shape: Shape (H, W) or (C, H, W) of an image. It is needed if each row of `X` is a
            flattened image (N, C * H * W), and decides how an array with more axes is read. None if
            unknown.
        allow_gaps: Whether NaN is accepted as a missing value, if the domain allows missing values
            as series do.

    Returns:
        The samples, uint8 if `X` is uint8 and float32 otherwise, and the name of their domain. The
        array may share its memory with `X`.

    Raises:
        DataError: `X` is empty, sparse, complex, text or ragged, has values that are NaN, infinite
            or too large for float32, or has a shape that does not fit or can be read in two ways.
        ConfigError: `domain` is unknown, or `image_shape` is not a shape.
        TypeError: `X` holds objects that are not numbers.

    >>> samples, domain = as_samples([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> samples.shape, domain
    ((2, 1, 3), 'series')
    """
    samples, name = as_precise_samples(X, domain, image_shape, allow_gaps)
    return samples if samples.dtype == np.uint8 else samples.astype(np.float32, copy=False), name


def as_precise_samples(
    X: Any,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    allow_gaps: bool = False,
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

    Returns:
        The samples in the type of `X`, in the byte order of the machine. Then the name of their
        domain.

    Raises:
        DataError: As for `as_samples`.
        ConfigError: As for `as_samples`.

    >>> as_precise_samples([[101325.01, 101325.02]])[0].dtype
    dtype('float64')
    """
    if domain not in ("auto", *Domain.registry):
        raise ConfigError(
            f"domain={domain!r} is unknown; choose one of auto, {', '.join(Domain.registry)}"
        )
    numbers = _as_numeric(_check_not_empty(as_dense(X)))
    if numbers.dtype.kind == "f" and numbers.ndim:
        may_have_gaps = (
            allow_gaps
            and image_shape is None
            and Domain.registry[arrange_axes(numbers, domain)[1]].has_gaps
        )
        _check_finite(numbers, may_have_gaps)
    return arrange_axes(_as_stored_type(numbers), domain, image_shape)


def row_blocks(x: Array) -> Iterator[slice]:
    """Slices that split an array into blocks of whole rows.

    A loop over them processes a memory-mapped array without loading it as a whole.

    Args:
        x: Array (N, ...).

    Returns:
        Slices that cover all rows in order. Each has one row or more, with at most
        `NUMBERS_PER_BLOCK` numbers if it has several.

    >>> x = np.zeros((3, 4))
    >>> [x[rows].shape for rows in row_blocks(x)]
    [(3, 4)]
    """
    step = max(1, NUMBERS_PER_BLOCK // max(1, x[0].size)) if len(x) else 1
    return (slice(start, start + step) for start in range(0, len(x), step))


def wide_dtype(x: Array) -> np.dtype[Any]:
    """Floating-point type of at least 64 bits for arithmetic with an array.

    Args:
        x: Numbers (N, ...).

    Returns:
        float64; or the longest type of the machine for integers that float64 rounds, and for
        numbers of that type.

    >>> wide_dtype(np.array([1, 2])) == np.float64
    True
    """
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8 and x.size:
        ends = max(int(x.max()), -int(x.min()))
        return np.dtype(np.longdouble if ends > MAX_EXACT_INTEGER else np.float64)
    return np.result_type(x.dtype, np.float64)


def loses_digits(x: Array) -> bool:
    """Whether float32 rounds numbers noticeably, given how much they vary.

    Args:
        x: Numbers (..., T), NaN for missing values. Each row along the last axis counts by itself.

    Returns:
        Whether a rounding error exceeds `MAX_ROUNDING_OF_RANGE` of the range of its row.

    >>> loses_digits(np.array([101325.00, 101325.01])), loses_digits(np.array([0.1, 0.2]))
    (True, False)
    """
    if np.can_cast(x.dtype, np.float32) or not x.size:
        return False
    errors = np.abs(x - _as_float32(x)).reshape(-1, x.shape[-1])
    low = np.fmin.reduce(x, -1).reshape(-1, 1)
    high = np.fmax.reduce(x, -1).reshape(-1, 1)
    return bool(((errors > MAX_ROUNDING_OF_RANGE * (high - low)) & (high > low)).any())


def take_rows(values: Any, rows: slice | Array) -> Any:
    """Select samples from any kind of collection.

    Args:
        values: An array, tensor, data frame, list or tuple with one entry per sample, or parsed
            samples with a method `subset`.
        rows: A slice, or indices of the samples from 0 (M,); for arrays also a boolean mask (N,).

    Returns:
        The M entries, as a list if `values` is a list or a tuple, else with the type of `values`.

    >>> take_rows(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "subset"):
        return values.subset(rows)
    if isinstance(rows, slice) or not isinstance(values, list | tuple):
        return values[rows]
    return [values[row] for row in rows]


def as_numpy(x: Any) -> Any:
    """Convert tensors and other array-likes to NumPy arrays; return anything else unchanged.

    Lists stay lists, because a list of series of unequal lengths is not an array.

    Args:
        x: Any object. A tensor of type bfloat16, which NumPy lacks, becomes float32.

    Returns:
        An array if `x` is a tensor or has the method `__array__`, such as a data frame or one of
        its columns; else `x` itself.
    """
    if isinstance(x, torch.Tensor):
        return (x.float() if x.dtype == torch.bfloat16 else x).detach().cpu().numpy()
    return np.asarray(x) if hasattr(x, "__array__") else x


def is_sequence(x: Any) -> bool:
    """Whether an object is an array or a sequence.

    Text and arrays without axes are single values, not sequences.

    >>> is_sequence([1.0]), is_sequence("now"), is_sequence(np.array(3.0))
    (True, False, False)
    """
    return (
        isinstance(x, Sequence | np.ndarray)
        and not isinstance(x, str | bytes)
        and getattr(x, "ndim", 1) > 0
    )


def as_dense(X: Any) -> Array:
    """An array-like as a NumPy array of any type.

    Args:
        X: Array, tensor, data frame or nested lists.

    Returns:
        The array; 0-D if `X` is a single number.

    Raises:
        DataError: `X` is a path, a sparse matrix, a list of samples of different shapes, an array
            with masked values, or an object that is not an array.

    >>> as_dense([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(X, str | bytes | PathLike):
        raise DataError(
            f"X is {X!r}, not numbers; to read a file or a folder, use unwarp.data.read"
        )
    if _is_sparse(X):
        raise DataError(
            "Sparse data is not supported: X is a sparse matrix; pass a dense array, such as "
            "X.toarray()"
        )
    if np.ma.is_masked(X):
        count = int(np.ma.getmaskarray(X).sum())
        raise DataError(f"X is a masked array with {count:,} masked values; fill them in first")
    return np.asarray(as_numpy(X)) if isinstance(X, torch.Tensor) else _from_nested(X)


def _from_nested(X: Any) -> Array:
    """Nested lists and array-likes as an array; samples of different shapes are refused."""
    try:
        x = np.asarray(X)
    except ValueError as error:
        is_list = isinstance(X, list | tuple)
        reason = f"is ragged: {_shape_mismatch(X)}" if is_list else f"is not an array: {error}"
        raise DataError(
            f"X {reason}; all samples must have one size: crop, pad or resample them"
        ) from error
    if x.dtype == object and x.ndim == 0:
        raise DataError(
            f"X is of type {type(X).__name__}, not an array; give an array whose first axis counts "
            "the samples"
        )
    return x


def _is_sparse(X: Any) -> bool:
    from scipy.sparse import issparse

    return bool(issparse(X)) or (isinstance(X, torch.Tensor) and X.layout != torch.strided)


def _shape_mismatch(X: list[Any] | tuple[Any, ...]) -> str:
    """Part of a message: the indices and shapes of two samples that differ in shape."""
    shapes: list[tuple[int, ...] | None] = []
    for sample in X:
        try:
            shapes.append(np.shape(sample))
        except ValueError:
            return f"sample {len(shapes)} holds lists of different lengths"
    row = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), 0)
    return f"sample 0 has shape {shapes[0]}, sample {row} has shape {shapes[row]}"


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
    except ValueError as error:
        raise DataError(
            f"X must hold numbers only: {error}; drop or encode values that are not numbers"
        ) from error


def _as_stored_type(x: Array) -> Array:
    """Numbers in the byte order of the machine; a copy only if they have another one."""
    return x.astype(x.dtype.newbyteorder("="), copy=False)


def _as_float32(x: Array) -> NDArray[np.float32]:
    """Numbers as float32; those that are too large for it become infinite."""
    with np.errstate(over="ignore"):
        return x.astype(np.float32, copy=False)


def _check_finite(numbers: Array, may_have_gaps: bool) -> None:
    """Refuse infinite values, and NaN unless it may mark a missing value.

    Args:
        numbers: The numbers with the user's dtype, which the message quotes.
        may_have_gaps: Whether NaN marks a missing value.
    """
    for rows in row_blocks(numbers):
        part = _as_float32(numbers[rows])
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
    row, *rest = (int(i) for i in np.argwhere(is_bad(_as_float32(numbers[rows])))[0])
    index = (row + rows.start, *rest)
    blocks = (_as_float32(numbers[part]) for part in row_blocks(numbers))
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
