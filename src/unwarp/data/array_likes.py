"""Objects that are not arrays yet: tensors, data frames, lists."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, cast

import numpy as np
import torch

from unwarp.core import Array
from unwarp.data.mapped import take_array_rows
from unwarp.disk.sharded import ShardedArray
from unwarp.errors import DataError


def take_rows(values: Any, rows: slice | Array) -> Any:
    """Select samples from any kind of collection.

    Args:
        values: An array, tensor, data frame, list or tuple with one entry per sample, or parsed
            samples with a method `subset`.
        rows: A slice, or indices of the samples from 0 (M,); for arrays also a boolean mask (N,).

    Returns:
        The M entries, as a list if `values` is a list or a tuple, else with the type of `values`.
        Many rows of a memory map are another memory map.

    >>> take_rows(["a", "b", "c"], np.array([2, 0]))
    ['c', 'a']
    """
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    if hasattr(values, "subset"):
        return values.subset(rows)
    if isinstance(values, np.ndarray | ShardedArray):
        return take_array_rows(cast(Array, values), rows)
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
        its columns; else `x` itself. An array in several files is returned unchanged, too.

    Raises:
        DataError: `x` is an array with masked values, which no array without a mask can hold.
    """
    if np.ma.is_masked(x):
        raise DataError("X is an array with masked values; fill them in first, as X.filled()")
    if isinstance(x, torch.Tensor):
        return (x.float() if x.dtype == torch.bfloat16 else x).detach().cpu().numpy()
    return np.asarray(x) if hasattr(x, "__array__") and not isinstance(x, ShardedArray) else x


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
        The array; 0-D if `X` is a single number. An array in several files is returned unchanged.

    Raises:
        DataError: `X` is a path, a sparse matrix, a list of samples of different shapes, an array
            with masked values, a tensor without values, or an object that is not an array.

    >>> as_dense([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(X, ShardedArray):
        return cast(Array, X)
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
    return _from_tensor(X) if isinstance(X, torch.Tensor) else _from_nested(X)


def _from_tensor(X: torch.Tensor) -> Array:
    """A tensor as an array; one without values, such as on the device `meta`, is refused."""
    try:
        return np.asarray(as_numpy(X))
    except (RuntimeError, TypeError) as error:  # a `NotImplementedError` is a `RuntimeError`
        reason = " ".join(str(error).split())
        raise DataError(
            f"X is a tensor without values on {X.device} ({reason}); pass a tensor on the CPU"
        ) from error


def _from_nested(X: Any) -> Array:
    """Nested lists and array-likes as an array; samples of different shapes are refused."""
    try:
        x = np.asarray(X)
    except Exception as error:  # an object of a user may raise anything
        is_list = isinstance(X, list | tuple)
        reason = f"is ragged: {_shape_mismatch(X)}" if is_list else f"is not an array: {error}"
        raise DataError(
            f"X {reason}; all samples must have one size: crop, pad or resample them (for "
            "pictures, sizes='pad', 'crop' or 'HxW')"
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
