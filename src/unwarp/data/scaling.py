"""The numbers of a user brought to the range that a model learns in, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Domain, ScaleName
from unwarp.data.arrays import blocks
from unwarp.errors import ConfigError, DataError

Scale = ScaleName | None


UNEVEN = 10
"""Times that one channel varies as much as another from which on people are told."""


HALF = 0.5
"""Pictures within [0, 1] that use at least this much of it stay as they are."""


@dataclass(frozen=True)
class Scaler:
    """A shift and a stretch: scaled = (x - offset) / factor. Computed in float64, so that no intermediate overflows.

    Attributes:
        offset: What becomes 0, in units of the data; a number, (1, C, 1) for channels of their own, or (N, C, 1) for N samples
            of their own.
        factor: What becomes a step of 1, in units of the data; positive, of the same shape.

    >>> Scaler(offset=10.0, factor=4.0).apply(np.array([10.0, 12.0, 14.0]))
    array([0. , 0.5, 1. ], dtype=float32)
    """

    offset: float | Array = 0.0
    factor: float | Array = 1.0

    def __post_init__(self) -> None:
        finite = np.isfinite(self.offset).all() and np.isfinite(self.factor).all()
        if not (finite and np.all(np.asarray(self.factor) > 0)):
            raise ConfigError(
                f"{self} is no scale; offset must be finite, factor finite and positive"
            )

    def apply(self, x: Array) -> NDArray[np.float32]:
        """`x` (N, ...) in the units of the model, a new float32 array.

        Raises:
            DataError: Numbers so far from those the scale was fitted on that float32 cannot hold them.
        """
        scaled = np.empty(x.shape, np.float32)
        for rows in blocks(x):
            offset, factor = self._of(rows)
            part = (x[rows].astype(np.float64) - offset) / factor
            if np.abs(part).max() > np.finfo(np.float32).max:
                raise DataError(
                    f"X has values from {x[rows].min():g} to {x[rows].max():g}, too far from the training data "
                    f"(offset {np.mean(offset):g}, factor {np.mean(factor):g}); bring them to the same units"
                )
            scaled[rows] = part
        return scaled

    def undo(self, scaled: Array, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """`scaled` (N, ...) in the units of the data, float32; beyond its range, its largest number.

        Args:
            scaled: Numbers in the units of the model.
            out: Where to write them, perhaps `scaled` itself; None for a new array.
        """
        largest = float(np.finfo(np.float32).max)
        x = np.empty(scaled.shape, np.float32) if out is None else out
        for rows in blocks(scaled):
            offset, factor = self._of(rows)
            x[rows] = np.clip(scaled[rows].astype(np.float64) * factor + offset, -largest, largest)
        return x

    def _of(self, rows: slice) -> tuple[float | Array, float | Array]:
        """Offset and factor of some samples."""
        if (
            isinstance(self.offset, np.ndarray)
            and isinstance(self.factor, np.ndarray)
            and len(self.offset) > 1
        ):
            return self.offset[rows], self.factor[rows]
        return self.offset, self.factor


def fit_scaler(x: Array, domain: str, scale: Scale = "auto") -> Scaler:
    """The scale that suits the samples `x`.

    uint8 is divided by 255. Pictures of other types go from their smallest and largest value to 0 and 1, series from
    their mean and standard deviation to 0 and 1, over all samples and channels. Pictures stay as they are where they
    lie within [0, 1] and use half of it, uint8 masks of zeros and ones included. Series that never change are shifted
    to 0.

    Args:
        x: Finite samples (N, C, H, W) or (N, C, T).
        domain: Name of their domain.
        scale: `auto` fits; `channel` fits each channel of series by itself; `each` leaves it to `own_scaler`; None takes
            the numbers as they are and refuses any outside [0, 1].

    Raises:
        DataError: Pictures that are all one value, or values outside [0, 1] where `scale` is None.
        ConfigError: An unknown `scale`, or `channel` or `each` for pictures.

    >>> fit_scaler(np.array([[[[0, 51], [102, 255]]]], dtype=np.uint8), "image")
    Scaler(offset=0.0, factor=255.0)
    """
    if scale not in (*get_args(ScaleName), None):
        raise ConfigError(
            f"scale={scale!r} is unknown; choose {', '.join(map(repr, get_args(ScaleName)))} or None"
        )
    is_bounded = Domain.registry[domain].is_bounded
    if scale in ("channel", "each"):
        if is_bounded:
            raise ConfigError(f"scale={scale!r} is for series; choose 'auto' or None for pictures")
        return Scaler() if scale == "each" else _by_channel(x)
    low, high = value_range(x)
    if is_bounded and low == high:
        raise DataError(
            f"X is constant: every value is {low:g}, so there is nothing to learn; check how it was read"
        )
    if scale is None:
        return _as_it_is(low, high)
    if x.dtype == np.uint8:
        return Scaler() if is_bounded and high <= 1 else Scaler(factor=255.0)
    return _min_max(low, high) if is_bounded else _standard(x, low, high)


def own_scaler(x: Array) -> Scaler:
    """The scale that gives each series and channel of `x` (N, C, T) mean 0 and standard deviation 1.

    A channel that never changes is shifted to 0.

    >>> own_scaler(np.array([[[1.0, 3.0]], [[5.0, 5.0]]])).apply(np.array([[[1.0, 3.0]], [[5.0, 5.0]]])).tolist()
    [[[-1.0, 1.0]], [[0.0, 0.0]]]
    """
    mean, deviation = np.empty((*x.shape[:2], 1)), np.empty((*x.shape[:2], 1))
    for rows in blocks(x):
        part = x[rows].astype(np.float64)
        still = np.ptp(part, -1, keepdims=True) == 0
        mean[rows] = np.where(still, part[..., :1], part.mean(-1, keepdims=True))
        deviation[rows] = np.where(still, 1.0, part.std(-1, keepdims=True))
    return Scaler(mean, deviation)


def uneven_channels(x: Array) -> str:
    """A line for people where one channel of series `x` (N, C, T) varies far more than another; else nothing.

    >>> uneven_channels(np.array([[[0.0, 100.0], [0.0, 2.0]]]))
    "channel 0 varies 50 times as much as channel 1 and counts by that; scale='channel' gives each a scale of its own"
    """
    known = (part[np.isfinite(part)] for part in np.moveaxis(x, 1, 0))
    spread = np.array([part.std(dtype=float) if part.size else 0.0 for part in known])
    moving = np.flatnonzero(spread)
    if not len(moving) or spread.max() < UNEVEN * spread[moving].min():
        return ""
    most, least = int(spread.argmax()), int(moving[spread[moving].argmin()])
    return (
        f"channel {most} varies {spread[most] / spread[least]:.0f} times as much as channel {least} and counts by that; "
        "scale='channel' gives each a scale of its own"
    )


def value_range(x: Array) -> tuple[float, float]:
    """Smallest and largest number of `x` (N, ...)."""
    ends = [(float(x[rows].min()), float(x[rows].max())) for rows in blocks(x)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _by_channel(x: Array) -> Scaler:
    """The scale that gives each channel of series `x` (N, C, T) mean 0 and standard deviation 1 over all of them."""
    own = [_standard(part, *value_range(part)) for part in np.moveaxis(x, 1, 0)]
    return Scaler(
        *(np.array([[getattr(each, name)] for each in own])[None] for name in ("offset", "factor"))
    )


def _as_it_is(low: float, high: float) -> Scaler:
    if low < 0 or high > 1:
        raise DataError(
            f"X ranges from {low:g} to {high:g}, but scale=None takes [0, 1] only; rescale X or set scale='auto'"
        )
    return Scaler()


def _min_max(low: float, high: float) -> Scaler:
    if low >= 0 and high <= 1 and high - low >= HALF:
        return Scaler()
    return Scaler(low, high - low)


def _standard(x: Array, low: float, high: float) -> Scaler:
    if low == high:
        # a mean would miss the one value by rounding, and the deviation would magnify the miss
        return Scaler(low)
    mean = sum(float(x[rows].sum(dtype=np.float64)) for rows in blocks(x)) / x.size
    square = (
        sum(float(((x[rows].astype(np.float64) - mean) ** 2).sum()) for rows in blocks(x)) / x.size
    )
    return Scaler(mean, square**0.5)
