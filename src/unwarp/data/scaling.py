"""Scaling between a user's units and those of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Domain
from unwarp.data.blocks import inner_blocks, row_blocks
from unwarp.data.limits import check_size
from unwarp.data.precision import wide_dtype
from unwarp.errors import CheckpointError, ConfigError, DataError
from unwarp.values import brief

MAX_ROUNDING_OF_FACTOR = 1e-4
"""Largest step between two numbers of type float32 near the offset of a scale, over its factor."""


@dataclass(frozen=True)
class Scaler:
    """A linear scale: scaled = (x - offset) / factor.

    `fit_scaler` and `fit_sample_scaler` compute offset and factor from samples. Values are
    processed in blocks and in float64, so that no intermediate result overflows and a memory-mapped
    array is never loaded as a whole.

    Attributes:
        offset: Value that becomes 0, in the user's units: a number, (1, C, 1) for one value per
            channel, or (N, C, 1) for one value per sample and channel.
        factor: Difference that becomes 1, in the user's units: positive, of the same shape as
            `offset`.

    Raises:
        ConfigError: `offset` is not finite, or `factor` is not finite and positive.

    >>> scaler = Scaler(offset=10.0, factor=4.0)
    >>> scaler.apply(np.array([10.0, 12.0, 14.0]))
    array([0. , 0.5, 1. ], dtype=float32)
    >>> scaler.undo(np.array([0.0, 0.5, 1.0]))
    array([10., 12., 14.], dtype=float32)
    """

    offset: float | Array = 0.0
    factor: float | Array = 1.0

    def __post_init__(self) -> None:
        is_scale = all(map(_are_finite, (self.offset, self.factor)))
        if not (is_scale and np.all(np.asarray(self.factor) > 0)):
            raise ConfigError(
                f"offset={brief(self.offset)}, factor={brief(self.factor)} is not a scale; give a "
                "finite offset and a finite, positive factor"
            )

    def apply(self, x: Array) -> NDArray[np.float32]:
        """Scale samples from the user's units to those of the model.

        Args:
            x: Samples (N, ...) in the user's units, of any numeric type.

        Returns:
            A new float32 array of the same shape.

        Raises:
            DataError: A result is too large for float32, because `x` differs too much from the
                samples that the scale was fitted to.
        """
        check_size(4 * x.size, f"samples of shape {x.shape}", share=1)
        scaled = np.empty(x.shape, np.float32)
        for block in inner_blocks(x):
            offset, factor = self._units(block[0])
            part = (x[block].astype(wide_dtype(x[block])) - offset) / factor
            if (np.abs(part) > np.finfo(np.float32).max).any():
                low, high = np.nanmin(x[block]), np.nanmax(x[block])
                raise DataError(
                    f"X has values from {low:g} to {high:g}, too far from the "
                    f"training data (offset {np.mean(offset):g}, factor {np.mean(factor):g}); "
                    "bring them to the same units"
                )
            scaled[block] = part
        return scaled

    def undo(
        self, scaled: Array, out: Array | None = None, dtype: np.dtype[Any] | None = None
    ) -> Array:
        """Scale samples back to the user's units, the inverse of `apply`.

        Args:
            scaled: Samples (N, ...) in the units of the model.
            out: Array that receives the result and may be `scaled` itself; None for a new array.
            dtype: Floating-point type of a new array; None for `dtype` of the scale.

        Returns:
            An array of the same shape. Values outside the range of its type are clipped to that
            range.
        """
        x = np.empty(scaled.shape, dtype or self.dtype) if out is None else out
        largest, wide = np.finfo(x.dtype).max, np.result_type(x.dtype, np.float64)
        for block in inner_blocks(scaled):
            offset, factor = self._units(block[0])
            x[block] = np.clip(scaled[block].astype(wide) * factor + offset, -largest, largest)
        return x

    def subset(self, rows: slice | Array) -> Scaler:
        """The scale of some samples.

        Args:
            rows: A slice, or indices (M,).

        Returns:
            The scale itself unless it has one value per sample.
        """
        if not isinstance(self.offset, np.ndarray) or len(self.offset) == 1:
            return self
        offset, factor = self._units(rows)
        return Scaler(offset, factor)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of numbers in the user's units, float32 or float64.

        It is float64 if float32 would round them: numbers near a large `offset` that differ by a
        small `factor` become equal in float32.
        """
        steps = np.abs(self.offset) * np.finfo(np.float32).eps / self.factor
        return np.dtype(np.float64 if np.max(steps) > MAX_ROUNDING_OF_FACTOR else np.float32)

    def _units(self, rows: slice | Array) -> tuple[float | Array, float | Array]:
        """Offset and factor of the samples in `rows`, in a shape that broadcasts over them."""
        if (
            isinstance(self.offset, np.ndarray)
            and isinstance(self.factor, np.ndarray)
            and len(self.offset) > 1
        ):
            return self.offset[rows], self.factor[rows]
        return self.offset, self.factor


def _are_finite(values: Any) -> bool:
    """Whether a value is a finite real number, or an array of them that fits samples."""
    try:
        numbers = np.asarray(values)
    except ValueError:  # nested lists of several lengths
        return False
    is_shape = numbers.size > 0 and (numbers.ndim == 0 or numbers.ndim > 2)
    return numbers.dtype.kind in "iuf" and is_shape and bool(np.isfinite(numbers).all())


def scaler_of_record(record: Mapping[str, Any], shape: tuple[int, ...]) -> Scaler:
    """The scale of a record, checked against the shape of a sample.

    Args:
        record: Result of `Schema.record`.
        shape: Shape of a sample (C, ...).

    Raises:
        CheckpointError: The shape of the scale does not fit the shape of a sample.
        KeyError: The record lacks an entry, or its domain is not registered.
    """
    scale = {name: np.asarray(record[name]) for name in vars(Scaler())}
    shapes = [(), (1, shape[0], 1)] if Domain.registry[record["domain"]].has_times else [()]
    for name, value in scale.items():
        if value.shape not in shapes:
            raise CheckpointError(
                f"{name} has shape {value.shape}, but for samples of shape {shape} it must have "
                f"shape {' or '.join(map(str, shapes))}; save the model again"
            )
    return Scaler(**{name: value if value.ndim else value.item() for name, value in scale.items()})


def value_range(x: Array) -> tuple[float, float]:
    """Smallest and largest number of an array.

    Args:
        x: Finite numbers (N, ...), N at least 1.

    Returns:
        Minimum and maximum over all entries.

    >>> value_range(np.array([[1, 5], [-2, 0]]))
    (-2.0, 5.0)
    """
    ends = [(float(x[rows].min()), float(x[rows].max())) for rows in row_blocks(x)]
    return min(low for low, _ in ends), max(high for _, high in ends)
