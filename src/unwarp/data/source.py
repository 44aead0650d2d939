"""Samples as a user gave them, with the facts known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from unwarp.core import Array
from unwarp.data.arrays import row_blocks, take_rows
from unwarp.data.dataset import Dataset
from unwarp.data.layout import arrange_axes
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Source:
    """Samples of a user, opened once.

    `as_source` and every reader of a file format return one; `Unwarper.fit` and the other methods
    of the estimator take one in place of an array. Pictures and arrays are in `x` as they are
    stored. Series files give float32 with NaN for missing values: one array (N, T) or (N, C, T) if
    all series are equally long, else a list of N arrays (C, T_i). `pad` and `resample_to` make
    either of them one batch.

    Attributes:
        x: N samples, as stored or as `parse_samples` returns them.
        names: Name of each sample (N), such as its file or its name in a table; None if they have
            none.
        labels: Class of each sample (N,); None if unknown.
        description: The samples in words, such as `1,203 pictures, 64 x 64, 3 channels, uint8 0 to
            255`.
        domain: `image` or `series` if the format implies it; `auto` leaves it to the axes.
        times: Time stamps of series, in the order of `x`: (T,) for all, (N, T), or a list of N
            arrays (T_i,). Dates are in seconds since 1970 (UTC), numbers keep their unit. None if
            there are none.
        name: Name of the collection.
        dataset: The data set with further facts, if the samples came as one.

    >>> source = Source([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], names=["a", "b", "c"])
    >>> part = source.subset([0, 2])
    >>> part.x, part.names
    ([[0.0, 1.0], [4.0, 5.0]], ['a', 'c'])
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
        """The source reduced to given rows, in their order.

        Args:
            rows: Row numbers from 0 (M,).

        Returns:
            A source of M samples with their names, labels and times; times (T,) that all series
            share are kept.
        """
        rows = np.asarray(rows)
        return replace(
            self,
            x=take_rows(self.x, rows),
            names=None if self.names is None else take_rows(self.names, rows),
            labels=None if self.labels is None else np.asarray(self.labels)[rows],
            times=self.times if self._shares_times() else take_rows(self.times, rows),
            dataset=None if self.dataset is None else self.dataset.subset(rows),
        )

    def _shares_times(self) -> bool:
        """Whether one row of times, or none, serves all series."""
        return self.times is None or (not _is_list(self.times) and np.ndim(self.times) == 1)

    def as_dataset(self, x: Tensor) -> Dataset:
        """A data set of processed samples with the facts of this source.

        Args:
            x: The samples of this source after scaling (N, C, ...), float32.

        Returns:
            The source's data set with `x` in place of its samples; if it has none, a new one with
            the labels and with `names` as ids.
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
    """Samples in one line: their number, size, type and range.

    Args:
        x: Samples (N, ...) in any layout, or a list of N series (C, T_i).
        image_shape: (H, W) or (C, H, W) of images that are flattened to rows.
        domain: `image` or `series` if the axes leave a doubt.

    Returns:
        The line. An array that is neither images nor series, or both, is described by its shape.

    >>> describe(np.eye(3))
    '3 series, 3 time steps, 1 channel, float64 0 to 1'
    """
    if isinstance(x, list):
        lengths = [row.shape[-1] for row in x]
        steps = f"{min(lengths):,} to {max(lengths):,} time steps"
        channels = _count(x[0].shape[0], "channel")
        return f"{len(x):,} series, {steps}, {channels}, {_describe_numbers(x, 'missing')}"
    numbers = _describe_numbers([x], "missing" if domain == "series" else "NaN or infinite")
    try:
        samples, name = arrange_axes(x, domain, image_shape)
    except DataError:
        return f"array of shape {x.shape}, {numbers}"
    channels = _count(samples.shape[1], "channel")
    if name == "series":
        return f"{len(x):,} series, {_count(x.shape[-1], 'time step')}, {channels}, {numbers}"
    height, width = samples.shape[2:]
    size = f"{height} x {width}" if height == width else f"{height} high x {width} wide"
    return f"{_count(len(x), 'picture')}, {size}, {channels}, {numbers}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _describe_numbers(arrays: list[Array], gap_word: str) -> str:
    """Type and range of the finite numbers, and the number of others, called `gap_word`."""
    dtype = arrays[0].dtype
    if dtype.kind not in "biuf":
        return f"{dtype}"
    low, high, gaps = np.inf, -np.inf, 0
    for block in (array[rows] for array in arrays for rows in row_blocks(array)):
        values = block[np.isfinite(block)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
        gaps += block.size - values.size
    return (
        f"{dtype}"
        + (f" {low:g} to {high:g}" if low <= high else "")
        + (f", {gaps:,} {gap_word}" if gaps else "")
    )
