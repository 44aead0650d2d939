"""Scaling between a user's units and those of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Domain, ScaleName
from unwarp.data.arrays import row_blocks, wide_dtype
from unwarp.data.limits import check_size
from unwarp.errors import ConfigError, DataError

MIN_DEVIATION_RATIO_FOR_HINT = 10
"""Smallest ratio of the standard deviations of two channels at which `scale='channel'` is advised.
"""

MAX_ROUNDING_OF_FACTOR = 1e-4
"""Largest step between two numbers of type float32 near the offset of a scale, over its factor."""

MIN_RANGE_OF_UNSCALED_IMAGES = 0.5
"""Images in [0, 1] whose values span at least this much are not scaled."""


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
        is_finite = np.isfinite(self.offset).all() and np.isfinite(self.factor).all()
        if not (is_finite and np.all(np.asarray(self.factor) > 0)):
            raise ConfigError(
                f"offset={self.offset}, factor={self.factor} is not a scale; give a finite offset "
                "and a finite, positive factor"
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
        for rows in row_blocks(x):
            offset, factor = self._units(rows)
            part = (x[rows].astype(wide_dtype(x[rows])) - offset) / factor
            if (np.abs(part) > np.finfo(np.float32).max).any():
                low, high = np.nanmin(x[rows]), np.nanmax(x[rows])
                raise DataError(
                    f"X has values from {low:g} to {high:g}, too far from the "
                    f"training data (offset {np.mean(offset):g}, factor {np.mean(factor):g}); "
                    "bring them to the same units"
                )
            scaled[rows] = part
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
        for rows in row_blocks(scaled):
            offset, factor = self._units(rows)
            x[rows] = np.clip(scaled[rows].astype(wide) * factor + offset, -largest, largest)
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


def fit_scaler(x: Array, domain: str, scale: ScaleName | None = "auto") -> Scaler:
    """The scale for given training samples.

    With `auto`, values of type uint8 are divided by 255. Images of other types are scaled linearly
    so that the smallest value becomes 0 and the largest 1; series are scaled to mean 0 and standard
    deviation 1. Both use all samples and channels together. Images in [0, 1] are not scaled if
    their values span at least half of this range, nor are uint8 images of zeros and ones. If all
    values of the series are equal, they become 0.

    Args:
        x: Finite samples (N, C, ...).
        domain: Name of the domain of the samples.
        scale: `auto` as above. `channel` scales each channel of series to mean 0 and standard
            deviation 1. `each` is for callers that scale with `fit_sample_scaler`. None uses the
            values as they are; they must be in [0, 1].

    Returns:
        The scale. For `each` and None it changes nothing.

    Raises:
        DataError: All values of images are equal, or `scale` is None and values are outside [0, 1].
        ConfigError: `scale` is unknown, or is `channel` or `each` for images.

    >>> fit_scaler(np.array([[[[0, 51], [102, 255]]]], dtype=np.uint8), "image")
    Scaler(offset=0.0, factor=255.0)
    """
    is_bounded = Domain.registry[domain].is_bounded
    _check_scale(scale, is_bounded)
    if scale == "each":
        return Scaler()
    if scale == "channel":
        return _channel_scaler(x)
    low, high = value_range(x)
    if is_bounded and low == high:
        raise DataError(
            f"X is constant: every value is {low:g}, so there is nothing to learn; check how X was "
            "read"
        )
    if scale is None:
        return _identity_scaler(low, high)
    if x.dtype == np.uint8:
        return Scaler() if is_bounded and high <= 1 else Scaler(factor=255.0)
    return _min_max_scaler(low, high) if is_bounded else _standard_scaler(x, low, high)


def _check_scale(scale: ScaleName | None, is_bounded: bool) -> None:
    """Refuse an unknown name, and `channel` and `each` for images."""
    if scale not in (*get_args(ScaleName), None):
        raise ConfigError(
            f"scale={scale!r} is unknown; choose {', '.join(map(repr, get_args(ScaleName)))} or "
            "None"
        )
    if is_bounded and scale in ("channel", "each"):
        raise ConfigError(f"scale={scale!r} is for series; choose 'auto' or None for images")


def fit_sample_scaler(x: Array) -> Scaler:
    """The scale that standardises each channel of each series by itself.

    It removes offsets and gains that differ from series to series. If all values of a channel are
    equal, they become 0.

    Args:
        x: Finite series (N, C, T).

    Returns:
        A scale for these N series only: `offset` (N, C, 1) is the mean of each channel, `factor`
        (N, C, 1) its standard deviation.

    >>> x = np.array([[[1.0, 3.0]], [[5.0, 5.0]]])
    >>> fit_sample_scaler(x).apply(x).tolist()
    [[[-1.0, 1.0]], [[0.0, 0.0]]]
    """
    mean, deviation = np.empty((*x.shape[:2], 1)), np.empty((*x.shape[:2], 1))
    for rows in row_blocks(x):
        part = x[rows].astype(wide_dtype(x[rows]))
        is_constant = np.ptp(part, -1, keepdims=True) == 0
        # the mean of equal values may differ from them by rounding, so take the first value
        mean[rows] = np.where(is_constant, part[..., :1], part.mean(-1, keepdims=True))
        deviation[rows] = np.where(is_constant, 1.0, part.std(-1, keepdims=True))
    return Scaler(mean, deviation)


def channel_scale_hint(x: Array) -> str:
    """Advice for users if one channel varies much more than another.

    Args:
        x: Series (N, C, T), NaN for missing values.

    Returns:
        One line that advises `scale='channel'`, if the largest standard deviation of a channel is
        at least `MIN_DEVIATION_RATIO_FOR_HINT` times the smallest; else an empty string. Constant
        channels do not count.

    >>> channel_scale_hint(np.array([[[0.0, 100.0], [0.0, 2.0]]])).partition(" and")[0]
    'channel 0 varies 50 times as much as channel 1'
    """
    observed_values = (part[np.isfinite(part)] for part in np.moveaxis(x, 1, 0))
    deviation = np.array([part.std(dtype=float) if part.size else 0.0 for part in observed_values])
    varying_channels = np.flatnonzero(deviation)
    if not len(varying_channels):
        return ""
    if deviation.max() < MIN_DEVIATION_RATIO_FOR_HINT * deviation[varying_channels].min():
        return ""
    largest, smallest = (
        int(deviation.argmax()),
        int(varying_channels[deviation[varying_channels].argmin()]),
    )
    return (
        f"channel {largest} varies {deviation[largest] / deviation[smallest]:.0f} times as much as "
        f"channel {smallest} and dominates the loss; scale='channel' scales each channel by itself"
    )


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


def _channel_scaler(x: Array) -> Scaler:
    """The scale that standardises each channel of series (N, C, T) over all series."""
    scalers = [_standard_scaler(part, *value_range(part)) for part in np.moveaxis(x, 1, 0)]
    offset, factor = (
        np.array([[getattr(scaler, name)] for scaler in scalers])[None]
        for name in ("offset", "factor")
    )
    return Scaler(offset, factor)


def _identity_scaler(low: float, high: float) -> Scaler:
    """The scale that changes nothing; refused unless values are in [0, 1]."""
    if low < 0 or high > 1:
        raise DataError(
            f"X ranges from {low:g} to {high:g}, but scale=None takes [0, 1] only; rescale X or "
            "set scale='auto'"
        )
    return Scaler()


def _min_max_scaler(low: float, high: float) -> Scaler:
    """The scale from [low, high] to [0, 1]; no scaling if values span half of [0, 1] already."""
    if low >= 0 and high <= 1 and high - low >= MIN_RANGE_OF_UNSCALED_IMAGES:
        return Scaler()
    return Scaler(low, high - low)


def _standard_scaler(x: Array, low: float, high: float) -> Scaler:
    """The scale to mean 0 and standard deviation 1 of numbers between `low` and `high`."""
    if low == high:
        # the mean of equal values may differ from them by rounding; divided by the tiny standard
        # deviation, the difference would become large
        return Scaler(low)
    wide = wide_dtype(x)
    mean = sum(float(x[rows].sum(dtype=wide)) for rows in row_blocks(x)) / x.size
    squares = (float(((x[rows].astype(wide) - mean) ** 2).sum()) for rows in row_blocks(x))
    return Scaler(mean, (sum(squares) / x.size) ** 0.5)
