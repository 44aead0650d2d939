"""Samples of a user with their names, labels and time stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from unwarp.core import Array, LayoutName
from unwarp.data.array_likes import take_rows
from unwarp.data.blocks import row_blocks
from unwarp.data.dataset import Dataset
from unwarp.data.form import Form
from unwarp.data.frames import Frame
from unwarp.data.layout import arrange_axes
from unwarp.data.sizes import Sizing
from unwarp.errors import DataError


@dataclass(frozen=True, eq=False)
class Source:
    """Samples of a user, with their names, labels and time stamps.

    `as_source` and every reader of a file format return a source. `Unwarper.fit` and the other
    methods of the estimator accept one in place of an array. From a folder of pictures or a file
    of an array, `x` has the stored values and dtype. From a file of series, `x` is float32 (float64
    where float32 would round it noticeably) with NaN for missing values: an array (N, T) or
    (N, C, T) if all series are equally long, else a list of N arrays (C, T_i), which `pad` and
    `resample_to` turn into one array.

    Attributes:
        x: N samples, as read from the file, as the user gave them, or as `parse_samples` returns
            them.
        names: Name of each sample (N), such as its file name or its id in a table; None if the
            samples have no names.
        labels: Class of each sample (N,); None if unknown.
        description: The samples in words, such as `1,203 pictures, 64 x 64, 3 channels, uint8 0 to
            255`.
        domain: `image` or `series` if the format implies it; `auto` decides by the number of axes.
        times: Time stamps of series, in the order of `x`: (T,) that all series share, (N, T), or a
            list of N arrays (T_i,). Readers give dates in seconds since 1970 (UTC) and keep the
            unit of numbers. None if there are no time stamps.
        name: Name of the collection.
        dataset: The `Dataset` that the user gave, with further facts about the samples; None if the
            user gave something else.
        layout: Order of the axes of pictures that the user named; `auto` decides by the shape.
        image_shape: Shape (H, W) or (C, H, W) of flattened pictures that the user named; None if
            unknown.
        form: The form in which pictures came, to write others likewise.
        frame: Index and columns, if the samples are a data frame; else None.

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
    layout: LayoutName = "auto"
    image_shape: tuple[int, ...] | None = None
    form: Form = field(default_factory=Form)
    frame: Frame | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def row_names(self) -> Array:
        """Names of the samples (N,); numbers from 0 for samples without names.

        >>> Source([[1.0, 2.0], [3.0, 4.0]]).row_names.tolist()
        [0, 1]
        """
        return np.arange(len(self)) if self.names is None else np.asarray(self.names)

    @property
    def sizing(self) -> Sizing | None:
        """Sizes of pictures that were brought to one size, or None."""
        sizing = self.form.sizing or getattr(self.x, "sizing", None)
        return sizing if sizing is not None and sizing.is_needed else None

    def subset(self, rows: Sequence[int] | Array) -> Source:
        """The source reduced to some of its samples.

        Args:
            rows: Indices of the samples to keep, from 0 (M,), in the order of the result.

        Returns:
            A source of M samples with their names, labels and times; times (T,) that all series
            share stay as they are.
        """
        rows = np.asarray(rows)
        return replace(
            self,
            x=take_rows(self.x, rows),
            names=None if self.names is None else take_rows(self.names, rows),
            labels=None if self.labels is None else np.asarray(self.labels)[rows],
            times=self.times if self._shares_times() else take_rows(self.times, rows),
            dataset=None if self.dataset is None else self.dataset.subset(rows),
            form=self.form.subset(rows),
            frame=None if self.frame is None else self.frame.subset(rows),
        )

    def _shares_times(self) -> bool:
        """Whether all series share one array of times (T,), or there are no times."""
        return self.times is None or (not _is_list(self.times) and np.ndim(self.times) == 1)

    def as_dataset(self, x: Tensor) -> Dataset:
        """A data set of scaled samples with this source's labels.

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
    x: Array | list[Array],
    image_shape: tuple[int, ...] | None = None,
    domain: str = "auto",
    layout: LayoutName = "auto",
) -> str:
    """One line about samples: their number, size, dtype and range of values.

    Args:
        x: Samples (N, ...) in any layout, or a list of N series (C, T_i).
        image_shape: Shape (H, W) or (C, H, W) of an image if `x` may also be read otherwise; None
            if unknown.
        domain: `image` or `series`; `auto` decides by the number of axes.
        layout: Order of the axes of pictures; `auto` decides by the shape.

    Returns:
        The line. An array that can be read neither as images nor as series, or as both, is
        described by its shape.

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
        samples, name = arrange_axes(x, domain, image_shape, layout)
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
    """The dtype and range of the finite numbers, and a count of the others after `gap_word`."""
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
