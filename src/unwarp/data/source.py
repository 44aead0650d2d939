"""`Source`: what a user gave, and how it is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from unwarp.core import Array
from unwarp.data.arrays import blocks, take_rows
from unwarp.data.dataset import Dataset
from unwarp.data.layout import oriented
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Source:
    """What a user gave, opened once.

    Pictures and arrays stand in `x` as stored. Series files give float32, NaN where a value is missing: one array
    where all series are equally long, (N, T) for one channel and (N, C, T) for more, else a list of N arrays (C, T_i).
    `pad` and `resample_to` turn any of these into one batch.

    Attributes:
        x: The samples, N first, or what `parse_samples` made of them.
        names: File of each picture (N), or the name that a table gives each series.
        labels: Class of each sample (N,), where known; metrics alone use it.
        description: The samples in words, such as `1,203 pictures, 64 x 64, 3 channels, uint8 0 to 255`.
        domain: `series` where the format says so.
        times: Time stamps in the order of `x`, where the format has them: (N, T), or a list of N arrays (T_i,).
            Dates are in seconds since 1970 (UTC), numbers as they stand.
        name: Name of the collection.
        dataset: Further facts of a `Dataset`, where the samples came as one.

    >>> Source([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]).subset([0, 2]).x
    [[0.0, 1.0], [4.0, 5.0]]
    """

    x: Any
    names: Sequence[Any] | Array | None = None
    labels: Array | None = None
    description: str = ""
    domain: str = "auto"
    times: Any = None
    name: str = "data"
    dataset: Dataset | None = None

    def __len__(self) -> int:
        return len(self.x)

    def subset(self, rows: Sequence[int] | Array) -> Source:
        """The same source with some samples only.

        Args:
            rows: Their numbers, from 0.

        Raises:
            DataError: Time stamps of which nobody can say whose they are.
        """
        rows = np.asarray(rows)
        shared = self.times is not None and not _is_list(self.times) and np.ndim(self.times) == 1
        return replace(
            self,
            x=take_rows(self.x, rows),
            names=None if self.names is None else take_rows(self.names, rows),
            labels=None if self.labels is None else np.asarray(self.labels)[rows],
            times=self.times if shared or self.times is None else take_rows(self.times, rows),
            dataset=None if self.dataset is None else self.dataset.subset(rows),
        )

    def as_dataset(self, x: Tensor) -> Dataset:
        """Samples as a model sees them, with all facts that are known of them.

        Args:
            x: The samples of this source (N, C, ...), scaled.
        """
        if self.dataset is not None:
            return replace(self.dataset, x=x)
        ids = None if self.names is None else np.asarray(self.names)
        return Dataset(x, self.name, labels=self.labels, ids=ids)


def _is_list(values: Any) -> bool:
    """Whether values are a list of arrays rather than one array."""
    return isinstance(values, list | tuple) and len(values) > 0 and np.ndim(values[0]) > 0


def describe(
    x: Array | list[Array], image_shape: tuple[int, ...] | None = None, domain: str = "auto"
) -> str:
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
        samples, description = oriented(x, domain, image_shape)
    except DataError:
        return f"array of shape {x.shape}, {numbers}"
    if description == "series":
        return f"{len(x):,} series, {_count(x.shape[-1], 'time step')}, {_count(samples.shape[1], 'channel')}, {numbers}"
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
    return (
        f"{dtype}"
        + (f" {low:g} to {high:g}" if low <= high else "")
        + (f", {bad:,} {lacking}" if bad else "")
    )
