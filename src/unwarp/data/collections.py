"""Lists of pictures of several sizes, and tables of flattened pictures.

`as_source` passes samples through these functions if the hints of the user ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.array_likes import as_numpy
from unwarp.data.blocks import row_blocks
from unwarp.data.hints import Hints
from unwarp.data.layout import arrange_axes, restore_dtype
from unwarp.data.limits import check_size
from unwarp.data.sizes import Sizing
from unwarp.data.source import Source, describe
from unwarp.errors import ConfigError, DataError

MAX_BYTE = 255


@dataclass(frozen=True, eq=False)
class SizedPictures:
    """Pictures that were brought to one size, which remember how they came.

    It is an array-like, and `restore` takes results back to the user's sizes and form.

    Attributes:
        x: Pictures (N, C, H, W) of one size.
        sizing: Their sizes.
        is_array: Whether the user gave one array instead of a list.
        has_channel_axis: Whether the user's pictures have an axis of channels.
        is_channels_last: Whether that axis is the last one.

    >>> pictures = sized([np.zeros((2, 3)), np.zeros((4, 3))], Hints(sizes="pad"))
    >>> pictures.x.shape, [row.shape for row in pictures.restore(pictures.x)]
    ((2, 1, 4, 3), [(2, 3), (4, 3)])
    """

    x: Array
    sizing: Sizing
    is_array: bool
    has_channel_axis: bool
    is_channels_last: bool

    def __len__(self) -> int:
        return len(self.x)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        """The pictures of one size."""
        return np.array(self.x, dtype, copy=copy)

    def subset(self, rows: Array) -> SizedPictures:
        """Some of the pictures.

        Args:
            rows: Indices of the pictures to keep, from 0 (M,).
        """
        return replace(self, x=self.x[rows], sizing=self.sizing.subset(rows))

    def as_pictures(self, rows: list[Array]) -> list[Array]:
        """Results of `restore` as pictures, channels first.

        Args:
            rows: Pictures (H, W), (C, H, W) or (H, W, C), in the form of the user's.
        """
        if not self.has_channel_axis:
            return [row[None] for row in rows]
        return [np.moveaxis(row, 2, 0) if self.is_channels_last else row for row in rows]

    def restore(self, values: Array) -> Array | list[Array]:
        """Results in the sizes, form and dtype of the user's pictures.

        Args:
            values: Pictures (N, C, H, W) of one size.

        Returns:
            A list of arrays; one array if the user gave one.
        """
        rows = []
        for row, value in enumerate(restore_dtype(values, self.x.dtype)):
            picture = self.sizing.undo(row, value)
            if not self.has_channel_axis:
                picture = picture[0]
            rows.append(np.moveaxis(picture, 0, 2) if self.is_channels_last else picture)
        return np.stack(rows) if self.is_array else rows


def is_list_of_paths(X: Any) -> bool:
    """Whether samples are a list of paths.

    Args:
        X: Samples of any form.
    """
    return isinstance(X, list | tuple) and len(X) > 0 and all(isinstance(p, str | Path) for p in X)


def sized(X: Any, hints: Hints) -> SizedPictures:
    """Pictures brought to one size.

    Args:
        X: Arrays (H, W), (C, H, W) or (H, W, C), or one array (N, ...) of these.
        hints: The user's hints, with `sizes`.

    Returns:
        The pictures, in one size.

    Raises:
        DataError: An array is no picture, or pictures differ in channels or do not fit.
        ConfigError: The rule for sizes is unknown, or the samples are no pictures.
    """
    rows, is_last, has_axis = _as_pictures(X, hints)
    channels, dtype = {len(row) for row in rows}, np.result_type(*{row.dtype for row in rows})
    if len(channels) > 1:
        counts = ", ".join(map(str, sorted(channels)))
        raise DataError(f"the pictures of X have {counts} channels; give those of one number")
    shapes = [(row.shape[1], row.shape[2]) for row in rows]
    sizing = Sizing.of(shapes, hints.sizes, hints.frame)
    shape = (len(rows), channels.pop(), *sizing.size)
    check_size(int(np.prod(shape)) * dtype.itemsize, f"X: its {len(rows):,} pictures")
    x = np.empty(shape, dtype)
    for row, picture in enumerate(rows):
        x[row] = sizing.apply(row, picture)
    return SizedPictures(x, sizing, not isinstance(X, list | tuple), has_axis, is_last)


def _as_pictures(X: Any, hints: Hints) -> tuple[Sequence[Array], bool, bool]:
    """Pictures (C, H, W), whether their channels were last, and whether they had an axis."""
    arrays = [np.asarray(as_numpy(row)) for row in X]
    n_axes = {array.ndim for array in arrays}
    if len(n_axes) != 1 or not n_axes <= {2, 3}:
        shape = np.shape(arrays[0]) if arrays else ()
        raise ConfigError(
            f"sizes={hints.sizes!r} is for pictures, and the first sample has shape {shape}; "
            "leave sizes out, or give pictures (H, W), (C, H, W) or (H, W, C)"
        )
    if n_axes == {2}:
        return [array[None] for array in arrays], False, False
    first, _ = arrange_axes(arrays[0][None], "image", None, hints.layout)
    is_last = first.shape[1:] != arrays[0].shape or hints.layout == "channels_last"
    return [np.moveaxis(a, 2, 0) if is_last else a for a in arrays], is_last, True


def _are_bytes(x: Array) -> bool:
    """Whether all numbers are whole and from 0 to 255."""
    is_whole = np.isfinite(x).all() and (x == np.rint(x)).all()
    return bool(is_whole and x.min() >= 0 and x.max() <= MAX_BYTE)


def flattened(source: Source, hints: Hints) -> Source:
    """A table as flattened pictures, if the hints have a shape.

    Args:
        source: Samples as read from a file.
        hints: The user's hints.

    Returns:
        A source of pictures; whole numbers from 0 to 255 become uint8. Other sources are returned
        unchanged.
    """
    x = source.x
    if hints.image_shape is None or source.domain != "series" or getattr(x, "ndim", 0) != 2:
        return source
    if all(_are_bytes(x[rows]) for rows in row_blocks(x)):
        x = x.astype(np.uint8)
    try:
        words = describe(x, hints.image_shape, "image", hints.layout)
    except ConfigError:  # the shape is no shape; `arrange_axes` says so later
        return replace(source, domain="image")
    return replace(source, x=x, domain="image", description=f"{words}; one row per picture")
