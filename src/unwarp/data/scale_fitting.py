"""Scales that are fitted to training samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Domain, ScaleName
from unwarp.data.blocks import row_blocks
from unwarp.data.levelling import level_scaler, reason_to_level
from unwarp.data.light import Light, fit_image_scaler, range_of_images, sample_of_images
from unwarp.data.mapped import take_array_rows
from unwarp.data.outliers import outlier_rows, warn_of_outliers
from unwarp.data.precision import wide_dtype
from unwarp.data.scaling import Scaler, value_range
from unwarp.errors import ConfigError, DataError
from unwarp.range_kinds import Choice
from unwarp.ranges import check_value

MIN_DEVIATION_RATIO_FOR_HINT = 10
"""Smallest ratio of the standard deviations of two channels at which `scale='channel'` is advised.
"""

MIN_RANGE_OF_UNSCALED_IMAGES = 0.5
"""Images in [0, 1] whose values span at least this much are not scaled."""


MIN_SHARE_OF_UINT8 = 0.5
"""Images of type uint8 that use less than this share of 0 to 255 are scaled to their range."""


@dataclass(frozen=True, eq=False)
class ScaleFit:
    """The scale of training samples, and how new samples are scaled.

    Attributes:
        scaler: The scale that all samples share; it changes nothing if each sample has its own.
        is_per_sample: Whether each sample has its own scale.
        has_dark_ground: For images with their own scales, whether the background becomes 0.
        is_levelled: Whether each series also loses its trend and its spikes.
        outliers: Indices of samples that do not count for the scale.
        note: Decision and reason, for people; empty for the usual scale.
    """

    scaler: Scaler
    is_per_sample: bool
    has_dark_ground: bool
    outliers: NDArray[np.intp]
    note: str = ""
    is_levelled: bool = False


def fit_scale(
    x: Array, domain: Domain, scale: ScaleName | None = "auto", has_gain: bool = False
) -> ScaleFit:
    """The scale of training samples, with the decisions that `auto` leaves open.

    Args:
        x: Finite samples (N, C, ...).
        domain: Their domain.
        scale: As for `fit_scaler`. `auto` gives each image its own range if the light varies from
            image to image, and levels each series if levels and trends are chance.
        has_gain: Whether the warp has a gain: `auto` then scales all samples alike.

    Returns:
        The scale. Samples that would decide it alone are left out, with a warning.

    Raises:
        DataError: As for `fit_scaler`.
        ConfigError: As for `fit_scaler`.
    """
    outliers = outlier_rows(x, scale)
    typical = _without(x, outliers) if outliers.size else x
    scaler = fit_scaler(typical, domain.name, scale)
    is_open = scale == "auto" and not has_gain
    reason = reason_to_level(typical) if domain.has_times and is_open else ""
    if reason or scale == "level":
        note = reason and f"each series is scaled by itself, without its trend: {reason}"
        none = np.array([], np.intp)
        return ScaleFit(Scaler(), True, False, none, note, is_levelled=True)
    if outliers.size:
        warn_of_outliers(x, outliers)
    if not has_light(domain) or scale not in ("auto", "each"):
        return ScaleFit(scaler, scale == "each", False, outliers)
    light = Light.of(sample_of_images(typical))
    if scale == "auto" and (has_gain or not light.variation):
        return ScaleFit(scaler, False, False, outliers, _note_on_range(scaler, typical))
    note = "" if scale == "each" else f"each image is scaled by itself: {light.variation}"
    return ScaleFit(Scaler(), True, light.has_dark_ground, outliers, note)


def _without(x: Array, rows: NDArray[np.intp]) -> Array:
    """All samples (N, ...) but some; a memory map if `x` is one and they are many."""
    return take_array_rows(x, np.delete(np.arange(len(x)), rows))


def has_light(domain: Domain) -> bool:
    """Whether samples are images, so that their light may vary."""
    return domain.is_bounded and len(domain.axes) == 2


def scaler_of_samples(
    x: Array, domain: Domain, has_dark_ground: bool, is_levelled: bool = False
) -> Scaler:
    """The scale that gives each sample its own range.

    Args:
        x: Finite samples (N, C, ...).
        domain: Their domain.
        has_dark_ground: For images, whether the background becomes 0.
        is_levelled: For series, whether their trends and spikes do not count.

    Returns:
        A scale for these N samples only.
    """
    if has_light(domain):
        return fit_image_scaler(x, has_dark_ground)
    return level_scaler(x) if is_levelled else fit_sample_scaler(x)


def _note_on_range(scaler: Scaler, x: Array) -> str:
    """A line on hot pixels outside the range of a scale; empty if there are none."""
    low, high = value_range(x)
    ends = float(scaler.offset), float(scaler.offset) + float(scaler.factor)
    if x.dtype == np.uint8 or (ends[0] <= low and high <= ends[1]):
        return ""
    return (
        f"single pixels from {low:g} to {high:g} do not count for the range of values, "
        f"{ends[0]:g} to {ends[1]:g}"
    )


def fit_scaler(x: Array, domain: str, scale: ScaleName | None = "auto") -> Scaler:
    """The scale for given training samples.

    With `auto`, values of type uint8 are divided by 255 if images use at least half of their range.
    Other images are scaled linearly so that the smallest value, or the median of a dark background,
    becomes 0 and the largest value 1; single pixels that are far outside the range of all others do
    not count. Series are scaled to mean 0 and standard deviation 1. Both use all samples and
    channels together. Images in [0, 1] are not scaled if their values span at least half of this
    range, nor are uint8 images of zeros and ones. If all values of the series are equal, they
    become 0.

    Args:
        x: Finite samples (N, C, ...).
        domain: Name of the domain of the samples.
        scale: `auto` as above. `channel` scales each channel of series to mean 0 and standard
            deviation 1. `each` and `level` are for callers that scale with `scaler_of_samples`.
            None uses the values as they are; they must be in [0, 1].

    Returns:
        The scale. For `each`, `level` and None it changes nothing.

    Raises:
        DataError: All values of images are equal, or `scale` is None and values are outside [0, 1].
        ConfigError: `scale` is unknown, or is `channel` or `level` for images.

    >>> fit_scaler(np.array([[[[0, 0], [255, 255]]]], dtype=np.uint8), "image")
    Scaler(offset=0.0, factor=255.0)
    """
    check_value("domain", domain, Choice(tuple(Domain.registry)))
    is_bounded = Domain.registry[domain].is_bounded
    _check_scale(scale, is_bounded)
    if scale in ("each", "level"):
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
    if has_light(Domain.registry[domain]):
        low, high = range_of_images(x, low, high)
    if x.dtype == np.uint8 and not (1 < high - low < MIN_SHARE_OF_UINT8 * 255 and is_bounded):
        return Scaler() if is_bounded and high <= 1 else Scaler(factor=255.0)
    return _min_max_scaler(low, high) if is_bounded else _standard_scaler(x, low, high)


def _check_scale(scale: ScaleName | None, is_bounded: bool) -> None:
    """Refuse an unknown name, and `channel` and `level` for images."""
    if not Choice(get_args(ScaleName), is_optional=True).allows(scale):
        raise ConfigError(
            f"scale={scale!r} is unknown; choose {', '.join(map(repr, get_args(ScaleName)))} or "
            "None"
        )
    if is_bounded and scale in ("channel", "level"):
        raise ConfigError(
            f"scale={scale!r} is for series; choose 'auto', 'each' or None for images"
        )


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


def _channel_scaler(x: Array) -> Scaler:
    """The scale that standardises each channel of series (N, C, T) over all series."""
    channels = (x[:, i] for i in range(x.shape[1]))
    scalers = [_standard_scaler(part, *value_range(part)) for part in channels]
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
