"""`Source`: what a path of a user holds, and how it is put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unwarp.core import Array, DomainName
from unwarp.data.arrays import blocks
from unwarp.data.layout import oriented
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Source:
    """What a path holds.

    Pictures and arrays stand in `x` as stored. Series files give float32, NaN where a value is missing: one array
    where all series are equally long, (N, T) for one channel and (N, C, T) for more, else a list of N arrays (C, T_i).
    `pad` and `resample_to` turn any of these into one batch.

    Attributes:
        x: The samples, N first; `as_samples` brings them to the house's layout.
        names: File of each picture (N), or the name that a table gives each series.
        labels: Class of each sample (N,), where known; metrics alone use it.
        found: The samples in words, such as `1,203 pictures, 64 x 64, 3 channels, uint8 0 to 255`.
        domain: `series` where the format says so.
        times: Time stamps in the order of `x`, where the format has them: (N, T), or a list of N arrays (T_i,).
            Dates are in seconds since 1970 (UTC), numbers as they stand.
    """

    x: Any
    names: list[str] | None
    labels: Array | None
    found: str
    domain: DomainName = "auto"
    times: Array | list[Array] | None = None


def describe(x: Array | list[Array], image_shape: tuple[int, ...] | None = None, domain: DomainName = "auto") -> str:
    """Samples (N, ...), or a list of N series (C, T_i), in one line: how many, of what size, their dtype and range.

    >>> describe(np.eye(3))
    '3 series, 3 time steps, 1 channel, float64 0 to 1'
    """
    if isinstance(x, list):
        lengths = [row.shape[-1] for row in x]
        steps = f"{min(lengths):,} to {max(lengths):,} time steps"
        return f"{len(x):,} series, {steps}, {_count(x[0].shape[0], 'channel')}, {_numbers(x, 'missing')}"
    numbers = _numbers([x], "missing" if domain == "series" else "NaN or infinite")
    try:
        samples, found = oriented(x, domain, image_shape)
    except DataError:
        return f"array of shape {x.shape}, {numbers}"
    if found == "series":
        return (
            f"{len(x):,} series, {_count(x.shape[-1], 'time step')}, {_count(samples.shape[1], 'channel')}, {numbers}"
        )
    _, channels, height, width = samples.shape
    size = f"{height} x {width}" if height == width else f"{height} high x {width} wide"
    return f"{_count(len(x), 'picture')}, {size}, {_count(channels, 'channel')}, {numbers}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _numbers(parts: list[Array], lacking: str) -> str:
    """Dtype and range of the finite numbers of `parts`, and how many are not finite."""
    dtype = parts[0].dtype
    if dtype.kind not in "biuf":
        return f"{dtype}"
    low, high, bad = np.inf, -np.inf, 0
    for block in (part[rows] for part in parts for rows in blocks(part)):
        good = block[np.isfinite(block)]
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
        bad += block.size - good.size
    return f"{dtype}" + (f" {low:g} to {high:g}" if low <= high else "") + (f", {bad:,} {lacking}" if bad else "")
