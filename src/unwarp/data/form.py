"""The form in which pictures came: their files, formats, modes and sizes.

Readers of pictures return a `Form` with the samples. `unwarp.write` then writes other pictures,
such as aligned ones, in the same form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from unwarp.core import Array
from unwarp.data.layout import restore_dtype
from unwarp.data.recording_form import RecordingForm
from unwarp.data.sizes import Sizing
from unwarp.errors import ConfigError, DataError

Frame = tuple[Array, Array | None]
"""A picture (C, H, W) in the dtype of its file, and its alpha channel (H, W), if it has one."""


class Mode(Protocol):
    """The way that a file stores pictures; it writes other pictures likewise."""

    @property
    def channels(self) -> int:
        """Number of channels, without the alpha channel."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers in the file."""
        ...

    @property
    def has_alpha(self) -> bool:
        """Whether pictures may be transparent."""
        ...

    def encode(self, frames: Sequence[Frame]) -> bytes:
        """The content of a file with pictures.

        Args:
            frames: One picture or more, of one size.
        """
        ...


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: Its pixels (C, H, W), in the dtype of the file.
        alpha: Its alpha channel (H, W), 0 where it is transparent; None if it is opaque.
        mode: The way that its file stores it.
        stack: Array (N, C, H, W) that all pictures of a file are rows of; None if there is none.
    """

    pixels: Array
    alpha: Array | None
    mode: Mode
    stack: Array | None = None


@dataclass(frozen=True, eq=False)
class Form:
    """The form in which a collection of pictures came.

    Attributes:
        files: Name of the file of each picture (N), relative to a folder; frames of one file follow
            one another.
        modes: Mode of each picture (N).
        sizing: Sizes of the pictures; None if all have one size.
        alpha: Alpha channels (N, H, W) from 0, transparent; None if no picture is transparent.
        name: Name of the array in the file, for files that hold several; empty for others.
        sample_axis: Axis of the array in the file that counts the samples.
        facts: Further facts about the file, by name, which are written again.
        channels: Names of the channels of series (C); empty if they have none.
        recordings: Name of the file of each series, relative to a folder, and its form (N); empty
            if series did not come in files of their own.
    """

    files: Sequence[str] = ()
    modes: Sequence[Mode] = ()
    sizing: Sizing | None = None
    alpha: Array | None = None
    name: str = ""
    sample_axis: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    recordings: Sequence[tuple[str, RecordingForm]] = ()

    def subset(self, rows: Array) -> Form:
        """The form of some of the pictures.

        Args:
            rows: Indices of the pictures to keep, from 0 (M,).
        """
        if self.recordings:
            return replace(self, recordings=[self.recordings[row] for row in rows])
        if not len(self.files):
            return self
        return replace(
            self,
            files=[self.files[row] for row in rows],
            modes=[self.modes[row] for row in rows],
            sizing=None if self.sizing is None else self.sizing.subset(rows),
            alpha=None if self.alpha is None else self.alpha[rows],
        )

    def contents(
        self, x: Array | Sequence[Array], alpha: Array | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Files with other pictures in this form.

        Args:
            x: Pictures (N, C, H, W) that belong to those of this form, such as aligned ones; or a
                list of pictures (C, H_i, W_i).
            alpha: Their alpha channels (N, H, W); None if no picture is transparent.

        Yields:
            Name and content of each file.

        Raises:
            DataError: The number of pictures differs, or alpha channels are missing.
        """
        if len(x) != len(self.files):
            raise DataError(
                f"there are {len(x)} pictures to write and {len(self.files)} that they shall be "
                "like; give as many, in the same order"
            )
        if alpha is None and self.alpha is not None:
            raise DataError(
                "the pictures were transparent; give their aligned alpha channels, as "
                "alpha=unwarper.align(source, other=source.form.alpha)"
            )
        for name, rows in groupby(range(len(x)), lambda row: self.files[row]):
            frames = [(row, self._frame(row, x, alpha)) for row in rows]
            yield name, self.modes[frames[0][0]].encode([frame for _, frame in frames])

    def _frame(self, row: int, x: Array | Sequence[Array], alpha: Array | None) -> Frame:
        """A picture with the channels, dtype and size of its file."""
        mode, picture = self.modes[row], x[row]
        picture = narrow(picture, mode.channels, mode.dtype)
        opacity = None
        if mode.has_alpha:
            white = white_of(mode.dtype)
            opaque = np.full(picture.shape[1:], white, mode.dtype)
            opacity = (opaque if alpha is None else alpha[row].astype(mode.dtype))[None]
        if self.sizing is not None:
            picture = self.sizing.undo(row, picture)
            opacity = None if opacity is None else self.sizing.undo(row, opacity)
        return picture, None if opacity is None else opacity[0]


def white_of(dtype: np.dtype[Any]) -> float:
    """The value of white, and of opaque: the largest integer, or 1.0.

    Args:
        dtype: Type of the numbers.

    >>> white_of(np.dtype(np.uint8))
    255.0
    """
    return float(np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else 1.0


def blend(pixels: Array, alpha: Array) -> Array:
    """Pixels blended with black.

    Args:
        pixels: A picture (C, H, W).
        alpha: Its alpha channel (H, W), of the same dtype.
    """
    return restore_dtype(pixels * (alpha / white_of(alpha.dtype)), pixels.dtype)


def unblend(pixels: Array, alpha: Array) -> Array:
    """Pixels as they were before `blend`; black where they are transparent.

    Args:
        pixels: A picture (C, H, W).
        alpha: Its alpha channel (H, W), of the same dtype.

    >>> unblend(np.array([[[50, 0]]], np.uint8), np.array([[127, 0]], np.uint8)).tolist()
    [[[100, 0]]]
    """
    white = white_of(alpha.dtype)
    share = np.where(alpha > 0, alpha, white) / white
    values = np.where(alpha > 0, np.minimum(pixels / share, white), 0)
    return restore_dtype(values, pixels.dtype)


@dataclass(frozen=True, eq=False)
class Output:
    """Samples on their way to a file.

    Attributes:
        x: Samples (N, ...) in the layout and dtype of the user's.
        pictures: The same as pictures (N, C, H, W), or as a list of pictures (C, H_i, W_i); None
            for series.
        names: Name or number of each sample (N,).
        form: The form in which the user's samples came.
        alpha: Alpha channels (N, H, W) of the pictures; None if they are opaque.
        times: Times of the steps of series: (T,) for all, or a list of N arrays (T_i,); None if
            unknown.
    """

    x: Any
    pictures: Array | Sequence[Array] | None
    names: Array
    form: Form
    alpha: Array | None = None
    times: Array | list[Array] | None = None

    def need_pictures(self, suffix: str) -> Array:
        """The pictures (N, C, H, W).

        Args:
            suffix: Suffix of the file, for the error.

        Raises:
            ConfigError: The samples are series, or pictures of several sizes.
        """
        if self.pictures is None:
            raise ConfigError(f"a {suffix} file holds pictures, and these samples are series")
        if len({picture.shape for picture in self.pictures}) > 1:
            raise ConfigError(
                f"a {suffix} file holds pictures of one size, these have several; write a folder"
            )
        return np.asarray(self.pictures)


def widen(picture: Array, channels: int, dtype: np.dtype[Any]) -> Array:
    """A picture in the channels and dtype of a collection.

    Args:
        picture: The picture (C, H, W).
        channels: Number of channels; those of a grey picture are equal.
        dtype: Type of the collection; bytes in a 16-bit one count 257 each, so that white is white.
    """
    if picture.dtype == np.uint8 and dtype == np.uint16:
        picture = picture.astype(np.uint16) * 257
    return np.repeat(picture, channels, 0) if len(picture) < channels else picture


def narrow(picture: Array, channels: int, dtype: np.dtype[Any]) -> Array:
    """A picture in the channels and dtype of its file; undoes `widen`.

    Args:
        picture: The picture (C, H, W).
        channels: Number of channels of the file.
        dtype: Type of the numbers in the file.
    """
    if picture.dtype == np.uint16 and dtype == np.uint8:
        picture = picture.astype(np.float32) / 257
    narrowed = picture[:channels]
    if narrowed.dtype == dtype or np.issubdtype(narrowed.dtype, np.integer):
        return narrowed.astype(dtype, copy=False)
    return restore_dtype(narrowed, np.dtype(dtype))
