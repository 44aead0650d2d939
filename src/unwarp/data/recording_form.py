"""The forms in which recordings of series came, to write others likewise."""

from __future__ import annotations

import csv
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from unwarp.core import Array
from unwarp.data.layout import restore_dtype


class RecordingForm(Protocol):
    """The way that a file stores one recording."""

    @property
    def suffix(self) -> str:
        """Suffix of the file that `encode` makes."""
        ...

    def encode(self, values: Array, times: Array | None, channels: Sequence[str]) -> bytes:
        """The content of a file with another recording.

        Args:
            values: The recording (C, T).
            times: Times of its steps (T,); None if unknown.
            channels: Names of the channels (C); empty if they have none.
        """
        ...


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording, read from a file of its own.

    Attributes:
        values: Its values (C, T), NaN if missing.
        times: Times of its steps (T,); None if the file has none.
        channels: Names of its channels (C); empty if they have none.
        form: The way that its file stores it.
        notes: Decisions in words, for the description.
    """

    values: Array
    times: Array | None
    channels: tuple[str, ...]
    form: RecordingForm
    notes: str = ""


@dataclass(frozen=True)
class TableForm:
    r"""A text table: a row per step, a column per channel.

    Attributes:
        time_name: Name of the column of times; empty for no such column.
        separator: Separator of cells.
        suffix: Suffix of the file.

    >>> TableForm().encode(np.array([[0.5, np.nan]]), np.array([0, 1]), ("x",))
    b'time,x\n0,0.5\n1,\n'
    """

    time_name: str = "time"
    separator: str = ","
    suffix: str = ".csv"

    def encode(self, values: Array, times: Array | None, channels: Sequence[str]) -> bytes:
        """The content of a file with another recording.

        Args:
            values: The recording (C, T).
            times: Times of its steps (T,); None to number them.
            channels: Names of the channels (C); empty to number them.
        """
        names = list(channels) or default_channels(len(values))
        stamps = np.arange(values.shape[1]) if times is None else times
        columns = [*([stamps] if self.time_name else []), *values]
        names = [*([self.time_name] if self.time_name else []), *names]
        return encode_columns(names, columns, self.separator)


@dataclass(frozen=True)
class WaveForm:
    """A WAV file.

    Attributes:
        rate: Samples per second.
        bits: Bits of a sample.
        is_float: Whether samples are floating-point numbers.
    """

    rate: int
    bits: int = 16
    is_float: bool = False
    suffix: str = ".wav"

    def encode(self, values: Array, times: Array | None, channels: Sequence[str]) -> bytes:
        """The content of a file with another recording; missing values become 0.

        Args:
            values: The recording (C, T), in the units of the file.
            times: Times of its steps in seconds (T,), which give the rate; None for that of the
                file.
            channels: Not used; WAV files do not name channels.
        """
        from scipy.io import wavfile

        steps = np.empty(0) if times is None else np.diff(times)
        rate = round(1 / float(np.median(steps))) if len(steps) else self.rate
        samples, out = np.nan_to_num(values.T), io.BytesIO()
        if self.is_float:
            wavfile.write(out, rate, samples.astype(f"f{self.bits // 8}"))
        elif self.bits == 24:
            _write_24_bits(out, rate, samples)
        else:
            dtype = np.dtype(np.uint8 if self.bits == 8 else f"i{self.bits // 8}")
            wavfile.write(out, rate, restore_dtype(samples, dtype))
        return out.getvalue()


def _write_24_bits(out: io.BytesIO, rate: int, samples: Array) -> None:
    """Write samples (T, C) of 24 bits."""
    limit = (1 << 23) - 1
    whole = np.clip(np.rint(samples), -limit - 1, limit).astype("<i4")
    with wave.open(out, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(3)
        file.setframerate(rate)
        file.writeframes(np.ascontiguousarray(whole).view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


@dataclass(frozen=True)
class ArrayForm:
    """An `.npy` file of one recording.

    Attributes:
        dtype: Type of the numbers.
        time_axis: Axis of time: 0 for (T,) or (T, C), 1 for (C, T).
        n_axes: Number of axes.
    """

    dtype: np.dtype[Any]
    time_axis: int
    n_axes: int
    suffix: str = ".npy"

    def encode(self, values: Array, times: Array | None, channels: Sequence[str]) -> bytes:
        """The content of a file with another recording.

        Args:
            values: The recording (C, T).
            times: Not used; `.npy` files have no times.
            channels: Not used.
        """
        out = io.BytesIO()
        x = values[0] if self.n_axes == 1 else values if self.time_axis else values.T
        np.save(out, restore_dtype(x, self.dtype) if not np.isnan(x).any() else x)
        return out.getvalue()


def default_channels(n: int) -> list[str]:
    """Names of channels without names.

    Args:
        n: Number of channels.

    >>> default_channels(1), default_channels(2)
    (['value'], ['channel_0', 'channel_1'])
    """
    return ["value"] if n == 1 else [f"channel_{k}" for k in range(n)]


def encode_columns(names: Sequence[str], columns: Sequence[Array], separator: str = ",") -> bytes:
    """A text table of columns; missing values are empty cells.

    Args:
        names: Names of the columns.
        columns: Cells of each column, equally many.
        separator: Separator of cells.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", delimiter=separator)
    writer.writerow(names)
    writer.writerows(zip(*(cells_of(column) for column in columns), strict=True))
    return out.getvalue().encode()


def cells_of(column: Array) -> list[str]:
    """Cells of a column with all digits of its type.

    Args:
        column: Numbers, NaN if missing, or words.

    >>> cells_of(np.array([0.1, np.nan], np.float32)), cells_of(np.array([2.0, 0.5]))
    (['0.1', ''], ['2', '0.5'])
    """
    if column.dtype.kind not in "f":
        return [str(value) for value in column.tolist()]
    return ["" if value != value else _shortest(value) for value in column]


def _shortest(value: Any) -> str:
    """The shortest text that reads back as a number."""
    text = str(value)
    return text[:-2] if text.endswith(".0") else text
