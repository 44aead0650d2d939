"""Pictures of several sizes brought to one size, and back.

pad     centred on a frame as large as the largest picture; the frame is filled with the median
        of the picture's border, each channel by itself
crop    cut to the centre, as large as the smallest picture
HxW     resized to H x W pixels: averaged over areas along an axis that shrinks, linearly
        interpolated along one that grows
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.layout import restore_dtype
from unwarp.errors import ConfigError, DataError

SIZE = re.compile(r"([1-9]\d{0,5})\s*x\s*([1-9]\d{0,5})")
"""A height and a width, such as `64x48`."""

Size = tuple[int, int]
"""Height and width in pixels."""


def parse_sizes(sizes: Any) -> str | Size | None:
    """The rule for pictures of several sizes.

    Args:
        sizes: `pad`, `crop`, `HxW`, a pair (H, W), or None.

    Returns:
        `pad`, `crop`, a pair (H, W), or None.

    Raises:
        ConfigError: The value is none of these.

    >>> parse_sizes("64x48"), parse_sizes("pad")
    ((64, 48), 'pad')
    """
    if sizes is None or (isinstance(sizes, str) and sizes in ("pad", "crop")):
        return sizes
    match = SIZE.fullmatch(sizes) if isinstance(sizes, str) else None
    pair = match.groups() if match else sizes
    if isinstance(pair, tuple | list) and len(pair) == 2:
        are_counts = all(
            isinstance(n, str | int | np.integer) and not isinstance(n, bool) and int(n) >= 1
            for n in pair
        )
        if are_counts:
            return int(pair[0]), int(pair[1])
    raise ConfigError(
        f"sizes={sizes!r} is not allowed; give 'pad', 'crop', or height and width, such as '64x64'"
    )


@dataclass(frozen=True, eq=False)
class Sizing:
    """Sizes of pictures, and the size that all of them get.

    Attributes:
        rule: `pad`, `crop` or `resize`.
        shapes: Height and width of each picture (N, 2).
        size: Height and width that all pictures get.

    >>> sizing = Sizing.of([(2, 2), (4, 3)], "pad")
    >>> padded = sizing.apply(0, np.array([[[1, 2], [3, 4]]]))
    >>> padded[0].tolist()
    [[2, 2, 2], [1, 2, 2], [3, 4, 2], [2, 2, 2]]
    >>> sizing.undo(0, padded)[0].tolist()
    [[1, 2], [3, 4]]
    """

    rule: str
    shapes: Array
    size: Size

    @classmethod
    def of(cls, shapes: Sequence[Size], sizes: Any, frame: Size | None = None) -> Sizing:
        """The sizing of pictures by a rule of `parse_sizes`.

        Args:
            shapes: Height and width of each picture (N).
            sizes: The rule; None if all pictures must have one size.
            frame: Height and width that a model takes; None to find them from the pictures.

        Raises:
            DataError: The sizes differ and there is no rule, or a picture does not fit the frame.
            ConfigError: The rule is unknown.
        """
        rule, table = parse_sizes(sizes), np.asarray(shapes, dtype=np.int64).reshape(-1, 2)
        if isinstance(rule, tuple):
            return cls("resize", table, rule)
        if rule is None:
            _check_equal(table)
        ends = table.min(0) if rule == "crop" else table.max(0)
        size = frame if frame and rule else (int(ends[0]), int(ends[1]))
        sizing = cls(rule or "pad", table, size)
        if frame and rule:
            sizing._check_frame()
        return sizing

    @property
    def is_needed(self) -> bool:
        """Whether a picture has another size than all get."""
        return bool((self.shapes != self.size).any())

    @property
    def description(self) -> str:
        """The decision in words; empty if nothing had to be decided."""
        if not self.is_needed:
            return ""
        low, high = (_in_words(ends) for ends in (self.shapes.min(0), self.shapes.max(0)))
        words = {"pad": "padded by their border", "crop": "cropped to their centre"}
        verb = words.get(self.rule, "resized")
        return f"{verb} from {low}" + ("" if low == high else f" ... {high}")

    def subset(self, rows: slice | Array) -> Sizing:
        """The sizing of some of the pictures.

        Args:
            rows: A slice, or indices of the pictures to keep, from 0 (M,).
        """
        return replace(self, shapes=self.shapes[rows])

    def apply(self, row: int, picture: Array, fill: float | None = None) -> Array:
        """A picture in the size of all.

        Args:
            row: Number of the picture.
            picture: The picture (C, H, W).
            fill: Value around a padded picture; None for the median of its border.

        Returns:
            The picture (C, *size), in the same dtype.
        """
        if self.rule == "resize":
            return resize_by_areas(picture, self.size)
        inner, outer = self._windows(row)
        if picture.shape[1:] == self.size:
            return picture
        if self.rule == "crop":
            return picture[(slice(None), *outer)]
        values = _border(picture) if fill is None else np.full(len(picture), fill)
        padded = np.empty((len(picture), *self.size), picture.dtype)
        padded[:] = values.astype(picture.dtype)[:, None, None]
        padded[(slice(None), *inner)] = picture
        return padded

    def undo(self, row: int, picture: Array) -> Array:
        """A picture in its first size; a cropped one stays cropped.

        Args:
            row: Number of the picture.
            picture: The picture (C, *size).

        Returns:
            The picture (C, H, W) without padding, or resized back.
        """
        if self.rule == "resize":
            height, width = self.shapes[row].tolist()
            return resize_by_areas(picture, (height, width))
        return picture if self.rule == "crop" else picture[(slice(None), *self._windows(row)[0])]

    @property
    def matrices(self) -> Array:
        """Matrices from pixels of pictures to those of the common size.

        An array (N, 3, 3). They act on column vectors (x, y, 1), with (0, 0) at the centre of the
        first pixel.

        >>> Sizing.of([(2, 2), (4, 4)], "pad").matrices[0].tolist()
        [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
        """
        outlines, common = self.shapes[:, ::-1], np.array(self.size[::-1])
        is_resized = self.rule == "resize"
        scales = common / outlines if is_resized else np.ones(outlines.shape)
        shifts = (scales - 1) / 2 if is_resized else (common - outlines) // 2
        matrices = np.tile(np.eye(3), (len(outlines), 1, 1))
        for axis in (0, 1):
            matrices[:, axis, axis], matrices[:, axis, 2] = scales[:, axis], shifts[:, axis]
        return matrices

    def to_common(self, points: Array) -> Array:
        """Points of pictures in the pixels of the size of all.

        Args:
            points: Points (x, y) in pixels of each picture (N, K, 2).
        """
        return _transformed(points, self.matrices)

    def from_common(self, points: Array) -> Array:
        """Points in the size of all, in the pixels of each picture.

        Args:
            points: Points (x, y) in pixels of the size of all (N, K, 2).
        """
        return _transformed(points, np.linalg.inv(self.matrices))

    def _windows(self, row: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Where a picture lies in the frame, and where the frame lies in a picture."""
        starts = [(n - m) // 2 for n, m in zip(self.size, self.shapes[row].tolist(), strict=True)]
        shape = self.shapes[row].tolist()
        inner = tuple(slice(max(0, i), max(0, i) + n) for i, n in zip(starts, shape, strict=True))
        ends = zip(starts, self.size, strict=True)
        return inner, tuple(slice(max(0, -i), max(0, -i) + n) for i, n in ends)

    def _check_frame(self) -> None:
        """Refuse a picture that does not fit the frame of a model."""
        excess = self.shapes - self.size if self.rule == "pad" else self.size - self.shapes
        if (excess > 0).any():
            row = int((excess > 0).any(1).argmax())
            word = "larger" if self.rule == "pad" else "smaller"
            raise DataError(
                f"picture {row} is {_in_words(self.shapes[row])}, {word} than the model's "
                f"{_in_words(self.size)} (height x width), so sizes={self.rule!r} cannot bring it "
                "there; learn from pictures of all sizes, or with sizes='HxW'"
            )


def _transformed(points: Array, matrices: Array) -> Array:
    """Points (N, K, 2) after the maps of matrices (N, 3, 3)."""
    return points @ matrices[:, :2, :2].swapaxes(1, 2) + matrices[:, None, :2, 2]


def _check_equal(shapes: Array) -> None:
    """Refuse pictures of several sizes, with the sizes that occur."""
    sizes, counts = np.unique(shapes, axis=0, return_counts=True)
    if len(sizes) < 2:
        return
    order = np.argsort(-counts)[:4]
    words = ", ".join(f"{counts[i]:,} of {_in_words(sizes[i])}" for i in order)
    more = f" and {len(sizes) - 4} more sizes" if len(sizes) > 4 else ""
    raise DataError(
        f"the pictures differ in size: {words}{more} (height x width); set sizes='pad' to centre "
        "them on a common frame, sizes='crop' to cut them to their centre, or sizes='HxW' to "
        "resize them"
    )


def _border(picture: Array) -> Array:
    """Median of the border pixels of each channel (C,), a value that occurs there."""
    inner = picture[:, 1:-1, [0, -1]].reshape(len(picture), -1)
    rim = np.concatenate([picture[:, 0], picture[:, -1], inner], 1)
    middle: Array = np.sort(rim, 1)[:, (rim.shape[1] - 1) // 2]
    return middle


def resize_by_areas(picture: Array, size: Size) -> Array:
    """A picture with another height and width, by exact averages of areas.

    Each pixel of a smaller picture is the mean of the area that it covers, so that counts and
    outlines stay; larger ones are interpolated linearly. `resize_smoothly` makes copies for models.

    Args:
        picture: The picture (C, H, W).
        size: Height and width of the result.

    Returns:
        The picture (C, *size), in the same dtype.

    >>> resize_by_areas(np.array([[[0.0, 2.0], [4.0, 6.0]]]), (1, 1))
    array([[[3.]]])
    """
    if picture.shape[1:] == tuple(size):
        return picture
    rows, columns = (_weights(n, m) for n, m in zip(picture.shape[1:], size, strict=True))
    dtype = np.result_type(picture.dtype, np.float32)
    values = rows @ picture.astype(dtype) @ columns.T
    return restore_dtype(values.astype(dtype), picture.dtype)


def _weights(n: int, m: int) -> Array:
    """Weights (m, n) that resize an axis of n pixels to m pixels."""
    if m < n:  # share of each new pixel that each old one covers
        edges = np.linspace(0, n, m + 1)
        low, high = (
            np.maximum.outer(edges[:-1], np.arange(n)),
            np.minimum.outer(edges[1:], np.arange(1, n + 1)),
        )
        areas: Array = np.maximum(high - low, 0) * (m / n)
        return areas
    centres = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    shares: Array = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(n)))
    return shares


def _in_words(size: Any) -> str:
    """Height and width, such as `64 x 48`."""
    return f"{int(size[0])} x {int(size[1])}"
