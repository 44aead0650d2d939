"""Scaled samples for a model, and conversion of its results."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unwarp.core import Array
from unwarp.data.frames import Frame
from unwarp.data.irregular_series import IrregularSeries
from unwarp.data.levelling import levelled, trend
from unwarp.data.mapped import take_array_rows
from unwarp.data.recordings import RegularSamples
from unwarp.data.scaling import Scaler
from unwarp.data.sizes import Sizing
from unwarp.data.working_size import resize_smoothly
from unwarp.errors import DataError
from unwarp.values import brief
from unwarp.warps import Window

Origin = RegularSamples | IrregularSeries
"""The user's samples after parsing, before they are resampled and scaled."""

NUMBERS_PER_CHUNK = 1 << 20
"""Greatest number of values that are aligned at once, to bound the memory."""

SAMPLES_PER_CHUNK = 1000
"""Greatest number of samples that are encoded or aligned at once; more do not fit the cache."""


MAX_BYTES_UNWRITTEN = 64 << 20
"""Size of the results in a memory map after which they are forced to the disk."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """Scaled samples for a model, and conversion of its results.

    `Schema.prepare` returns one. The samples stay in the user's array; an index scales the rows
    that it selects, so that memory does not grow with the number of samples. A model takes samples
    at its working size; `full` has them at the user's size, which maps are applied to.

    After a model has aligned or reconstructed samples, one of two methods converts the result to
    the user's units, dtype and layout. They differ for series that were resampled: `restore_shape`
    keeps the evenly spaced steps, `restore_times` resamples to the time steps of the user's series.
    For all other samples they return the same.

    Attributes:
        samples: Samples (N, C, ...) in the user's units, resampled to one length; NaN for missing
            values if `missing` is `mask`.
        scaler: The scale of the model.
        origin: The parsed samples before resampling and scaling.
        size: Working size of the model; None for the size of the samples.
        is_bounded: Whether the model takes values in [0, 1]; others are clipped for the model.
        frame: Index and columns of the user's data frame; None if it is none.
        window: Window of the frame that the samples lie on; None for the whole frame.
        is_levelled: Whether the model takes series without their trends and spikes.
        sizing: Sizes of pictures that were brought to one size; None if they had one.

    >>> origin = RegularSamples(np.array([[[10, 20]]]), np.array([[10, 20]]))
    >>> prepared = Prepared(origin.samples, Scaler(10.0, 10.0), origin)
    >>> prepared[:1]
    tensor([[[0., 1.]]])
    >>> prepared.restore_shape(prepared.x + 1)
    array([[20, 30]])
    """

    samples: Array
    scaler: Scaler
    origin: Origin
    size: tuple[int, ...] | None = None
    is_bounded: bool = False
    frame: Frame | None = None
    window: Window | None = None
    is_levelled: bool = False
    sizing: Sizing | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, rows: slice | Array) -> Tensor:
        """Samples (M, C, ...) for the model, scaled and at its working size, float32."""
        x = self.full(rows) if self.size is None else self._small(rows, self.size)
        if self.is_levelled:
            x = levelled(x)
        return x.clamp_(0.0, 1.0) if self.is_bounded else x

    def _small(self, rows: slice | Array, size: tuple[int, ...]) -> Tensor:
        """Scaled samples at a smaller size; few of them are at their own size at once."""
        index = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        if index.dtype == bool:
            index = np.flatnonzero(index)
        step = max(1, NUMBERS_PER_CHUNK // max(1, math.prod(self.samples.shape[1:])))
        x = torch.empty(len(index), self.samples.shape[1], *size)
        for start in range(0, len(index), step):
            part = index[start : start + step]
            x[start : start + step] = resize_smoothly(self.full(part), size)
        return x

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, C, ...) of all samples as the model takes them."""
        return (*self.samples.shape[:2], *(self.size or self.samples.shape[2:]))

    @cached_property
    def x(self) -> Tensor:
        """All samples as the model takes them, in memory."""
        return self[:]

    def full(self, rows: slice | Array) -> Tensor:
        """Scaled samples at the user's size.

        Args:
            rows: A slice, or indices (M,).

        Returns:
            Samples (M, C, ...), float32; values may exceed the range of the model.
        """
        return torch.from_numpy(self.scaler.subset(rows).apply(self.samples[rows]))

    def with_trends(self, parts: Iterable[tuple[slice, Tensor]]) -> Iterable[tuple[slice, Tensor]]:
        """Reconstructions of series, with the trends that the model does not see.

        Args:
            parts: Slices of the samples, each with its scaled results (M, C, ...), on the CPU.

        Returns:
            The slices and results; those of series that are not levelled are unchanged.
        """
        if not self.is_levelled:
            return parts
        return ((rows, x + trend(self.full(rows))) for rows, x in parts)

    def subset(self, rows: slice | Array) -> Prepared:
        """Some of the samples.

        Args:
            rows: A slice, or indices (M,), in the order of the result.
        """
        return replace(
            self,
            samples=take_array_rows(self.samples, rows),
            scaler=self.scaler.subset(rows),
            origin=self.origin.subset(rows),
            frame=None if self.frame is None else self.frame.subset(rows),
            sizing=None if self.sizing is None else self.sizing.subset(rows),
        )

    def chunks(self, other: Prepared | None = None) -> list[slice]:
        """Slices of all samples, small enough to be aligned at once.

        Args:
            other: Data that belong to the samples and are aligned with them; None for none.
        """
        parts = (self,) if other is None else (self, other)
        largest = max(part.samples[0].size for part in parts)
        step = max(1, min(SAMPLES_PER_CHUNK, NUMBERS_PER_CHUNK // max(1, largest)))
        return [slice(start, start + step) for start in range(0, len(self), step)]

    def collect_exact(
        self, indices: Iterable[tuple[slice, Tensor]], out: Array | None = None
    ) -> Array:
        """Values of the samples at other places, not averaged and not scaled.

        Args:
            indices: Slices that cover all samples in order, each with indices (M, P) in the
                flattened axes after the channels; -1 gives 0.
            out: Array that receives the results; None for a new one.

        Returns:
            The values in the layout and dtype of the user's samples.
        """

        def move(rows: slice, index: Array) -> Array:
            values = self.samples[rows]
            flat = values.reshape(*values.shape[:2], -1)
            result = np.take_along_axis(flat, np.maximum(index, 0)[:, None], -1)
            result[np.broadcast_to(index[:, None] < 0, result.shape)] = 0
            return self.subset(rows).origin.restore_shape(result.reshape(values.shape))

        parts = ((rows, move(rows, index.numpy())) for rows, index in indices)
        result: Array = self._join(parts, out)
        return result

    def collect(self, results: Iterable[tuple[slice, Tensor]], out: Array | None = None) -> Array:
        """Results in the user's units, dtype and layout, from chunks of samples.

        Use it for aligned series, which all have the same time steps.

        Args:
            results: Slices that cover all samples in order, each with its scaled results
                (M, C, ...), on the CPU.
            out: Array that receives the results; None for a new one.

        Returns:
            All results, as `restore_shape` returns them: an array, or a list of images of several
            sizes; or a data frame, if the user gave one and `out` is None.

        Raises:
            DataError: `out` is no array, is read-only, or has another shape or dtype.
        """
        parts = ((rows, self.subset(rows).restore_shape(values)) for rows, values in results)
        result: Array = self._join(parts, out)
        return result

    def _join(self, parts: Iterable[tuple[slice, Array | list[Array]]], out: Array | None) -> Any:
        """Parts of a result, in the user's layout, as one array, or as a list of all samples."""
        rows_of_list: list[Array] = []
        is_ready, n_unwritten = out is not None, 0
        for rows, part in parts:
            if isinstance(part, list):
                rows_of_list += part
                continue
            shape = (len(self), *part.shape[1:])
            if out is None:
                out = np.empty(shape, part.dtype)
            _check_out(out, shape, part.dtype)
            out[rows] = part
            n_unwritten += part.nbytes
            if isinstance(out, np.memmap) and n_unwritten > MAX_BYTES_UNWRITTEN:
                out.flush()  # so that the pages of the file need no memory of the process
                n_unwritten = 0
        if out is not None and rows_of_list:
            raise DataError("out is an array, but the results are a list; leave it out")
        if out is None:
            return rows_of_list
        return out if is_ready or self.frame is None else self.frame.restore(out)

    def restore_shape(self, x: Tensor) -> Array:
        """Results in the user's units, dtype and layout, evenly spaced.

        Args:
            x: Scaled results (N, C, ...), one for each sample, on the CPU.

        Returns:
            An array in the layout of the user's samples. Series that were resampled are (N, T) or
            (N, C, T), at the times of the schema's clock.
        """
        dtype = self.origin.precise_dtype
        return self.origin.restore_shape(self.scaler.undo(x.numpy(), dtype=dtype))

    def restore_times(self, x: Tensor) -> Array | list[Array]:
        """Results in the user's units, at the user's time steps.

        Use it for reconstructions, which are compared with the user's series step by step.

        Args:
            x: Scaled results (N, C, ...), one for each sample, on the CPU.

        Returns:
            An array in the layout and dtype of the user's samples; or a list of N arrays with the
            lengths of the user's series, if these are a list and were resampled; or a data frame,
            if the user gave one.
        """
        dtype = self.origin.precise_dtype
        values = self.origin.restore_times(self.scaler.undo(x.numpy(), dtype=dtype))
        result: Array | list[Array] = values if self.frame is None else self.frame.restore(values)
        return result


def store(result: Array, out: Array | None) -> Array:
    """A result, in the array that the user gave for it.

    Args:
        result: Array of any shape.
        out: Array that receives the result; None for none.

    Raises:
        DataError: `out` is no array, is read-only, or has another shape or dtype.
    """
    if out is None:
        return result
    _check_out(out, result.shape, result.dtype)
    out[:] = result
    return out


def _check_out(out: Array, shape: tuple[int, ...], dtype: Any) -> None:
    """Refuse what is no array, or one that a result does not fit or that is read-only."""
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise DataError(
            f"out={brief(out)} is no array; give one of shape {shape} and dtype {dtype}, or None"
        )
    if out.shape != shape or out.dtype != dtype:
        raise DataError(
            f"out has shape {out.shape} and dtype {out.dtype}; the result has {shape} and "
            f"{dtype}: give an array like that"
        )
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise DataError(
            "out is an array that is read-only; give one that can be written, such as a memory map "
            "of mode 'r+', or a copy"
        )
