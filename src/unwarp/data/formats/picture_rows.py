"""Pictures of many files, decoded block by block.

Every file is decoded twice: once for the size, type and number of its pictures, and again for its
rows. So a folder may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unwarp.core import Array
from unwarp.data.form import Picture, widen
from unwarp.data.formats.images import (
    Place,
    class_names,
    common_type,
    decisions_on,
    decode_place,
    find_sizing,
)
from unwarp.data.hints import Hints
from unwarp.data.sizes import Sizing
from unwarp.data.source import Source


@dataclass(frozen=True, eq=False)
class PictureRows:
    """Pictures (N, C, H, W) of files, decoded in blocks.

    `lazy_pictures` makes one. Rows of it are an array.

    Attributes:
        places: The file of each picture (N).
        frames: Number of each picture in its file (N).
        channels: Number of channels C of all pictures.
        dtype: Type of the numbers.
        sizing: Sizes of the pictures, and the size (H, W) that they are brought to.
        hints: The user's hints.
    """

    places: Sequence[Place]
    frames: Sequence[int]
    channels: int
    dtype: np.dtype[Any]
    sizing: Sizing
    hints: Hints

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, C, H, W)."""
        return (len(self), self.channels, *self.sizing.size)

    def __getitem__(self, rows: slice | Array) -> Array:
        """Pictures (M, C, H, W) of some rows.

        Args:
            rows: A slice, or indices from 0 (M,).

        Raises:
            DataError: A file is damaged.
        """
        indices = range(len(self))[rows] if isinstance(rows, slice) else [int(i) for i in rows]
        block = np.empty((len(indices), *self.shape[1:]), self.dtype)
        pictures: list[Picture] = []
        for target, row in enumerate(indices):
            place = self.places[row]
            if not pictures or place is not self.places[indices[target - 1]]:
                is_alone = all(other is place for other in (self.places[0], self.places[-1]))
                pictures = decode_place(place, self.hints, is_alone)
            pixels = widen(pictures[self.frames[row]].pixels, self.channels, self.dtype)
            block[target] = self.sizing.apply(row, pixels)
        return block


def lazy_pictures(places: Sequence[Place], where: str, hints: Hints) -> tuple[PictureRows, Source]:
    """Pictures of files, and what `read_places` tells about them.

    Args:
        places: Files of pictures, in the order of the result.
        where: The collection in words, for errors.
        hints: The user's hints.

    Returns:
        The pictures, not decoded; and a source with their names, labels and description, whose `x`
        is empty.

    Raises:
        DataError: As for `read_places`.
    """
    of_pictures: list[Place] = []
    frames: list[int] = []
    names: list[str] = []
    outlines: list[Picture] = []
    for place in places:
        pictures = decode_place(place, hints, len(places) == 1)
        outlines += map(_outline, pictures)
        of_pictures += [place] * len(pictures)
        frames += range(len(pictures))
        is_single = len(pictures) == 1
        names += [place.name if is_single else f"{place.name}[{k}]" for k in range(len(pictures))]
    sizing = find_sizing(outlines, where, hints)
    channels, dtype = common_type(outlines, where)
    rows = PictureRows(of_pictures, frames, channels, dtype, sizing, hints)
    words = [sizing.description, *decisions_on(outlines)]
    labels = class_names([place.name for place in of_pictures])
    empty = np.empty((0, *rows.shape[1:]), dtype)
    source = Source(empty, names, labels, "; ".join(filter(None, words)), "image")
    return rows, replace(source, layout="channels_first")


def _outline(picture: Picture) -> Picture:
    """A picture of the same shape and type that needs no memory."""
    pixels = np.broadcast_to(np.zeros((), picture.pixels.dtype), picture.pixels.shape)
    alpha = None if picture.alpha is None else pixels[0]
    return replace(picture, pixels=pixels, alpha=alpha, stack=None)
