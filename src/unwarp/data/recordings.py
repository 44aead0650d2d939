"""Series as they were recorded, of unequal lengths, with gaps and time stamps: brought to even steps, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unwarp.core import Array, Domain, MissingPolicy
from unwarp.data.arrays import as_samples, blocks, take_rows
from unwarp.data.layout import SMALLEST, restore_dtype, restore_layout
from unwarp.data.series import as_array, as_list, as_times, evened, stamped
from unwarp.errors import ConfigError, DataError

MOST = 100
"""Even steps that a recorded one may become: beyond it, the unit of the times is not that of the sampling rate."""


@dataclass(frozen=True)
class Clock:
    """The time of even series: step i stands at `start + i / sampling_rate`.

    Attributes:
        sampling_rate: Steps a second; None: time is counted in steps.
        start: Time of the first step.
        any_length: Whether series may be of any length, as those that were learned from.
    """

    sampling_rate: float | None = None
    start: float = 0.0
    any_length: bool = False

    def at(self, step: float | Array) -> Array:
        """The time of steps, counted from 0."""
        return self.start + np.asarray(step, float) / (self.sampling_rate or 1.0)


@dataclass(frozen=True, eq=False)
class RegularSamples:
    """Samples that need nothing: of one size, without gaps, at even steps.

    Attributes:
        samples: (N, C, H, W) or (N, C, T).
        original: What they came as.
    """

    samples: Array
    original: Any

    def __len__(self) -> int:
        return len(self.samples)

    def subset(self, rows: Array) -> RegularSamples:
        """Some of the samples, by their numbers."""
        return RegularSamples(self.samples[rows], take_rows(self.original, rows))

    def clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """The number of steps, and their time."""
        return self.samples.shape[-1], Clock(sampling_rate)

    def even(self, length: int | None, missing: MissingPolicy) -> Array:
        """The samples."""
        return self.samples

    def within(self, length: int) -> RegularSamples:
        """These: nothing in them is unobserved."""
        return self

    def restore_shape(self, made: Array) -> Array:
        """Other samples (N, C, ...) in the shape and dtype of these."""
        return restore_layout(made, self.original)

    def restore_clock(self, made: Array) -> Array | list[Array]:
        """As `restore_shape`."""
        return self.restore_shape(made)

    def spans(self, clock: Clock) -> Array:
        """Time of the first and the last step of each series (N, 2)."""
        return np.tile(clock.at(np.array([0, self.samples.shape[-1] - 1])), (len(self.samples), 1))


@dataclass(frozen=True, eq=False)
class IrregularSeries:
    """Series that need resampling or filling.

    Attributes:
        rows: N series (C, T_i), NaN where a value is missing.
        stamps: Their times (T_i,), counted where none were given.
        timed: Whether times were given.
        flat: Whether they came without an axis of channels.
        dtype: In which type they came.
        width: Steps of the array that they came in, which is padded with NaN; None for a list.
        any_length: Whether lengths may differ, whatever these are, since they did in the whole of a part.
    """

    rows: list[NDArray[np.float32]]
    stamps: list[Array]
    timed: bool
    flat: bool
    dtype: np.dtype[Any]
    width: int | None
    any_length: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def subset(self, rows: Array) -> IrregularSeries:
        """Some of the series, by their numbers; lengths may differ in a part where they do in the whole."""
        series, stamps = [self.rows[row] for row in rows], [self.stamps[row] for row in rows]
        any_length = self.any_length or len({row.shape[1] for row in self.rows}) > 1
        return replace(self, rows=series, stamps=stamps, any_length=any_length)

    def clock(self, sampling_rate: float | None) -> tuple[int, Clock]:
        """The number of even steps that hold the longest series, and their time.

        Raises:
            ConfigError: `sampling_rate` and the times make hardly any steps, or very many.
        """
        counts = [row.shape[1] for row in self.rows]
        length, uneven = max(counts), self.any_length or len({*counts}) > 1
        if not self.timed:
            return length, Clock(sampling_rate, any_length=uneven)
        duration, starts = (
            max(float(at[-1] - at[0]) for at in self.stamps),
            {float(at[0]) for at in self.stamps},
        )
        start = starts.pop() if len(starts) == 1 else 0.0
        if sampling_rate is None:
            return length, Clock((length - 1) / duration if duration else None, start, True)
        steps = round(duration * sampling_rate) + 1
        if steps < 2 or steps > MOST * length:
            raise ConfigError(
                f"sampling_rate={sampling_rate:g} makes {steps:,} steps of the {length:,} at times that last {duration:g}; give times in "
                "seconds and sampling_rate in samples a second, or leave it out"
            )
        return steps, Clock(sampling_rate, start, True)

    def even(self, length: int | None, missing: MissingPolicy) -> Array:
        """The series at `length` even steps (N, C, length); that of the longest for None.

        Raises:
            DataError: A value is missing where `missing` is `error`, or a channel has none at all. With `mask` it stays NaN.
        """
        return evened(
            self.rows, self.stamps, length or max(row.shape[1] for row in self.rows), missing
        )

    def within(self, length: int) -> IrregularSeries:
        """The same without steps beyond `length`, if no series was observed there."""
        if not all(np.isnan(row[:, length:]).all() for row in self.rows):
            return self
        return replace(
            self,
            rows=[row[:, :length] for row in self.rows],
            stamps=[at[:length] for at in self.stamps],
        )

    def restore_shape(self, made: Array) -> Array:
        """Series at even steps (N, C, T), with or without an axis of channels, and in the type, as these came."""
        return restore_dtype(made[:, 0] if self.flat else made, self.dtype)

    def restore_clock(self, made: Array) -> Array | list[Array]:
        """Series at even steps (N, C, T) read at the times of these, as these came: a list, or an array padded with NaN."""
        own = [self._read(row, at) for row, at in zip(made, self.stamps, strict=True)]
        if self.width is None:
            return [restore_dtype(row[0] if self.flat else row, self.dtype) for row in own]
        padded = np.full((*made.shape[:2], self.width), np.nan, np.float32)
        for i, row in enumerate(own):
            padded[i, :, : row.shape[1]] = row
        return self.restore_shape(padded)

    def _read(self, row: Array, at: Array) -> Array:
        even = np.linspace(at[0], at[-1], row.shape[1])
        return np.stack([np.interp(at, even, channel) for channel in row])

    def spans(self, clock: Clock) -> Array:
        """Time of the first and the last step of each series (N, 2)."""
        if self.timed:
            return np.array([[at[0], at[-1]] for at in self.stamps], float)
        return np.array([clock.at(np.array([0, row.shape[1] - 1])) for row in self.rows])

    def beside(self, other: Any) -> IrregularSeries:
        """Other channels of the same series, at the same times.

        Raises:
            DataError: Another number of series, or other lengths.
        """
        with errors_name("other"):
            rows = as_list(other)
        counts = [row.shape[1] for row in self.rows]
        if len(rows) == len(counts):
            # an array of a type without NaN, such as a mask, cannot say where a series ends
            rows = [
                row[:, :n] if row.shape[1] == self.width else row
                for row, n in zip(rows, counts, strict=True)
            ]
        if [row.shape[1] for row in rows] != counts:
            raise DataError(
                "other must hold as many series as X, of the same lengths; samples and frame must agree"
            )
        return replace(self, rows=rows, **_form(other))


@contextmanager
def errors_name(name: str) -> Iterator[None]:
    """Lets what is said of data that cannot be used name them `name`, not X."""
    try:
        yield
    except DataError as error:
        said = re.sub(r"\bX\b", name, str(error))
        raise DataError(said if name in said else f"{name}: {said}") from error


def parse_samples(
    X: Any,
    times: Any = None,
    domain: str = "auto",
    image_shape: tuple[int, ...] | None = None,
    any_length: bool | None = None,
) -> tuple[RegularSamples | IrregularSeries, str]:
    """Samples as `as_samples` takes them, or series of unequal lengths, with gaps and with time stamps.

    Args:
        X: What `as_samples` takes, or a list of N series (T_i,) or (C, T_i). NaN at the end of a row ends its series,
            if lengths may differ; NaN elsewhere is a missing value.
        times: Time stamps of series, (T,) for all, (N, T), or N of (T_i,), as `as_times` takes them.
        domain: `image` or `series` where the shape alone does not say.
        image_shape: (H, W) or (C, H, W) of pictures in rows.
        any_length: Whether lengths may differ; None: they may.

    Raises:
        DataError: As `as_samples`; lengths that differ where they must not; times of pictures.
    """
    if isinstance(X, RegularSamples | IrregularSeries):  # parsed already
        return X, domain
    if domain in ("auto", "series") and image_shape is None and _unequal(X, domain):
        return _of_unequal_lengths(X, times, any_length), "series"
    samples, name = as_samples(X, domain, image_shape, gaps=True)
    found = Domain.registry[name]
    if times is not None and not found.has_times:
        raise DataError(
            f"times are of series, X holds {found.plural} of shape {samples.shape}; set domain='series' or drop times"
        )
    gaps = found.has_gaps and any(np.isnan(samples[rows]).any() for rows in blocks(samples))
    if not found.has_times or not (gaps or any_length or times is not None):
        return RegularSamples(samples, X), name
    ends = gaps and any_length is not False
    rows, times = (
        _ended(samples.astype(np.float32, copy=False), times) if ends else (list(samples), times)
    )
    return _uneven(rows, X, times), name


def _of_unequal_lengths(X: Any, times: Any, any_length: bool | None) -> IrregularSeries:
    """A list of series of unequal lengths, where lengths may differ."""
    if any_length is False:
        raise DataError(
            "X holds series of unequal lengths, the model was trained on series of one length; train on "
            "series of unequal lengths, or use unwarp.data.resample_to(X, length)"
        )
    return _uneven(as_list(X), X, times)


def _uneven(rows: list[Array], X: Any, times: Any) -> IrregularSeries:
    return IrregularSeries(rows, stamped(rows, times), times is not None, **_form(X))


def _form(X: Any) -> dict[str, Any]:
    """How series came: without an axis of channels, in which type, and in an array of which width."""
    if isinstance(X, list | tuple) or getattr(X, "dtype", None) is np.dtype(object):
        rows = [np.asarray(as_array(row)) for row in X]
        return {"flat": rows[0].ndim == 1, "dtype": np.result_type(*rows), "width": None}
    source = np.asarray(as_array(X))
    return {"flat": source.ndim == 2, "dtype": source.dtype, "width": source.shape[-1]}


def _unequal(X: Any, domain: str) -> bool:
    """Whether `X` is a list of series whose lengths differ.

    Raises:
        DataError: Pictures of different widths look the same.
    """
    boxed = getattr(X, "dtype", None) is np.dtype(object) and X.ndim == 1
    listed = isinstance(X, list | tuple) or boxed
    if not listed or not all(
        isinstance(row, list | tuple) or hasattr(row, "__array__") for row in X
    ):
        return False
    try:
        shapes = {np.shape(row) for row in X}
    except ValueError:
        return False
    if (
        len({shape[:-1] for shape in shapes}) > 1
        or len(shapes) < 2
        or any(len(shape) not in (1, 2) for shape in shapes)
    ):
        return False
    first, *_ = sorted(shapes)
    if domain == "auto" and len(first) == 2 and first[0] >= SMALLEST:
        raise DataError(
            f"X is a list whose samples differ in width, the narrowest of shape {first}: set domain='series' if they are "
            f"series of {first[0]} channels; pictures must have one size: crop, pad or resample them"
        )
    return True


def _ended(samples: Array, times: Any) -> tuple[list[Array], Any]:
    """Series (N, C, T) cut where only NaN follows in all channels, and their times likewise."""
    seen: NDArray[np.bool_] = np.logical_not(np.isnan(samples).all(axis=1))
    if not seen.any(1).all():
        raise DataError(f"sample {int((~seen.any(1)).argmax())} of X holds NaN alone; drop it")
    width = samples.shape[-1]
    ends = width - seen[:, ::-1].argmax(1)
    rows = [row[:, :end] for row, end in zip(samples, ends, strict=True)]
    if times is None:
        return rows, times
    original = as_times(times)
    own = [original] * len(rows) if isinstance(original, np.ndarray) else original
    if len(own) != len(rows):
        return rows, own
    return rows, [
        at[:end] if at.shape == (width,) else at for at, end in zip(own, ends, strict=True)
    ]
