"""Any array-like of a user as images (N, C, H, W) or series (N, C, T): its numbers and its layout, checked once."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import Any

import numpy as np
import torch

from unwarp.core import Array, Domain
from unwarp.data.layout import oriented
from unwarp.errors import ConfigError, DataError

BLOCK = 1 << 22
"""Numbers looked at together, so that an array mapped from disk is never copied whole."""


def as_samples(
    X: Any,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    gaps: bool = False,
) -> tuple[Array, str]:
    """The samples of `X`, channels first, and what they are.

    4-D is images, 2-D is series (pictures in rows where `image_shape` is given), 3-D with height = width >= 8 is
    images of one channel. Any other 3-D array can be read two ways and is refused unless `domain` says which.

    Convention:
        Images (N, C, H, W), series (N, C, T). Channels last (N, H, W, C) are moved to the front where only this
        reading makes sense: the last axis has 1, 3 or 4 entries and axis 1 has not, or would leave pictures one pixel
        thin. An array that reads both ways is refused, both readings shown.

    Args:
        X: Array, tensor, data frame or nested lists of N samples; it is never written to.
        domain: `image` or `series` where the shape alone does not say.
        image_shape: (H, W) or (C, H, W) of pictures that were flattened into rows (N, C * H * W).
        gaps: Whether NaN may stand in series, for a value that is missing.

    Returns:
        The samples, uint8 where `X` is uint8 and float32 else (memory may be shared with `X`), and `image` or `series`.

    Raises:
        DataError: Empty, sparse, complex, text, ragged, NaN, infinite, too large for float32, or a shape that does
            not fit or reads two ways.
        ConfigError: An unknown `domain` or a senseless `image_shape`.
        TypeError: `X` holds objects that are no numbers.

    >>> samples, found = as_samples([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> samples.shape, found
    ((2, 1, 3), 'series')
    """
    if domain not in ("auto", *Domain.registry):
        raise ConfigError(
            f"domain={domain!r} is unknown; choose one of auto, {', '.join(Domain.registry)}"
        )
    x = dense(X)
    if x.ndim > 0 and x.size == 0:
        what = "sample(s)" if len(x) == 0 else "feature(s)"
        raise DataError(
            f"X is empty: 0 {what} (shape={x.shape}) while a minimum of 1 is required. Check how X was loaded"
        )
    numbers = _numbers(x)
    kept = _stored(numbers)
    if numbers.dtype.kind == "f" and x.ndim:
        allows_gaps = (
            gaps and image_shape is None and Domain.registry[oriented(kept, domain)[1]].has_gaps
        )
        _check_finite(numbers, kept, allows_gaps)
    return oriented(kept, domain, image_shape)


def blocks(x: Array) -> Iterator[slice]:
    """Slices of whole rows that cover `x` (N, ...), each of about `BLOCK` numbers."""
    step = max(1, BLOCK // max(1, x[0].size)) if len(x) else 1
    return (slice(start, start + step) for start in range(0, len(x), step))


def take_rows(values: Any, rows: Array) -> Any:
    """Some rows of an array, a tensor, a data frame or a list.

    Args:
        values: What has one row for each sample; or samples that were parsed already.
        rows: Numbers of the rows, from 0.
    """
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "subset"):
        return values.subset(rows)
    return [values[row] for row in rows] if isinstance(values, list | tuple) else values[rows]


def dense(X: Any) -> Array:
    """`X` as an array, of whatever dtype.

    Raises:
        DataError: No array, a ragged one, a path, sparse, or with values masked out.
    """
    if isinstance(X, str | bytes | PathLike):
        raise DataError(
            f"X is {X!r}, not numbers; to read a file or a folder, use unwarp.data.read"
        )
    if _is_sparse(X):
        raise DataError(
            "Sparse data is not supported: X is a sparse matrix; pass a dense array, such as X.toarray()"
        )
    if np.ma.is_masked(X):
        raise DataError(
            f"X is a masked array with {int(np.ma.getmaskarray(X).sum()):,} masked values; fill them in first"
        )
    if isinstance(X, torch.Tensor):
        X = X.detach().cpu()
        return np.asarray((X.float() if X.dtype == torch.bfloat16 else X).numpy())
    try:
        x = np.asarray(X)
    except ValueError as error:
        why = (
            f"is ragged: {_unequal(X)}" if isinstance(X, list | tuple) else f"is no array: {error}"
        )
        raise DataError(
            f"X {why}; all samples must have one size: crop, pad or resample them"
        ) from error
    if x.dtype == object and x.ndim == 0:
        raise DataError(
            f"X is of type {type(X).__name__}, not an array; give an array, its first axis counts the samples"
        )
    return x


def _is_sparse(X: Any) -> bool:
    from scipy.sparse import issparse

    return bool(issparse(X)) or (isinstance(X, torch.Tensor) and X.layout != torch.strided)


def _unequal(X: list[Any] | tuple[Any, ...]) -> str:
    """Two samples of `X` that differ in shape, in words."""
    shapes: list[tuple[int, ...] | None] = []
    for sample in X:
        try:
            shapes.append(np.shape(sample))
        except ValueError:
            return f"sample {len(shapes)} holds lists of different lengths"
    row = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), 0)
    return f"sample 0 has shape {shapes[0]}, sample {row} has shape {shapes[row]}"


def _numbers(x: Array) -> Array:
    """`x` with a real numeric dtype; objects that are numbers become float64."""
    if x.dtype.kind in "biuf":
        return x
    if x.dtype.kind == "c":
        raise DataError(
            f"Complex data not supported: X is {x.dtype}; pass its real and imaginary parts as channels"
        )
    if x.dtype.kind != "O":
        raise DataError(
            f"X must hold numbers, it is of dtype {x.dtype} with shape {x.shape}; convert it first"
        )
    if x.ndim == 1 and (isinstance(x[0], list | tuple) or getattr(x[0], "ndim", 0) > 0):
        return _numbers(dense(list(x)))
    import pandas as pd

    try:
        # pandas.NA refuses to become a float; as NaN it is reported with its place
        return np.where(pd.isna(x), np.nan, x).astype(np.float64)
    except ValueError as error:
        raise DataError(
            f"X must hold numbers only: {error}; drop or encode what is not a number"
        ) from error


def _stored(x: Array) -> Array:
    """Numbers as they are kept: uint8 as it is, else float32."""
    with np.errstate(over="ignore"):
        return x if x.dtype == np.uint8 else x.astype(np.float32, copy=False)


def _check_finite(x: Array, kept: Array, gaps: bool) -> None:
    """Refuse infinite values, and NaN unless `gaps`; `x` is what came, `kept` the same in float32."""
    for rows in blocks(kept):
        bad = ~np.isfinite(kept[rows])
        if bad.any() and not (gaps and np.isnan(kept[rows][bad]).all()):
            raise DataError(_not_finite(x, kept, rows, gaps))


def _not_finite(x: Array, kept: Array, rows: slice, gaps: bool) -> str:
    """Which number of `rows` is the first that cannot be used, and how many there are in all."""
    bad = np.isinf if gaps else lambda part: ~np.isfinite(part)
    row, *rest = (int(i) for i in np.argwhere(bad(kept[rows]))[0])
    index = (row + rows.start, *rest)
    count = sum(int(bad(kept[part]).sum()) for part in blocks(kept))
    of_all = (
        f"at index {index} of X, the first of {count:,} such values"
        if count > 1
        else f"at index {index} of X"
    )
    if np.isnan(x[index]):
        return f"Input contains NaN {of_all}; fill or drop missing values first (of series, Unwarper(missing='interpolate') fills them)"
    if np.isinf(x[index]):
        return f"Input contains infinity {of_all}; replace or drop infinite values first"
    return f"Input contains {x[index]:g}, too large for float32, {of_all}; rescale X first"
